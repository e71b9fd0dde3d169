//! Secrets that act from some frame on, on their way to every lane.

use std::sync::Arc;

use crate::dissect::tls_open::keylog::KeyLog;
use crate::engine::secrets::NewSecrets;

use super::{Dispatcher, Lanes};

impl Dispatcher {
    /// Tells every lane, behind the packets that came before.
    pub(super) fn new_secrets(&mut self, fresh: Arc<KeyLog>, lanes: &mut impl Lanes) {
        let new = Arc::new(NewSecrets {
            keys: Arc::clone(self.secrets.keys()),
            fresh,
            at: self.watermark,
            ordinal: self.ordinal + 1,
        });
        for lane in 0..self.batches.len() {
            let Some(batch) = self.batches.get_mut(lane) else { continue };
            if !batch.inputs.is_empty() {
                lanes.send(lane, batch);
            }
            batch.secrets = Some(Arc::clone(&new));
            lanes.send(lane, batch);
            self.forget_backings(lane);
        }
    }
}
