//! A finished call as rules see it. What its messages said was shown one by one, and its streams may end
//! later than itself.

use super::sink::Subject;
use crate::model::evidence::FrameRef;
use crate::model::id::RecordKey;
use crate::model::record::CallRecord;

/// One call that has left the table: over, refused, or unfinished at the end of the capture.
#[derive(Copy, Clone, Debug)]
pub struct CallSeen<'a> {
    /// The call as the report prints it.
    pub record: &'a CallRecord<'a>,
    /// Its place in the report.
    pub key: RecordKey,
    /// The pair of peers between which it began, sorted; `None` if its INVITE was not seen.
    pub pair: Option<Subject>,
}

impl<'a> CallSeen<'a> {
    /// A finished call.
    pub fn new(record: &'a CallRecord<'a>) -> Self {
        let ends = record.endpoints.caller.zip(record.endpoints.callee);
        let pair = ends.map(|(caller, callee)| Subject::pair(caller.addr, callee.addr));
        Self { record, key: record.key(), pair }
    }

    /// Its first message.
    pub const fn first(&self) -> FrameRef {
        FrameRef { frame: self.key.first, time: self.record.start }
    }
}
