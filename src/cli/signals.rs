//! ^C and SIGTERM, the door of `signal-hook`: the first asks for a clean end, the second kills, as
//! users of tcpdump and dumpcap expect.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Failure;

/// A flag that a signal sets.
#[cfg(feature = "live")]
pub(super) fn asked_to_end() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    let asked = Arc::<AtomicBool>::default();
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the second signal finds the flag set by the first.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&asked))
            .and_then(|_| flag::register(signal, Arc::clone(&asked)))
            .map_err(|error| Failure::new(format!("signals cannot be caught: {error}")))?;
    }
    Ok(asked)
}

#[cfg(not(feature = "live"))]
pub(super) fn asked_to_end() -> Result<Arc<AtomicBool>, Failure> {
    Ok(Arc::default())
}
