//! The report for a person at a terminal: what can be listened to first, then findings, then
//! figures, then what is missing. 80 columns are enough, and colour only repeats what words say.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::outcome::Outcome;
use super::safe::safe;
use super::text::{COLUMN, Ink, Layout, count, counts, duration, folder, grouped, largest, moment};
use super::verdict::Exposures;
use super::{findings, grades, verdict};
use crate::model::capture::CaptureRecord;
use crate::model::revealed::Revealed;
use crate::model::time::Ts;

/// Prints the report.
///
/// # Errors
/// Those of `out`.
pub fn write(outcome: &mut Outcome, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let exposures = Exposures::of(outcome)?;
    outcome.book_archive();
    heading(&outcome.capture, layout, out)?;
    verdict::write(outcome, &exposures, layout, out)?;
    findings::write(outcome, layout, out)?;
    secrets(&outcome.secrets, layout, out)?;
    records(outcome, &exposures, layout, out)?;
    packets(&outcome.capture, layout, out)?;
    missing(outcome, layout, out)?;
    next(outcome, &exposures, layout, out)
}

fn heading(capture: &CaptureRecord, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let paths = match capture.sources.as_slice() {
        [one] => safe(&one.path).into_owned(),
        [first, rest @ ..] => {
            let folder = folder(&capture.sources);
            let name = first.path.strip_prefix(folder).unwrap_or(&first.path);
            let place = if folder.is_empty() { String::new() } else { format!(" in {folder}") };
            format!("{} and {} more{}", safe(name), grouped(rest.len() as u64), safe(&place))
        }
        [] => "no input".to_owned(),
    };
    let title = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    layout.item(out, (title, Some(Ink::Bold)), COLUMN, &paths)?;
    let mut line = count(capture.packets, "packet");
    if let (Some(first), Some(last)) = (capture.first_packet, capture.last_packet) {
        line = format!("{line}, {}, {}", period(first, last), duration(last.since(first)));
    }
    layout.item(out, ("", None), COLUMN, &line)
}

fn period(first: Ts, last: Ts) -> String {
    let ((date, from), (last_date, to)) = (moment(first), moment(last));
    if date == last_date {
        format!("{date} {from} to {to} UTC")
    } else {
        format!("{date} {from} to {last_date} {to} UTC")
    }
}

fn records(
    outcome: &Outcome,
    exposures: &Exposures,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    let (tally, archive) = (outcome.archive.tally(), &outcome.archive);
    writeln!(out)?;
    let mut line = |label: &str, text: &str| match text {
        "" => Ok(()),
        text => layout.item(out, (label, Some(Ink::Bold)), COLUMN, text),
    };
    let calls = archive.call_count();
    let failures = tally.failures.iter().map(|(status, count)| (status.to_string(), *count));
    line("CALLS", &totalled(calls, &states(&tally.call_states)))?;
    line("", &prefixed("failed with: ", &largest(failures, 6)))?;
    let exposed = exposures.calls.iter().map(|(exposure, count)| (exposure.word(), *count));
    line("", &prefixed("media: ", &counts(exposed)))?;
    let streams = tally.streams.iter().map(|(kind, streams)| (kind.word(), streams.streams));
    line("STREAMS", &totalled(archive.stream_count(), &counts(streams)))?;
    let unbound: u64 = tally.streams.values().map(|kind| kind.unbound).sum();
    line("", &prefixed("outside any call: ", &some(unbound)))?;
    let unnamed = || "unknown codec".to_owned();
    let codecs = tally.codecs.iter();
    let codecs = codecs.map(|(name, count)| (name.clone().unwrap_or_else(unnamed), *count));
    line("", &largest(codecs, 6))?;
    if tally.expected > 0 {
        let share = permille(tally.lost, tally.expected);
        line(
            "",
            &format!(
                "packets lost: {} of {} ({share})",
                grouped(tally.lost),
                grouped(tally.expected)
            ),
        )?;
    }
    let registrations: u64 = tally.registration_states.values().sum();
    if registrations > 0 {
        let states = states(&tally.registration_states);
        line("REGISTRATIONS", &totalled(registrations, &states))?;
    }
    line("HANDSHAKES", &counts([("TLS", tally.tls), ("DTLS", tally.dtls)]))?;
    grades::write(outcome.tls.pairs(), layout, out)
}

fn states(states: &BTreeMap<&'static str, u64>) -> String {
    counts(states.iter().map(|(word, count)| (*word, *count)))
}

fn totalled(total: u64, parts: &str) -> String {
    if total == 0 { "none".to_owned() } else { format!("{}: {parts}", grouped(total)) }
}

fn prefixed(prefix: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{prefix}{text}") }
}

