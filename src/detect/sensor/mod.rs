//! The health of the tap: what decides whether "not seen" means "not there".

pub(super) mod drop;
pub(super) mod duplicate;
pub(super) mod midstream_tls;
pub(super) mod one_sided;
pub(super) mod rtp_lookalike;
pub(super) mod snaplen;
pub(super) mod state_evicted;
pub(super) mod time;

#[cfg(test)]
mod tests;

/// What every rule of this family advises.
const FIX: &str =
    "The sensor itself lost or truncated traffic: fix the tap before trusting 'not observed'.";
