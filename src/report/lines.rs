//! A line for a person for each call that ends and each finding that is raised, while `overhear
//! live` runs. The report follows at the end.

use std::io::{self, Write};

use super::calls::parties;
use super::events::{Listener, Stage};
use super::safe::safe;
use super::text::{Ink, Layout, moment, short_duration};
use crate::model::capture::{CaptureRecord, Counts};
use crate::model::fact::Flow;
use crate::model::finding::Finding;
use crate::model::handshake::HandshakeRecord;
use crate::model::record::{CallRecord, RegistrationRecord, StreamRecord};
use crate::model::time::Ts;

/// Columns of a line about a call without who calls whom: time, word, id, state and length.
const AROUND: usize = 53;
/// Columns of who calls whom, at least and at most.
const PARTIES: (usize, usize) = (20, 60);
/// Where the text of a line begins.
const TEXT: usize = 18;

/// Writes lines.
pub struct Lines {
    to: Box<dyn Write + Send>,
    layout: Layout,
    gathered: Vec<u8>,
}

impl Lines {
    /// Lines in this layout.
    pub fn new(to: Box<dyn Write + Send>, layout: Layout) -> Self {
        Self { to, layout, gathered: Vec::new() }
    }

    fn line(&mut self, at: Ts, text: &str) {
        let (_, time) = moment(at);
        // Writing to memory cannot fail.
        let _ = writeln!(self.gathered, "{} {text}", self.layout.paint(&time, Ink::Dim));
    }
}

impl Listener for Lines {
    fn call(&mut self, call: &CallRecord<'_>) {
        let at = call.end.or(call.answer).unwrap_or(call.start);
        let talk = call.talk_s.map(short_duration).unwrap_or_default();
        let room = self.layout.width.saturating_sub(AROUND).clamp(PARTIES.0, PARTIES.1);
        let (who, state) = (parties(call, room), call.state.word());
        let text = format!("call     {} {who} {state:11} {talk}", call.id);
        self.line(at, text.trim_end());
    }

    fn registration(&mut self, _: &RegistrationRecord<'_>, _: Ts) {}

    fn stream(&mut self, _: &StreamRecord<'_>) {}

    fn handshake(&mut self, _: &HandshakeRecord<'_>, _: Ts) {}

    fn finding(&mut self, finding: &Finding, flow: Option<Flow>, stage: Stage) {
        if stage == Stage::Final {
            return;
        }
        let word = format!("{:8}", finding.severity.word().to_uppercase());
        let ends = flow.map(|flow| format!(" {} -> {}", flow.src, flow.dst)).unwrap_or_default();
        let word = self.layout.paint(&word, Ink::of(finding.severity));
        self.line(finding.first_alert.time, &format!("{word} {}{ends}", finding.rule));
        // Writing to memory cannot fail.
        let _ = writeln!(self.gathered, "{:TEXT$}{}", "", safe(&finding.title));
    }

    fn end(&mut self, _: &CaptureRecord, _: &Counts) {
        if !self.gathered.is_empty() {
            self.gathered.push(b'\n');
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        self.to.write_all(&self.gathered)?;
        self.gathered.clear();
        self.to.flush()
    }
}
