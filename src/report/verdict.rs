//! The answer to "who can listen?", with the lines that support it. The first thing a person reads.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::outcome::Outcome;
use super::text::{COLUMN, Ink, Layout, count, duration, frames, grouped};
use crate::correlate::exposure::Exposure;
use crate::correlate::tally::{Streams, Tally};
use crate::model::id::RecordId;
use crate::model::record::Protection;
use crate::model::time::Span;

/// What the calls' media amounts to: the one thing that is not known before they are joined.
#[derive(Debug, Default)]
pub(super) struct Exposures {
    /// Calls by exposure.
    pub(super) calls: BTreeMap<Exposure, u64>,
    /// A call worth a closer look: the first that can be listened to, else the first.
    pub(super) example: Option<RecordId>,
}

impl Exposures {
    /// Reads every call once.
    pub(super) fn of(outcome: &mut Outcome) -> io::Result<Self> {
        let mut exposures = Self::default();
        let mut exposed = false;
        outcome.archive.calls(|row| {
            let calls = exposures.calls.entry(row.exposure).or_default();
            *calls = calls.saturating_add(1);
            let readable = matches!(row.exposure, Exposure::Clear | Exposure::KeyExposed);
            if exposures.example.is_none() || (readable && !exposed) {
                exposures.example = Some(row.record.id);
                exposed = readable;
            }
            Ok(())
        })?;
        Ok(exposures)
    }

    fn get(&self, exposure: Exposure) -> u64 {
        self.calls.get(&exposure).copied().unwrap_or(0)
    }
}

/// The mark before a line of the verdict.
#[derive(Copy, Clone)]
enum Mark {
    Fail,
    Warn,
    Pass,
    Unseen,
}

impl Mark {
    const fn word(self) -> (&'static str, Ink) {
        match self {
            Self::Fail => ("[FAIL]", Ink::Red),
            Self::Warn => ("[WARN]", Ink::Yellow),
            Self::Pass => ("[PASS]", Ink::Green),
            Self::Unseen => ("[ -- ]", Ink::Dim),
        }
    }
}

/// Prints the verdict and the lines that support it.
pub(super) fn write(
    outcome: &Outcome,
    exposures: &Exposures,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    let (sentence, ink) = sentence(outcome.archive.tally(), exposures);
    writeln!(out)?;
    layout.item(out, ("VERDICT", Some(ink)), COLUMN, &sentence)?;
    if outcome.incomplete() {
        let text = "The evidence is incomplete (see MISSING): what is not shown here may still \
                    have happened.";
        layout.item(out, ("", None), COLUMN, text)?;
    }
    for (mark, topic, text) in [media(outcome), keys(outcome), signalling(outcome)] {
        let (word, ink) = mark.word();
        write!(out, "  {} ", layout.paint(word, ink))?;
        // The mark and its blanks take nine columns.
        let rest = Layout { width: layout.width.saturating_sub(9), ..layout };
        let mut lines = Vec::new();
        rest.item(&mut lines, (topic, None), 12, &text)?;
        let text = String::from_utf8_lossy(&lines);
        for (number, line) in text.lines().enumerate() {
            let indent = if number == 0 { 0 } else { 9 };
            writeln!(out, "{:indent$}{line}", "")?;
        }
    }
    Ok(())
}

/// The answer in one sentence: who can listen to what.
fn sentence(tally: &Tally, exposures: &Exposures) -> (String, Ink) {
    let calls: u64 = exposures.calls.values().sum();
    let (clear, key) = (exposures.get(Exposure::Clear), exposures.get(Exposure::KeyExposed));
    let readable = [Protection::Cleartext, Protection::AuthenticatedOnly];
    let loose = readable.iter().filter_map(|kind| tally.streams.get(kind));
    let loose: u64 = loose.map(|kind| kind.unbound).sum();
    if clear > 0 || key > 0 {
        let text = format!(
            "{} of {} can be listened to by anyone on the path.",
            grouped(clear.saturating_add(key)),
            count(calls, "call")
        );
        return (text, Ink::BoldRed);
    }
    if loose > 0 {
        let text = format!(
            "{} outside any call seen can be listened to by anyone on the path.",
            count(loose, "stream")
        );
        return (text, Ink::BoldRed);
    }
    let (protected, unknown) =
        (exposures.get(Exposure::Protected), exposures.get(Exposure::Unknown));
    let held = exposures.get(Exposure::TlsKeyHolder);
    if held > 0 {
        let text = format!(
            "{} of {} can be listened to by who holds the TLS keys of the signalling.",
            grouped(held),
            count(calls, "call")
        );
        return (text, Ink::Yellow);
    }
    let encrypted = [Protection::EncryptedLike, Protection::SrtpProven];
    let alike = tally.streams.keys().all(|kind| encrypted.contains(kind));
    if unknown == 0 && protected == 0 && alike && !tally.streams.is_empty() {
        let alone: u64 = tally.streams.values().map(|kind| kind.unbound).sum();
        let text = format!(
            "No media was found readable: {} outside any call seen, encrypted by {} looks.",
            count(alone, "stream"),
            if alone == 1 { "its" } else { "their" }
        );
        return (text, Ink::Yellow);
    }
    if unknown > 0 || (protected == 0 && !tally.streams.is_empty()) {
        let text = "No media was found readable, but not all of it could be judged.";
        return (text.to_owned(), Ink::Yellow);
    }
    if protected > 0 {
        let text = format!(
            "No media was found readable: {} of {} had media, all of it encrypted by its looks.",
            grouped(protected),
            count(calls, "call")
        );
        return (text, Ink::Green);
    }
    ("No media was seen: nothing to listen to, and no proof of protection.".to_owned(), Ink::Bold)
}

