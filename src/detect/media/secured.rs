//! Streams of calls that agreed on security: which part of a stream falls into the time for which the
//! agreement holds. Shared by the rules that compare what was agreed on with what is sent.

use super::super::seen::StreamSeen;
use super::super::text::{plural, printable, sentence};
use crate::model::time::{Span, Ts};

/// Whether a secure profile was agreed on for the stream.
pub(super) fn secured(seen: &StreamSeen<'_>) -> bool {
    let agreed = seen.agreement.is_some_and(|agreement| agreement.secure);
    agreed && seen.record.negotiated.as_deref().is_some_and(|profile| profile.contains("SAVP"))
}

/// Whether a profile is RTP that is not secure.
pub(super) fn is_plain(profile: &str) -> bool {
    profile.contains("RTP/") && !profile.contains("SAVP")
}

/// Packets later than `grace` after the call was accepted, which both sides may take to begin with
/// encryption; none if it was not.
pub(super) fn settled_packets(seen: &StreamSeen<'_>, grace: Span) -> u64 {
    let accepted = seen.agreement.and_then(|agreement| agreement.accepted);
    accepted.map_or(0, |accepted| {
        seen.record.packets.saturating_sub(packets_until(seen, accepted.plus(grace)))
    })
}

/// Packets before the call was accepted; all if it was not.
pub(super) fn early_packets(seen: &StreamSeen<'_>) -> u64 {
    let accepted = seen.agreement.and_then(|agreement| agreement.accepted);
    accepted.map_or(seen.record.packets, |accepted| packets_until(seen, accepted))
}

/// Packets until a moment, if they are spread evenly between the first and the last.
fn packets_until(seen: &StreamSeen<'_>, moment: Ts) -> u64 {
    let (first, last) = (seen.record.first, seen.record.last);
    if moment <= first {
        return 0;
    }
    if moment >= last {
        return seen.record.packets;
    }
    let micros = |span: Span| u128::try_from(span.nanos() / 1_000).unwrap_or(0);
    let share = u128::from(seen.record.packets) * micros(moment.since(first));
    u64::try_from(share / micros(last.since(first)).max(1)).unwrap_or(u64::MAX)
}

/// The stream with its profile, the test that decided and its figures.
pub(super) fn describe(seen: &StreamSeen<'_>) -> String {
    let record = seen.record;
    let figures = record.verdict.figures.iter().take(4);
    let figures: Vec<_> = figures.map(|(name, value)| sentence!("{name} {value}")).collect();
    let profile = record.negotiated.as_deref().unwrap_or("no profile");
    sentence!(
        "{} to {}, {}, {}; test {} ({}): {}",
        record.src,
        record.dst,
        printable(profile.as_bytes(), 32),
        plural(record.packets, "packet"),
        record.verdict.test,
        record.verdict.confidence.word(),
        figures.join(", "),
    )
}

/// The same, and where security was agreed on.
pub(super) fn agreed_on(seen: &StreamSeen<'_>) -> String {
    let at = seen.agreement.map(|agreement| agreement.at.frame.number);
    let agreed = at.map_or(String::new(), |frame| sentence!("; agreed on in frame {frame}"));
    describe(seen) + &agreed
}
