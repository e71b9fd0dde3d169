//! One line per call, and a sentence on who can listen to it: `overhear calls`.
//!
//! ```text
//! ID       START    CALLER -> CALLEE       STATE       TALK    EXPOSURE    STR FND
//! c0f31a6b 03:06:04 alice -> bob           answered    1:23    clear         2   3
//!          Anyone on the path can listen: 2 of 2 streams are sent without encryption.
//! ```
//!
//! The id is cut to the shortest prefix that names each call of the capture, and is enough for
//! `--call`.

use std::io::{self, Write};

use super::outcome::Outcome;
use super::safe::{fit, pad, width};
use super::text::{Ink, Layout, moment, short_duration};
use crate::correlate::archive::CallRow;
use crate::correlate::exposure::Exposure;
use crate::model::id::RecordId;
use crate::model::record::{CallRecord, CallState, Party};

/// Digits of an id printed at least.
const SHORTEST: usize = 8;

/// Widths of the columns behind the parties, blanks before them included.
const TAIL: usize = 1 + 11 + 1 + 7 + 1 + 11 + 1 + 3 + 1 + 3;

/// Prints a line and a sentence per call.
///
/// # Errors
/// Those of `out`.
pub fn write(outcome: &mut Outcome, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let mut ids: Vec<RecordId> = Vec::new();
    outcome.archive.calls(|row| {
        ids.push(row.record.id);
        Ok(())
    })?;
    if ids.is_empty() {
        return writeln!(out, "no call in this capture");
    }
    let short = prefix(&ids);
    let parties = layout.width.saturating_sub(short + 1 + 8 + 1 + TAIL).clamp(16, 60);
    let head = format!(
        "{:short$} {:8} {:parties$} {:11} {:7} {:11} {:3} {:3}",
        "ID", "START", "CALLER -> CALLEE", "STATE", "TALK", "EXPOSURE", "STR", "FND"
    );
    writeln!(out, "{}", layout.paint(&head, Ink::Bold))?;
    let mut today = String::new();
    outcome.archive.calls(|row| {
        let (date, time) = moment(row.record.start);
        if date != today {
            writeln!(out, "{}", layout.paint(&format!("{date} UTC"), Ink::Dim))?;
            today = date;
        }
        line(&row, (short, parties), &time, layout, out)?;
        layout.item(out, ("", None), short + 1, &row.exposure.sentence(row.streams))
    })
}

fn line(
    row: &CallRow<'_>,
    (short, parties): (usize, usize),
    time: &str,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    let record = &row.record;
    let id: String = record.id.to_string().chars().take(short).collect();
    let talk = record.talk_s.map_or_else(|| "-".to_owned(), short_duration);
    let exposure = format!("{:11}", row.exposure.word());
    writeln!(
        out,
        "{id} {time:8} {} {:11} {talk:>7} {} {:>3} {:>3}",
        between([&record.caller, &record.callee], parties),
        state(row),
        layout.paint(&exposure, ink(row.exposure)),
        row.streams.len(),
        row.findings.len()
    )
}

fn ink(exposure: Exposure) -> Ink {
    match exposure {
        Exposure::Clear | Exposure::KeyExposed => Ink::Red,
        Exposure::Protected => Ink::Green,
        Exposure::TlsKeyHolder | Exposure::Unknown => Ink::Yellow,
        Exposure::NoMedia => Ink::Dim,
    }
}

/// The state, with the status that failed a call.
fn state(row: &CallRow<'_>) -> String {
    match (row.record.state, row.record.final_status) {
        (CallState::Failed, Some(status)) => format!("failed {status}"),
        (state, _) => state.word().to_owned(),
    }
}

/// `caller -> callee` in exactly `columns`; what one leaves free the other may use.
fn between(parties: [&Party<'_>; 2], columns: usize) -> String {
    let [from, to] = parties.map(name);
    let room = columns.saturating_sub(4);
    let half = room / 2;
    let wanted = |text: &str| width(&fit(text, columns));
    let left = wanted(from).min(half.max(room.saturating_sub(wanted(to))));
    let text = format!("{} -> ", fit(from, left));
    let rest = columns.saturating_sub(width(&text));
    format!("{text}{}", pad(to, rest))
}

/// Who calls whom, in so many columns.
pub(super) fn parties(call: &CallRecord<'_>, columns: usize) -> String {
    between([&call.caller, &call.callee], columns)
}

/// What names a party in few columns: user, else URI, else host.
fn name<'a>(party: &'a Party<'_>) -> &'a str {
    [&party.user, &party.uri, &party.host, &party.display]
        .into_iter()
        .flatten()
        .map(AsRef::as_ref)
        .find(|text| !text.is_empty())
        .unwrap_or("?")
}

/// The length of the shortest prefix, in characters, that tells all ids apart.
fn prefix(ids: &[RecordId]) -> usize {
    let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.sort_unstable();
    ids.dedup();
    let common = |pair: &[String]| match pair {
        [a, b] => a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    ids.windows(2).map(common).max().map_or(0, |longest| longest + 1).max(SHORTEST)
}