fn media(outcome: &Outcome) -> (Mark, &'static str, String) {
    const TOPIC: &str = "Media";
    let tally = outcome.archive.tally();
    let none = Streams::default();
    let of = |protection| tally.streams.get(&protection).unwrap_or(&none);
    let all: u64 = tally.streams.values().map(|kind| kind.streams).sum();
    let clear = of(Protection::Cleartext);
    if all == 0 {
        return (Mark::Unseen, TOPIC, "no RTP stream observed".to_owned());
    }
    if clear.streams > 0 {
        let length = Span::from_nanos(i64::try_from(clear.nanos).unwrap_or(i64::MAX));
        let length = match clear.nanos {
            0 => String::new(),
            _ => format!(", {} in all", duration(length)),
        };
        let text = format!(
            "{} of {} readable as sent{length}; first: {}",
            grouped(clear.streams),
            count(all, "stream"),
            frames(clear.at.frames(), &outcome.capture.sources)
        );
        return (Mark::Fail, TOPIC, text);
    }
    if tally.partly > 0 {
        let text = format!(
            "{} of {} readable for a part of the time; first: {}",
            grouped(tally.partly),
            count(all, "stream"),
            frames(tally.partly_at.frames(), &outcome.capture.sources)
        );
        return (Mark::Fail, TOPIC, text);
    }
    let open = of(Protection::AuthenticatedOnly);
    if open.streams > 0 {
        let at = frames(open.at.frames(), &outcome.capture.sources);
        let text =
            format!("{} authenticated but not encrypted: {at}", count(open.streams, "stream"));
        return (Mark::Fail, TOPIC, text);
    }
    let unknown = of(Protection::Unknown).streams;
    if unknown > 0 {
        let text = format!("{} of {} could not be judged", grouped(unknown), count(all, "stream"));
        return (Mark::Warn, TOPIC, text);
    }
    let proven = of(Protection::SrtpProven).streams;
    let verb = if all == 1 { "looks" } else { "look" };
    let known = match proven {
        0 => "not".to_owned(),
        some => format!("{} of them", grouped(some)),
    };
    let text = format!("{} {verb} encrypted, {known} proven to be SRTP", count(all, "stream"));
    (Mark::Pass, TOPIC, text)
}

fn keys(outcome: &Outcome) -> (Mark, &'static str, String) {
    const TOPIC: &str = "Media keys";
    let tally = outcome.archive.tally();
    if tally.key_exposed > 0 {
        let at = frames(tally.key_exposed_at.frames(), &outcome.capture.sources);
        let text = format!(
            "{} sent an SRTP key in readable signalling; from: {at}",
            count(tally.key_exposed, "call")
        );
        return (Mark::Fail, TOPIC, text);
    }
    let text = if outcome.counts.sip_messages > 0 {
        "no SRTP key observed in readable signalling"
    } else {
        "not observed: no readable signalling"
    };
    (Mark::Unseen, TOPIC, text.to_owned())
}

fn signalling(outcome: &Outcome) -> (Mark, &'static str, String) {
    const TOPIC: &str = "Signalling";
    let (counts, tally) = (&outcome.counts, outcome.archive.tally());
    let calls = match outcome.archive.call_count() {
        0 => String::new(),
        all => format!(", in {} of {}", grouped(tally.signalling_clear), count(all, "call")),
    };
    let clear = counts.sip_messages.saturating_sub(counts.sip_decrypted);
    if clear > 0 {
        let messages = count(clear, "SIP message");
        return (Mark::Fail, TOPIC, format!("{messages} readable on the wire{calls}"));
    }
    let handshakes = counts.tls_handshakes;
    let text = if counts.sip_decrypted > 0 {
        let opened = count(counts.sip_decrypted, "SIP message");
        format!("no SIP in clear; {opened} opened with keys that were given")
    } else if handshakes > 0 {
        format!("no readable SIP; {} seen, not read", count(handshakes, "TLS handshake"))
    } else {
        "not observed".to_owned()
    };
    (Mark::Unseen, TOPIC, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(streams: &[(Protection, u64)], calls: &[(Exposure, u64)]) -> (String, Ink) {
        let kind = |(protection, unbound): &(Protection, u64)| {
            (*protection, Streams { streams: 1, unbound: *unbound, ..Streams::default() })
        };
        let tally = Tally { streams: streams.iter().map(kind).collect(), ..Tally::default() };
        let calls = calls.iter().copied().collect();
        sentence(&tally, &Exposures { calls, example: None })
    }

    #[test]
    fn what_was_not_seen_is_never_called_fine() {
        use Exposure::{Clear, KeyExposed, NoMedia, Protected};
        use Protection::{Cleartext, EncryptedLike};
        let encrypted = (EncryptedLike, 0);
        for (streams, calls, start, ink) in [
            (&[][..], &[][..], "No media was seen", Ink::Bold),
            (&[], &[(NoMedia, 3)], "No media was seen", Ink::Bold),
            (&[(Cleartext, 2)], &[], "2 streams outside any call", Ink::BoldRed),
            (&[encrypted], &[(Clear, 1), (KeyExposed, 1)], "2 of 2 calls", Ink::BoldRed),
            (&[encrypted], &[(Protected, 1)], "No media was found readable: 1 of 1", Ink::Green),
            (
                &[encrypted],
                &[(Exposure::Unknown, 1)],
                "No media was found readable, but",
                Ink::Yellow,
            ),
            (&[(EncryptedLike, 1)], &[], "No media was found readable: 1 stream out", Ink::Yellow),
            (&[(Protection::Unknown, 1)], &[], "No media was found readable, but", Ink::Yellow),
        ] {
            let (text, colour) = said(streams, calls);
            assert!(text.starts_with(start), "{text}");
            assert_eq!(colour, ink, "{text}");
        }
    }
}
