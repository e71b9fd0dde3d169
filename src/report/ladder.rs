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
        let room = layout.width.saturating_sub(GUTTER + 2);
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
        let mut names = names.as_slice();
        let letters: Vec<String> =
            ('A'..='Z').take(names.len()).map(|letter| letter.to_string()).collect();
        // A name is centred on its column; the outermost must not leave the line.
        let longest = names.iter().map(|name| width(name)).max().unwrap_or(0);
        if longest + 2 > self.gap || longest > GUTTER {
            for (letter, name) in letters.iter().zip(names) {
                writeln!(out, "{}", layout.paint(&format!("  {letter} = {name}"), Ink::Bold))?;
            }
            names = letters.as_slice();
        }
        let last = self.column(names.len().saturating_sub(1));
        let mut line = String::new();
        for (lane, name) in names.iter().enumerate() {
            let wide = width(name);
            let centred = self.column(lane).saturating_sub(wide / 2);
            let latest = layout.width.max(last + 1).saturating_sub(wide);
            let start = centred.min(latest);
            line.extend(std::iter::repeat_n(' ', start.saturating_sub(width(&line))));
            line.push_str(name);
        }
        writeln!(out, "{}", layout.paint(&line, Ink::Bold))
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
            (Some(from), Some(to)) if from != to => self.arrow(from, to, &self.label(step), step.kind),
            (Some(lane), Some(_)) => self.beside(lane, &format!("<-' {}", self.label(step)), layout),
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
        let (left, right) = (from.min(to), from.max(to));
        let shaft = if kind == StepKind::Stream { "=" } else { "-" };
        let length = right.saturating_sub(left).saturating_mul(self.gap).saturating_sub(1);
        let text = fit(label, length.saturating_sub(5));
        let rest = length.saturating_sub(width(&text)).saturating_sub(3);
        let (before, after) = (rest / 2, rest.saturating_sub(rest / 2));
        let (tail, head) = (shaft.repeat(before.max(1)), shaft.repeat(after.max(1)));
        let arrow = if from < to {
            format!("{tail} {text} {head}>")
        } else {
            format!("<{tail} {text} {head}")
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
        let mut line = String::new();
        for _ in 0..lane {
            line.push('|');
            line.extend(std::iter::repeat_n(' ', self.gap.saturating_sub(1)));
        }
        let room = layout.width.saturating_sub(self.column(lane).saturating_add(1));
        format!("{line}|{}", fit(note, room))
    }
}

fn same(a: Endpoint, b: Endpoint, by_port: bool) -> bool {
    a.addr == b.addr && (!by_port || a.port == b.port)
}
