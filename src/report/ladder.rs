//! A call as arrows between its parties: `overhear ladder`.
//!
//! ```text
//!                    192.0.2.10:5060       192.0.2.20:5060
//!      1     0.000  |------- INVITE (SDP) ----->|
//! ```
//!
//! A column is an address; where both ends of an arrow have the same address, an address and port.
//! Endpoints beyond what the width allows are written out beside the columns.

use std::io::{self, Write};

use super::outcome::{Outcome, Step, StepKind};
use super::safe::{fit, width};
use super::text::{Ink, Layout, moment};
use crate::model::addr::Endpoint;
use crate::model::time::Ts;

/// Columns before the first endpoint: frame, time, blanks.
const GUTTER: usize = 20;

/// The narrowest distance between two endpoints that still has room for an arrow with a word.
const NARROWEST: usize = 16;

/// Columns kept free behind the last endpoint: half its name.
const MARGIN: usize = 9;

/// The widest, which keeps arrows readable.
const WIDEST: usize = 40;

/// Prints the steps of the outcome.
///
/// # Errors
/// Those of `out`.
pub fn write(outcome: &Outcome, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let steps = outcome.ladder.as_slice();
    let Some(first) = steps.first() else { return writeln!(out, "no step to show") };
    let plan = Plan::new(steps, layout, outcome.capture.sources.len() > 1);
    let (date, time) = moment(first.at.time);
    writeln!(out, "{}", layout.paint(&format!("begins {date} {time} UTC"), Ink::Dim))?;
    plan.heading(layout, out)?;
    for step in steps {
        plan.step(step, first.at.time, layout, out)?;
    }
    Ok(())
}

/// Where the columns stand.
struct Plan {
    /// One per column: how it is called, and which endpoints it stands for.
    lanes: Vec<Lane>,
    by_port: bool,
    gap: usize,
    several_sources: bool,
}

struct Lane {
    endpoint: Endpoint,
    /// The port of the first message there.
    port: Option<u16>,
    /// Whether another message used another one.
    mixed: bool,
}

impl Plan {
    fn new(steps: &[Step], layout: Layout, several_sources: bool) -> Self {
        let by_port = steps.iter().any(|step| step.src.addr == step.dst.addr);
        let mut lanes: Vec<Lane> = Vec::new();
        let room = layout.width.saturating_sub(GUTTER + MARGIN);
        let most = (room / NARROWEST).saturating_add(1);
        for step in steps {
            for endpoint in [step.src, step.dst] {
                let known = lanes.iter().position(|lane| same(lane.endpoint, endpoint, by_port));
                let place = known.unwrap_or(lanes.len());
                if known.is_none() && lanes.len() < most {
                    lanes.push(Lane { endpoint, port: None, mixed: false });
                }
                if let (Some(lane), StepKind::Message) = (lanes.get_mut(place), step.kind) {
                    lane.mixed |= *lane.port.get_or_insert(endpoint.port) != endpoint.port;
                }
            }
        }
        let gaps = lanes.len().saturating_sub(1).max(1);
        let gap = (room / gaps).clamp(NARROWEST, WIDEST);
        Self { lanes, by_port, gap, several_sources }
    }

    fn lane(&self, endpoint: Endpoint) -> Option<usize> {
        self.lanes.iter().position(|lane| same(lane.endpoint, endpoint, self.by_port))
    }

    fn name(&self, lane: &Lane) -> String {
        match lane.port {
            _ if self.by_port => lane.endpoint.to_string(),
            Some(port) if !lane.mixed => Endpoint::new(lane.endpoint.addr, port).to_string(),
            _ => lane.endpoint.addr.to_string(),
        }
    }

    /// The names above their columns, or letters and a legend if a name is too long.
    fn heading(&self, layout: Layout, out: &mut impl Write) -> io::Result<()> {
        let names: Vec<String> = self.lanes.iter().map(|lane| self.name(lane)).collect();
        let line = self.centred(&names, layout).unwrap_or_else(|| {
            let letters = ('A'..='Z').cycle().map(String::from).take(names.len());
            self.centred(&letters.collect::<Vec<_>>(), layout).unwrap_or_default()
        });
        if !names.iter().all(|name| line.contains(name.as_str())) {
            for (letter, name) in ('A'..='Z').cycle().zip(&names) {
                writeln!(out, "{}", layout.paint(&format!("  {letter} = {name}"), Ink::Bold))?;
            }
        }
        writeln!(out, "{}", layout.paint(&line, Ink::Bold))
    }

