//! More secrets in the middle of a capture: they act on what comes, and on what was kept of the
//! connections that wait for them.

use std::sync::Arc;

use crate::dissect::tls_open::keylog::KeyLog;
use crate::dissect::tls_open::keys::Keys;
use crate::model::fact::EpochFacts;
use crate::model::time::Ts;
use crate::track::emit::Emitter;
use crate::track::shared::Awaited;

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
            let awaited: Vec<Awaited> = self.shared.waiting.range(all).copied().collect();
            for session in awaited {
                self.shared.waiting.remove(&session);
                let mut emit = Emitter::of_secrets(epoch, at, ordinal, session.1);
                self.tcp.secrets(session, &mut self.shared, &mut emit);
                self.sctp.secrets(session, &mut self.shared, &mut emit);
                self.dtls.secrets(session, &mut self.shared, &mut emit);
            }
        }
    }
}