fn some(count: u64) -> String {
    if count == 0 { String::new() } else { grouped(count) }
}

/// A share with two digits after the point, in percent; never rounded to nothing.
fn permille(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part).saturating_mul(10_000) / u128::from(whole.max(1));
    if hundredths == 0 && part > 0 {
        return "under 0.01 %".to_owned();
    }
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

fn packets(capture: &CaptureRecord, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let accounting = &capture.accounting;
    let sum = |map: &BTreeMap<&'static str, u64>| map.values().sum::<u64>();
    let (handled, skipped) = (sum(&accounting.handled), sum(&accounting.skipped));
    writeln!(out)?;
    let text = format!(
        "{} = {} handled + {} skipped",
        grouped(capture.packets),
        grouped(handled),
        grouped(skipped)
    );
    layout.item(out, ("PACKETS", Some(Ink::Bold)), COLUMN, &text)?;
    for (label, map) in [("  handled", &accounting.handled), ("  skipped", &accounting.skipped)] {
        if !map.is_empty() {
            layout.item(out, (label, None), COLUMN, &states(map))?;
        }
    }
    let sum = accounting.total();
    if sum != capture.packets {
        let text = format!(
            "{} of {} packets are accounted for: a fault of this program, please report it",
            grouped(sum),
            grouped(capture.packets)
        );
        layout.item(out, ("  ! sum", Some(Ink::BoldRed)), COLUMN, &text)?;
    }
    Ok(())
}

/// What stands behind the labels of the findings, if somebody asked for it.
fn secrets(secrets: &[Revealed], layout: Layout, out: &mut impl Write) -> io::Result<()> {
    if secrets.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    layout.item(out, ("SECRETS", Some(Ink::Bold)), COLUMN, "as --reveal-secrets asked")?;
    for Revealed { label, kind, encoding, value, .. } in secrets {
        let value = format!("{}, {encoding}: {}", kind.word(), safe(value));
        layout.item(out, (&format!("  {label}"), None), COLUMN, &value)?;
    }
    Ok(())
}

fn missing(outcome: &Outcome, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let capture = &outcome.capture;
    // Faults and cuts of the sources stand among the limits already.
    let (mut lines, mut odd) = (Vec::new(), Vec::new());
    for source in &capture.sources {
        let path = safe(match capture.sources.as_slice() {
            [_] => "the capture",
            _ => &source.path,
        });
        let oddities = source.oddities.iter().map(|(name, count)| (name, *count));
        odd.extend(some_text(&format!("{path}: "), &counts(oddities)));
    }
    lines.extend(some_text("lost before capture: ", &states(&capture.dropped)));
    lines.extend(some_text("evicted for lack of room: ", &states(&capture.evicted)));
    lines.extend(outcome.limits.iter().cloned());
    for (label, lines) in [("MISSING", lines), ("FILE ODDITIES", odd)] {
        for (number, line) in lines.iter().enumerate() {
            if number == 0 {
                writeln!(out)?;
            }
            let label = if number == 0 { label } else { "" };
            layout.item(out, (label, Some(Ink::Bold)), COLUMN, line)?;
        }
    }
    Ok(())
}

fn some_text(prefix: &str, text: &str) -> Option<String> {
    (!text.is_empty()).then(|| format!("{prefix}{text}"))
}