    /// Each name centred on its column; `None` if two would touch or one leaves the line.
    fn centred(&self, names: &[String], layout: Layout) -> Option<String> {
        let mut line = String::new();
        for (lane, name) in names.iter().enumerate() {
            let start = self.column(lane).checked_sub(width(name) / 2)?;
            let blanks = start.checked_sub(width(&line))?;
            if blanks == 0 && lane > 0 {
                return None;
            }
            line.extend(std::iter::repeat_n(' ', blanks));
            line.push_str(name);
        }
        (width(&line) <= layout.width).then_some(line)
    }

    fn column(&self, lane: usize) -> usize {
        GUTTER.saturating_add(lane.saturating_mul(self.gap))
    }

    fn step(&self, step: &Step, start: Ts, layout: Layout, out: &mut impl Write) -> io::Result<()> {
        let frame = if self.several_sources {
            format!("{}:{}", step.at.frame.source, step.at.frame.number)
        } else {
            step.at.frame.number.to_string()
        };
        let millis = step.at.time.since(start).nanos() / 1_000_000;
        let sign = if millis < 0 { "-" } else { "" };
        let millis = millis.unsigned_abs();
        let time = format!("{sign}{}.{:03}", millis / 1000, millis % 1000);
        let gutter = format!("{frame:>7} {time:>10}  ");
        let line = match (self.lane(step.src), self.lane(step.dst)) {
            (Some(from), Some(to)) if from != to => {
                self.arrow(from, to, &self.label(step), step.kind)
            }
            (Some(lane), Some(_)) => {
                self.beside(lane, &format!("<-' {}", self.label(step)), layout)
            }
            _ => {
                let text = format!("{} -> {} {}", step.src, step.dst, self.label(step));
                fit(&text, layout.width.saturating_sub(GUTTER)).into_owned()
            }
        };
        let ink = match step {
            Step { kind: StepKind::Stream, .. } => Some(Ink::Cyan),
            Step { retransmission: true, .. } => Some(Ink::Dim),
            _ => None,
        };
        let line = line.trim_end();
        let line = ink.map_or_else(|| line.to_owned(), |ink| layout.paint(line, ink));
        writeln!(out, "{}{line}", layout.paint(&gutter, Ink::Dim))
    }

    fn label(&self, step: &Step) -> String {
        let mut label = step.label.clone();
        if let Some(note) = &step.note {
            label = format!("{label} ({note})");
        }
        if step.retransmission {
            label.push_str(" again");
        }
        if step.kind == StepKind::Stream && !self.by_port {
            label = format!("{label} {}>{}", step.src.port, step.dst.port);
        }
        label
    }

    /// A line with all columns, and an arrow with its label from one to another.
    fn arrow(&self, from: usize, to: usize, label: &str, kind: StepKind) -> String {
        let [left, right] = [from.min(to), from.max(to)];
        let shaft = if kind == StepKind::Stream { "=" } else { "-" };
        let length = right.saturating_sub(left).saturating_mul(self.gap).saturating_sub(1);
        let text = fit(label, length.saturating_sub(5));
        let rest = length.saturating_sub(width(&text)).saturating_sub(3);
        let half = rest / 2;
        let [before, after] =
            [half, rest.saturating_sub(half)].map(|columns| shaft.repeat(columns.max(1)));
        let arrow = if from < to {
            format!("{before} {text} {after}>")
        } else {
            format!("<{before} {text} {after}")
        };
        let mut line = String::new();
        // Columns that the arrow crosses have no mark of their own.
        for lane in (0..self.lanes.len()).filter(|lane| *lane <= left || *lane >= right) {
            line.push('|');
            if lane == left {
                line.push_str(&arrow);
            } else {
                line.extend(std::iter::repeat_n(' ', self.gap.saturating_sub(1)));
            }
        }
        line
    }

