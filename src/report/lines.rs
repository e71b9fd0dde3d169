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
/// Columns of time and severity in front of a rule.
const TIMED: usize = 18;

/// Writes lines.
pub struct Lines {
    to: Box<dyn Write + Send>,
    layout: Layout,
    gathered: Vec<u8>,
    /// A line was written.
    spoke: bool,
}

impl Lines {
    /// Lines in this layout.
    pub fn new(to: Box<dyn Write + Send>, layout: Layout) -> Self {
        Self { to, layout, gathered: Vec::new(), spoke: false }
    }

    fn line(&mut self, at: Ts, text: &str) {
        let (_, time) = moment(at);
        self.spoke = true;
        // Writing to memory cannot fail.
        let _ = writeln!(self.gathered, "{} {text}", self.layout.paint(&time, Ink::Dim));
    }

    /// What stands below a line, as broad as the terminal.
    fn below(&mut self, text: &str) {
        // Writing to memory cannot fail.
        let _ = self.layout.item(&mut self.gathered, ("", None), TEXT, text);
    }
}

impl Listener for Lines {
    fn call(&mut self, call: &CallRecord<'_>) {
        let at = call.end.or(call.answer).unwrap_or(call.start);
        let talk = call.talk_s.map(short_duration).unwrap_or_default();
        let room = self.layout.width.saturating_sub(AROUND);
        let (id, state) = (call.id, call.state.word());
        if room < PARTIES.0 {
            self.line(at, format!("call     {id} {state:11} {talk}").trim_end());
            let who = parties(call, self.layout.width.saturating_sub(TEXT));
            return self.below(who.trim_end());
        }
        let who = parties(call, room.min(PARTIES.1));
        self.line(at, format!("call     {id} {who} {state:11} {talk}").trim_end());
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
        let (at, rule) = (finding.first_alert.time, &finding.rule);
        let columns = TIMED.saturating_add(rule.len()).saturating_add(ends.len());
        if columns <= self.layout.width {
            self.line(at, &format!("{word} {rule}{ends}"));
        } else {
            self.line(at, &format!("{word} {rule}"));
            self.below(ends.trim_start());
        }
        self.below(&safe(&finding.title));
    }

    fn end(&mut self, _: &CaptureRecord, _: &Counts) {
        if self.spoke {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::model::addr::{Addr, Endpoint, Proto};
    use crate::model::finding::Severity;
    use crate::report::safe::width;
    use crate::report::sample;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<u8>>>);

    impl Write for Heard {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a call and a finding look like, flushed one by one.
    fn told(width: usize) -> String {
        let heard = Heard::default();
        let layout = Layout { width, colour: false };
        let mut lines = Lines::new(Box::new(heard.clone()), layout);
        lines.call(&crate::correlate::sample::call(7));
        lines.flush().unwrap();
        let end = |port| Endpoint::new(Addr::v4([198, 51, 100, 200]), port);
        let flow = Flow { src: end(40_000), dst: end(50_000), proto: Proto::UDP };
        let finding = sample::finding("MEDIA-CLEARTEXT-RTP", Severity::Critical, vec![]);
        lines.finding(&finding, Some(flow), Stage::Raised);
        lines.flush().unwrap();
        lines.end(&CaptureRecord::default(), &Counts::default());
        lines.flush().unwrap();
        String::from_utf8(heard.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn lines_fit_and_an_empty_one_ends_them() {
        for columns in [50, 60, 80, 120] {
            let text = told(columns);
            assert!(text.ends_with("\n\n"), "{text}");
            for line in text.lines() {
                assert!(width(line) <= columns, "{columns}: {line}");
                assert_eq!(line, line.trim_end());
            }
            assert!(text.contains("198.51.100.200:40000 -> 198.51.100.200:50000") || columns < 80);
        }
        assert_eq!(told(120).lines().count(), 4);
        assert!(told(60).lines().count() > 4);
    }
}