/// The commands that lead on from here.
fn next(
    outcome: &Outcome,
    exposures: &Exposures,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    let longest = layout.width.saturating_sub(COMMAND);
    let named = |path: &str| {
        if plain_path(path, longest) { path.to_owned() } else { "FILE".to_owned() }
    };
    let mut commands = Vec::new();
    let file = match outcome.capture.sources.as_slice() {
        // Interfaces and pipes cannot be read again; what -w wrote can.
        [one] if matches!(one.via.as_str(), "live" | "stdin") => {
            outcome.recording.as_deref().map(named)
        }
        [one] => Some(named(&one.path)),
        _ => Some("FILE".to_owned()),
    };
    if let Some((file, id)) = file.as_deref().zip(exposures.example) {
        commands.push((format!("overhear calls {file}"), "every call on a line"));
        commands.push((format!("overhear ladder {file} --call {id}"), "one call as arrows"));
    }
    let worst = outcome.findings.iter().max_by_key(|finding| finding.severity);
    if let Some(finding) = worst {
        commands.push((format!("overhear explain {}", finding.rule), "why, and what to do"));
    }
    if let Some(file) = file {
        commands.push((format!("overhear {file} --json report.json"), "everything, for programs"));
    } else if let [live] = outcome.capture.sources.as_slice()
        && live.via == "live"
        && plain_path(&live.path, longest)
    {
        let interfaces = live.path.replace(',', " -i ");
        let command = format!("overhear live -i {interfaces} -w tap.pcapng");
        commands.push((command, "a file to look into"));
    }
    if commands.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let column = commands.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (number, (command, what)) in commands.iter().enumerate() {
        let label = if number == 0 { layout.paint("NEXT", Ink::Bold) } else { "    ".to_owned() };
        let fits = column.saturating_add(what.len()).saturating_add(8) <= layout.width;
        let what = if fits { layout.paint(what, Ink::Dim) } else { String::new() };
        let line = format!("{label}  {command:column$}  {what}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Columns of the longest command without its path.
const COMMAND: usize = 45;

/// A path that a shell takes as it is, short enough to repeat in a command.
fn plain_path(path: &str, longest: usize) -> bool {
    path.len() <= longest
        && !path.starts_with('-')
        && path.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"._-/+,@".contains(&octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::safe::{is_unsafe, width};
    use crate::report::{calls, sample};

    fn printed(width: usize, colour: bool) -> String {
        of(&mut sample::outcome(), Layout { width, colour })
    }

    fn of(outcome: &mut Outcome, layout: Layout) -> String {
        let mut out = Vec::new();
        write(outcome, layout, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn paths_of_any_length_fit() {
        for length in 1..120 {
            let mut outcome = sample::outcome();
            outcome.capture.sources[0].path = "p".repeat(length);
            for line in of(&mut outcome, Layout::default()).lines() {
                assert!(width(line) <= 80, "{line}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_again_is_not_named() {
        let mut outcome = sample::outcome();
        let [source] = &mut outcome.capture.sources[..] else { panic!() };
        (source.path, source.via) = ("eth0,eth1".to_owned(), "live".to_owned());
        let next = |outcome: &mut Outcome| {
            let text = of(outcome, Layout::default());
            text.split_once("\nNEXT  ").map(|(_, next)| next.to_owned()).unwrap_or_default()
        };
        let live = next(&mut outcome);
        assert!(live.starts_with("overhear explain MEDIA-CLEARTEXT-RTP "), "{live}");
        assert!(live.contains("overhear live -i eth0 -i eth1 -w tap.pcapng "), "{live}");
        assert!(!live.contains("FILE") && !live.contains("ladder"), "{live}");
        outcome.recording = Some("tap.pcapng".to_owned());
        let kept = next(&mut outcome);
        assert!(kept.starts_with("overhear calls tap.pcapng "), "{kept}");
        assert!(kept.contains("overhear tap.pcapng --json report.json") && !kept.contains("live"));
        outcome.recording = None;
        outcome.capture.sources[0].via = "stdin".to_owned();
        assert_eq!(next(&mut outcome).lines().count(), 1);
        outcome.findings.clear();
        assert_eq!(next(&mut outcome), "");
    }

    #[test]
    fn every_line_fits_and_nothing_unsafe_is_printed() {
        for columns in [80, 100, 200] {
            let layout = Layout { width: columns, colour: false };
            let mut list = Vec::new();
            calls::write(&mut sample::outcome(), layout, &mut list).unwrap();
            let text = printed(columns, false) + &String::from_utf8(list).unwrap();
            for line in text.lines() {
                assert!(width(line) <= columns, "{line}");
                assert!(!line.chars().any(is_unsafe), "{line}");
                assert_eq!(line, line.trim_end(), "blanks at the end");
            }
        }
    }

    #[test]
    fn the_verdict_comes_first_and_names_frames() {
        let text = printed(80, false);
        let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} in\n{text}"));
        assert!(place("1 of 3 calls can be listened to") < place("FINDINGS"));
        assert!(text.contains("frame.number in {21, 22}"), "{text}");
        assert!(place("CRITICAL MEDIA-CLEARTEXT-RTP") < place("INFO     SENSOR-TRUNCATED"));
        assert!(place("6,420 = 6,412 handled + 8 skipped") < place("\nMISSING"));
        assert!(text.contains("incomplete"));
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let mut plain = printed(80, true);
        for ink in ["1", "2", "31", "1;31", "33", "32", "36", "0"] {
            plain = plain.replace(&format!("\u{1b}[{ink}m"), "");
        }
        assert_eq!(plain, printed(80, false));
    }

    /// Prints what it looks like; run with `--ignored --nocapture`.
    #[test]
    #[ignore = "shows"]
    #[expect(clippy::print_stdout, reason = "for a person to look at")]
    fn looks() {
        println!("{}", printed(80, false));
        let mut list = Vec::new();
        let layout = Layout { width: 80, colour: false };
        calls::write(&mut sample::outcome(), layout, &mut list).unwrap();
        println!("{}", String::from_utf8(list).unwrap());
    }
}