    /// A line with a note to the right of one column.
    fn beside(&self, lane: usize, note: &str, layout: Layout) -> String {
        let before = format!("{:gap$}", "|", gap = self.gap).repeat(lane);
        let room = layout.width.saturating_sub(self.column(lane).saturating_add(1));
        format!("{before}|{}", fit(note, room))
    }
}

fn same(a: Endpoint, b: Endpoint, by_port: bool) -> bool {
    a.addr == b.addr && (!by_port || a.port == b.port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::sample::endpoint;
    use crate::report::sample::{self, step};

    fn drawn(steps: Vec<Step>, columns: usize) -> String {
        let outcome = Outcome { ladder: steps, ..sample::outcome() };
        let mut out = Vec::new();
        write(&outcome, Layout { width: columns, colour: false }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn arrows_go_from_sender_to_receiver() {
        let (a, b) = (endpoint(10, 5060), endpoint(20, 5060));
        let mut invite = step(1, a, b, "INVITE");
        invite.note = Some("SDP".to_owned());
        let mut again = invite.clone();
        again.retransmission = true;
        again.at = sample::at(501);
        let media = Step {
            kind: StepKind::Stream,
            ..step(900, endpoint(20, 6000), endpoint(10, 4000), "PCMU 2,126 packets")
        };
        let text = drawn(vec![invite, again, step(700, b, a, "200 OK"), media], 80);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "begins 2026-11-22 03:06:04 UTC");
        assert_eq!(
            lines[1].split_whitespace().collect::<Vec<_>>(),
            ["192.0.2.10:5060", "192.0.2.20:5060"]
        );
        assert!(
            lines[2].starts_with("      1      0.000  |-") && lines[2].contains("- INVITE (SDP) -")
        );
        assert!(lines[2].ends_with(">|"));
        assert!(lines[3].contains("INVITE (SDP) again"));
        assert!(lines[4].contains("|<-") && lines[4].ends_with("-|"));
        assert!(lines[5].contains("= PCMU 2,126 packets 6000>4000 ="), "{text}");
    }

    #[test]
    fn many_parties_and_hostile_labels_stay_within_the_line() {
        let mut steps: Vec<Step> = (0..40)
            .map(|n| step(u64::from(n), endpoint(n, 5060), endpoint(n + 1, 5060), sample::HOSTILE))
            .collect();
        steps.push(step(50, endpoint(1, 5060), endpoint(1, 5062), "BYE"));
        for count in [2, 3, 41] {
            let text = drawn(steps.split_off(steps.len().saturating_sub(count)), 80);
            for line in text.lines() {
                assert!(width(line) <= 80, "{line}");
                assert!(!line.chars().any(crate::report::safe::is_unsafe), "{line}");
            }
        }
    }

    /// Prints what it looks like; run with `--ignored --nocapture`.
    #[test]
    #[ignore = "shows"]
    #[expect(clippy::print_stdout, reason = "for a person to look at")]
    fn looks() {
        let (a, b, c) = (endpoint(10, 5060), endpoint(20, 5060), endpoint(30, 5062));
        let stream = |at, src, dst| Step {
            kind: StepKind::Stream,
            ..step(at, src, dst, "PCMU 2,126 packets")
        };
        let mut again = step(520, a, b, "INVITE");
        again.retransmission = true;
        let steps = vec![
            Step { note: Some("SDP offer".to_owned()), ..step(1, a, b, "INVITE") },
            again,
            step(530, b, a, "100 Trying"),
            Step { note: Some("SDP offer".to_owned()), ..step(531, b, c, "INVITE") },
            step(700, c, b, "180 Ringing"),
            step(1701, b, a, sample::HOSTILE),
            stream(1900, endpoint(10, 4000), endpoint(30, 6000)),
            stream(1901, endpoint(30, 6000), endpoint(10, 4000)),
            step(44_000, a, b, "BYE"),
        ];
        println!("{}", drawn(steps.clone(), 80));
        println!("{}", drawn(steps.into_iter().take(3).collect(), 80));
    }
}
