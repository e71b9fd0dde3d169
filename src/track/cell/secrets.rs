//! More secrets in the middle of a capture: they act on what comes, and on what was kept of the
//! connections that wait for them.

use std::sync::Arc;

use crate::dissect::tls_open::keylog::KeyLog;
use crate::dissect::tls_open::keys::Keys;
use crate::model::fact::EpochFacts;
use crate::model::time::Ts;
use crate::track::emit::Emitter;

use super::Cell;

impl Cell {
    /// Takes the secrets that hold from the frame of this ordinal on, at this watermark; `fresh` are
    /// those that did not before.
    pub fn secrets(
        &mut self,
        keys: &Arc<Keys>,
        fresh: &KeyLog,
        (at, ordinal): (Ts, u64),
        epoch: &mut EpochFacts,
    ) {
        // A connection that has ended waits no longer, whenever that is noticed.
        self.advance(at, epoch);
        self.shared.keys = Arc::clone(keys);
        for random in fresh.randoms() {
            let all = (*random, 0)..=(*random, u64::MAX);
            let flows: Vec<u64> = self.shared.waiting.range(all).map(|(_, flow)| *flow).collect();
            for flow in flows {
                self.shared.waiting.remove(&(*random, flow));
                let mut emit = Emitter::of_secrets(epoch, at, ordinal, flow);
                self.tcp.secrets(random, flow, &mut self.shared, &mut emit);
                self.sctp.secrets(random, flow, &mut self.shared, &mut emit);
            }
        }
    }
}
