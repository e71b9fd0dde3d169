//! How the rules about streams put what they saw: the pair of hosts, the first and the last packet.

use super::super::rule::Meta;
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Hit, Sighting, Sink, Subject};
use super::super::text::{at_least, plural, sentence, spoken_length};
use crate::correlate::company::Companion;
use crate::model::finding::{Confidence, Severity};
use crate::model::time::Span;

/// A sighting of one stream, at the rule's lowest severity unless told otherwise.
pub(super) fn stream<'s>(
    meta: &'static Meta,
    seen: &StreamSeen<'_>,
    (severity, confidence): (Severity, Confidence),
    sink: &'s mut Sink,
    what: impl FnOnce() -> String,
) -> Hit<'s> {
    let record = seen.record;
    let sighting =
        Sighting::new(meta, Subject::pair(record.src.addr, record.dst.addr), seen.first())
            .severity(severity)
            .confidence(confidence)
            .kind(u32::from(record.src.addr <= record.dst.addr));
    sink.sighting(sighting, |_| (what(), None)).until(seen.last()).stream(seen.key).call(seen.call)
}

/// `RTP 192.0.2.1:4000 to 192.0.2.2:4002, SSRC 0x00000007, 50 packets in 1 second`.
pub(super) fn described(seen: &StreamSeen<'_>) -> String {
    let record = seen.record;
    spoken((record.src, record.dst), record.ssrc, record.packets, record.last.since(record.first))
}

/// The same of a stream that ended before.
pub(super) fn companion(other: &Companion) -> String {
    let lived = other.last.time.since(other.first.time);
    spoken((other.src, other.dst), other.ssrc, u64::from(other.packets), lived)
}

fn spoken<E: std::fmt::Display>(
    (src, dst): (E, E),
    ssrc: u32,
    packets: u64,
    lived: Span,
) -> String {
    sentence!(
        "RTP {src} to {dst}, SSRC 0x{ssrc:08x}, {} in {}",
        plural(packets, "packet"),
        spoken_length(u64::try_from(lived.nanos() / 1_000_000).unwrap_or(0)),
    )
}

/// `2 streams in 1 call between 192.0.2.1 and 192.0.2.2`.
pub(super) fn streams_between(entry: &Entry) -> String {
    sentence!(
        "{} in {}{} between {}",
        plural(entry.streams, "stream"),
        at_least(entry.exhausted),
        plural(entry.calls, "call"),
        entry.subject.spoken(),
    )
}

/// Milliseconds as a span.
pub(super) fn millis(ms: u64) -> Span {
    Span::from_nanos(i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000_000))
}

/// Seconds as a span.
pub(super) fn seconds(s: u64) -> Span {
    millis(s.saturating_mul(1_000))
}
