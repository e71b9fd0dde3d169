//! Words, figures, colours and columns that the reports for people share.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::safe::{safe, width, wrap};
use crate::model::capture::SourceRecord;
use crate::model::finding::Severity;
use crate::model::frame::FrameId;
use crate::model::time::{Span, Ts};

/// Column at which the text of labelled lines begins.
pub(super) const COLUMN: usize = 15;

/// How a report for people is laid out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns to fill.
    pub width: usize,
    /// Whether colours may be used. They repeat what a word says.
    pub colour: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self { width: 80, colour: false }
    }
}

/// A colour or weight, as SGR parameters (ECMA-48 §8.3.117).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Headings.
    Bold,
    /// What matters less.
    Dim,
    /// Bad.
    Red,
    /// The worst.
    BoldRed,
    /// Doubtful.
    Yellow,
    /// Good.
    Green,
    /// Neither.
    Cyan,
}

impl Ink {
    const fn sgr(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::BoldRed => "1;31",
            Self::Yellow => "33",
            Self::Green => "32",
            Self::Cyan => "36",
        }
    }

    /// The colour of a severity.
    pub const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::BoldRed,
            Severity::High => Self::Red,
            Severity::Medium => Self::Yellow,
            Severity::Low => Self::Cyan,
            Severity::Info => Self::Dim,
        }
    }
}

impl Layout {
    /// `text` in `ink`, if colours may be used. `text` must be safe already.
    pub fn paint(self, text: &str, ink: Ink) -> String {
        if self.colour { format!("\u{1b}[{}m{text}\u{1b}[0m", ink.sgr()) } else { text.to_owned() }
    }

    /// Prints `text` after `label`, wrapped, with the following lines under the text. The label is
    /// filled up to `column`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn item(
        self,
        out: &mut impl Write,
        (label, ink): (&str, Option<Ink>),
        column: usize,
        text: &str,
    ) -> io::Result<()> {
        let shown = match ink {
            Some(ink) => self.paint(label, ink),
            None => label.to_owned(),
        };
        if text.is_empty() {
            return writeln!(out, "{shown}");
        }
        let mut filling = column.saturating_sub(width(label));
        write!(out, "{shown}")?;
        for line in wrap(text, self.width.saturating_sub(column)) {
            writeln!(out, "{:filling$}{line}", "")?;
            filling = column;
        }
        Ok(())
    }
}

/// `1204` as `1,204`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 call`, `1,204 calls`.
pub fn count(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

/// Names with their counts: `answered 7, failed 1`. Zeroes are left out.
pub fn counts<'a, N: AsRef<str> + 'a>(pairs: impl IntoIterator<Item = (N, u64)>) -> String {
    let mut out = String::new();
    for (name, count) in pairs.into_iter().filter(|(_, count)| *count > 0) {
        let comma = if out.is_empty() { "" } else { ", " };
        let _ = write!(out, "{comma}{} {}", safe(name.as_ref()), grouped(count));
    }
    out
}

/// The largest counts, the largest first, at most `limit`, then how many names were left out.
pub fn largest<N: AsRef<str>>(pairs: impl IntoIterator<Item = (N, u64)>, limit: usize) -> String {
    let mut pairs: Vec<(N, u64)> = pairs.into_iter().collect();
    pairs.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.as_ref().cmp(b.0.as_ref())));
    let rest = pairs.len().saturating_sub(limit);
    pairs.truncate(limit);
    let mut out = counts(pairs);
    if rest > 0 {
        let _ = write!(out, ", {rest} others");
    }
    out
}

