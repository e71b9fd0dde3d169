//! What happens, as it happens: the records that end and the findings that are raised, for whoever
//! wants to know before the report.
//!
//! Order and content follow from the facts alone: any number of lanes and any epochs give the same
//! events. A finding is told when it is first raised, with what was known then, and once more at
//! the end if more became known; one that only the whole capture can raise is told at the end only.

use std::io;

use super::ndjson::fingerprint;
use crate::model::capture::{CaptureRecord, Counts};
use crate::model::fact::Flow;
use crate::model::finding::Finding;
use crate::model::handshake::HandshakeRecord;
use crate::model::record::{CallRecord, RegistrationRecord, StreamRecord};
use crate::model::revealed::Revealed;
use crate::model::time::Ts;

/// Which word about a finding it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was raised just now.
    Raised,
    /// The capture has ended; nothing will change any more.
    Final,
}

/// Somebody who wants to know.
pub trait Listener: Send {
    /// A call has ended.
    fn call(&mut self, call: &CallRecord<'_>);
    /// A registration has ended.
    fn registration(&mut self, registration: &RegistrationRecord<'_>, at: Ts);
    /// A stream has ended.
    fn stream(&mut self, stream: &StreamRecord<'_>);
    /// A handshake was seen.
    fn handshake(&mut self, handshake: &HandshakeRecord<'_>, at: Ts);
    /// A finding was raised, or is final.
    fn finding(&mut self, finding: &Finding, flow: Option<Flow>, stage: Stage);
    /// A secret that a label stands for, if they are to be shown: at the end.
    fn secret(&mut self, secret: &Revealed, at: Option<Ts>) {
        let _ = (secret, at);
    }
    /// The end of the capture, and what was counted.
    fn end(&mut self, capture: &CaptureRecord, counts: &Counts);
    /// Whoever reads along should see what was told.
    ///
    /// # Errors
    /// Those of the output, now or since the last call.
    fn flush(&mut self) -> io::Result<()>;
}

/// Everybody who wants to know.
#[derive(Default)]
pub struct Events {
    listeners: Vec<Box<dyn Listener>>,
    /// Of each finding, in the order in which they were raised: the flow that raised it, and what
    /// was told of it.
    raised: Vec<(Option<Flow>, u64)>,
    failure: Option<io::Error>,
}

impl Events {
    /// Events for these.
    pub fn new(listeners: Vec<Box<dyn Listener>>) -> Self {
        Self { listeners, raised: Vec::new(), failure: None }
    }

    /// Whether nobody wants to know.
    pub fn is_idle(&self) -> bool {
        self.listeners.is_empty()
    }

    /// Findings told of up to now.
    pub fn raised(&self) -> usize {
        self.raised.len()
    }

    /// Tells everybody.
    pub fn tell(&mut self, mut what: impl FnMut(&mut dyn Listener)) {
        for listener in &mut self.listeners {
            what(listener.as_mut());
        }
    }

    /// A finding was raised by a packet of `flow`; findings come in the order of their numbers.
    pub fn raise(&mut self, finding: &Finding, flow: Option<Flow>) {
        self.raised.push((flow, fingerprint(finding)));
        self.tell(|listener| listener.finding(finding, flow, Stage::Raised));
    }

    /// The end: the findings that changed since they were raised, or were not raised before.
    /// `places` are the places in `findings` of the numbers.
    pub fn finish(&mut self, findings: &[Finding], places: &[u32]) {
        if self.is_idle() {
            return;
        }
        let mut told: Vec<Option<(Option<Flow>, u64)>> = vec![None; findings.len()];
        for (place, raised) in places.iter().zip(&self.raised) {
            let slot = usize::try_from(*place).ok().and_then(|place| told.get_mut(place));
            if let Some(slot) = slot {
                *slot = Some(*raised);
            }
        }
        for (finding, told) in findings.iter().zip(told) {
            if told.is_none_or(|(_, known)| known != fingerprint(finding)) {
                let flow = told.and_then(|(flow, _)| flow);
                self.tell(|listener| listener.finding(finding, flow, Stage::Final));
            }
        }
    }

    /// Lets readers see what was told. False once an output fails: nobody listens any more then.
    pub fn flush(&mut self) -> bool {
        for listener in &mut self.listeners {
            if let Err(error) = listener.flush() {
                self.failure.get_or_insert(error);
            }
        }
        if self.failure.is_some() {
            self.listeners.clear();
        }
        self.failure.is_none()
    }

    /// Why events could not be told to the end.
    pub fn failure(self) -> Option<io::Error> {
        self.failure
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("raised", &self.raised.len()).finish_non_exhaustive()
    }
}
