//! Keeps the steps of one call, for its ladder.
//!
//! A call is asked for by its id, by a beginning of its id, or by its Call-ID. Nothing is kept when
//! none is asked for.

use crate::correlate::event::SipEvent;
use crate::correlate::placement::{Placement, SdpRole};
use crate::model::evidence::FrameRef;
use crate::model::frame::FrameId;
use crate::model::id::RecordKey;
use crate::model::record::StreamRecord;
use crate::report::outcome::{Step, StepKind};

use super::trace::names;

/// Steps kept at most: a ladder longer than this is read by nobody.
const STEPS: usize = 10_000;

/// The call that is watched, and what it did.
#[derive(Debug)]
pub struct Watch {
    wanted: Option<String>,
    /// Calls that messages named; streams belong to them.
    calls: Vec<RecordKey>,
    steps: Vec<Step>,
}

impl Watch {
    /// Watches the call named, if any.
    pub fn new(wanted: Option<String>) -> Self {
        Self { wanted, calls: Vec::new(), steps: Vec::new() }
    }

    /// Notes a message if it belongs to the call.
    pub fn sip(&mut self, event: &SipEvent<'_>, placement: &Placement) {
        let Some(wanted) = &self.wanted else { return };
        let by_id = placement.call.is_some_and(|call| names(wanted, call));
        if !(by_id || event.message.call_id() == wanted.as_bytes()) || self.steps.len() >= STEPS {
            return;
        }
        if let Some(call) = placement.call.filter(|call| !self.calls.contains(call)) {
            self.calls.push(call);
        }
        self.steps.push(Step {
            at: event.at,
            src: event.src,
            dst: event.dst,
            label: label(event),
            note: match placement.sdp {
                SdpRole::None => None,
                SdpRole::Offer => Some("SDP offer".to_owned()),
                SdpRole::Answer => Some("SDP answer".to_owned()),
            },
            retransmission: placement.retransmission,
            kind: StepKind::Message,
        });
    }

    /// Notes a stream if it belongs to the call.
    pub fn stream(&mut self, stream: &StreamRecord<'_>, call: Option<RecordKey>) {
        let mine = call.is_some_and(|call| self.calls.contains(&call));
        if !mine || self.steps.len() >= STEPS {
            return;
        }
        let codec = stream.payload_types.first().and_then(|pt| pt.codec.clone());
        self.steps.push(Step {
            at: FrameRef {
                frame: FrameId { source: stream.first_source, number: stream.first_frame },
                time: stream.first,
            },
            src: stream.src,
            dst: stream.dst,
            label: format!("{} {} packets", codec.as_deref().unwrap_or("RTP"), stream.packets),
            note: Some(stream.protection.word().to_owned()),
            retransmission: false,
            kind: StepKind::Stream,
        });
    }

    /// The steps, in the order of their frames.
    pub fn into_steps(mut self) -> Vec<Step> {
        self.steps.sort_by_key(|step| (step.at.time, step.at.frame));
        self.steps
    }
}

fn label(event: &SipEvent<'_>) -> String {
    let message = &event.message;
    match message.status() {
        Some(status) => {
            format!("{status} {}", String::from_utf8_lossy(message.reason())).trim_end().to_owned()
        }
        None => String::from_utf8_lossy(message.method_text()).into_owned(),
    }
}