/// A length of time in its two largest units: `42.5 s`, `12 min 4 s`, `3 h 2 min`.
pub fn duration(span: Span) -> String {
    let nanos = span.nanos().max(0);
    let seconds = nanos / 1_000_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if days > 0 {
        format!("{days} d {} h", hours % 24)
    } else if hours > 0 {
        format!("{hours} h {} min", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else if nanos >= 1_000_000_000 {
        format!("{seconds}.{} s", nanos / 100_000_000 % 10)
    } else {
        format!("{} ms", nanos / 1_000_000)
    }
}

/// `1:23` or `1:02:03`, for columns.
pub fn short_duration(seconds: f64) -> String {
    let whole = Span::from_nanos(nanos(seconds)).nanos() / 1_000_000_000;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float converts to the nearest i64 or its ends"
)]
fn nanos(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}

/// The date of a moment, `2026-11-22`, and its time of day, `03:06:04`, both UTC.
pub fn moment(at: Ts) -> (String, String) {
    let text = at.to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    let (time, _) = time.split_once('.').unwrap_or((time, ""));
    (date.to_owned(), time.to_owned())
}

/// The folder that all sources are in, with the separator behind it; nothing for one source alone.
/// The report names it once, and each file without it.
pub fn folder(sources: &[SourceRecord]) -> &str {
    let [first, rest @ ..] = sources else { return "" };
    let shared = |path: &str| {
        let same = |((_, one), other): &((usize, char), char)| one == other;
        let pairs = first.path.char_indices().zip(path.chars()).take_while(same);
        let ends = pairs.filter(|((_, one), _)| std::path::is_separator(*one));
        ends.last().map_or(0, |((at, one), _)| at + one.len_utf8())
    };
    let len = rest.iter().map(|source| shared(&source.path)).min().unwrap_or(0);
    first.path.get(..len).unwrap_or_default()
}

/// Frames as a person finds them again: as a Wireshark display filter, with the file's name if
/// there is more than one.
pub fn frames(frames: &[FrameId], sources: &[SourceRecord]) -> String {
    let mut out = String::new();
    for group in frames.chunk_by(|a, b| a.source == b.source) {
        let numbers: Vec<String> = group.iter().map(|frame| frame.number.to_string()).collect();
        if !out.is_empty() {
            out.push_str("; ");
        }
        if let [one] = numbers.as_slice() {
            let _ = write!(out, "frame.number == {one}");
        } else {
            let _ = write!(out, "frame.number in {{{}}}", numbers.join(", "));
        }
        let source = group.first().and_then(|first| sources.get(usize::from(first.source)));
        if let Some(source) = source.filter(|_| sources.len() > 1) {
            let name = source.path.strip_prefix(folder(sources)).unwrap_or(&source.path);
            let _ = write!(out, " in {}", safe(name));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(count(1, "call"), "1 call");
        assert_eq!(count(1204, "call"), "1,204 calls");
        assert_eq!(counts([("a", 1), ("b", 0), ("c", 2000)]), "a 1, c 2,000");
        assert_eq!(largest([("a", 1), ("b", 3), ("c", 2)], 2), "b 3, c 2, 1 others");
    }

    #[test]
    fn durations_use_two_units() {
        for (millis, text) in [
            (-5, "0 ms"),
            (12, "12 ms"),
            (42_567, "42.5 s"),
            (724_000, "12 min 4 s"),
            (10_920_000, "3 h 2 min"),
            (200_000_000, "2 d 7 h"),
        ] {
            assert_eq!(duration(Span::from_millis(millis)), text);
        }
        assert_eq!(short_duration(83.9), "1:23");
        assert_eq!(short_duration(3723.0), "1:02:03");
        assert_eq!(short_duration(f64::NAN), "0:00");
    }

    #[test]
    fn frames_become_a_display_filter() {
        let frame = |source, number| FrameId { source, number };
        assert_eq!(frames(&[frame(0, 4)], &[]), "frame.number == 4");
        assert_eq!(frames(&[frame(0, 4), frame(0, 9)], &[]), "frame.number in {4, 9}");
    }

    #[test]
    fn files_of_one_folder_are_named_without_it() {
        let sources = |paths: &[&str]| -> Vec<SourceRecord> {
            let source = |path: &&str| SourceRecord { path: (*path).into(), ..sample::source() };
            paths.iter().map(source).collect()
        };
        let both = sources(&["/taps/a/x.pcap", "/taps/ab/é.pcap"]);
        let frame = |source, number| FrameId { source, number };
        assert_eq!(folder(&both), "/taps/");
        assert_eq!(
            frames(&[frame(0, 4), frame(1, 9)], &both),
            "frame.number == 4 in a/x.pcap; frame.number == 9 in ab/é.pcap"
        );
        assert_eq!(folder(&sources(&["é/x", "è/x"])), "");
        assert_eq!(folder(&sources(&["taps/x.pcap"])), "");
        assert_eq!(folder(&sources(&["/x.pcap", "-"])), "");
    }
}
