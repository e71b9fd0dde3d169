//! How calls sound, and what encryption costs them (`CATALOGUE.md` G).

mod compare;
pub(super) mod dscp;
pub(super) mod dscp_remarked;
pub(super) mod fragment;
pub(super) mod jitter;
pub(super) mod late_media;
pub(super) mod loss;
pub(super) mod mos;
pub(super) mod no_rtp;
pub(super) mod one_way;
pub(super) mod pdd;
pub(super) mod rtcp_absent;
pub(super) mod srtp_cost;

use super::seen::StreamSeen;
use super::text::{printable, sentence};
use crate::model::record::StreamRecord;

/// What every rule about transmission advises.
const FIX: &str = "Media quality is impaired on this path: check congestion, duplex and queueing hop by hop, and that DSCP EF is kept end to end; compare with the receiver's RTCP before blaming either side.";

/// `192.0.2.1:4000 to 192.0.2.2:4002, PCMU, 1500 packets: `, then what is wrong.
fn about(seen: &StreamSeen<'_>, wrong: std::fmt::Arguments<'_>) -> String {
    let record = seen.record;
    let main = record.payload_types.iter().max_by_key(|payload| payload.packets);
    let codec = main.and_then(|main| main.codec.as_deref()).unwrap_or("unknown codec");
    sentence!(
        "{} to {}, {}, {} packets: {wrong}",
        record.src,
        record.dst,
        printable(codec.as_bytes(), 32),
        record.packets,
    )
}

/// Whether it is speech: what has a score, or what SDP says is audio, events and noise excepted.
/// Pictures leave in bursts, and digits may come late.
fn is_audio(seen: &StreamSeen<'_>) -> bool {
    let record = seen.record;
    let main = record.payload_types.iter().max_by_key(|payload| payload.packets);
    let codec = main.and_then(|main| main.codec.as_deref()).unwrap_or_default();
    let is = |name: &str| codec.eq_ignore_ascii_case(name);
    let told = || seen.around.media.is_some_and(|media| media.kind == "audio");
    record.quality.is_some() || told() && !is("telephone-event") && !is("CN")
}

/// How many packets are missing here that the receiver had, by its own report (RFC 3550 §6.4.1): more
/// than half of what is missing, even if everything behind that report was lost. `None` if the report
/// does not show that. A receiver that reports no loss at all is believed if it is one that measures, as
/// shows by a round trip: many write zeros.
pub(super) fn heard_better(seen: &StreamSeen<'_>) -> Option<u64> {
    let rtcp = seen.record.rtcp?;
    let reported = u64::try_from(rtcp.reported_lost?.max(0)).ok()?;
    if reported == 0 && rtcp.round_trip_ms.is_none() {
        return None;
    }
    let (_, last) = seen.around.ended?.run;
    let [.., high, low] = rtcp.reported_through?.to_be_bytes();
    let behind = last.wrapping_sub(u16::from_be_bytes([high, low]));
    // A report that knows later packets than the capture has none behind it.
    let behind = u64::from(if behind > u16::MAX / 2 { 0 } else { behind });
    let lost = seen.record.lost.saturating_sub(seen.record.lost_in_pauses);
    let explained = reported.saturating_mul(2).saturating_add(behind);
    (lost > explained).then(|| lost.saturating_sub(reported))
}

/// Octets of the headers of RTP (RFC 3550 §5.1), UDP and IP of each packet of a stream.
fn headers(record: &StreamRecord<'_>) -> u64 {
    12 + 8 + if record.src.addr.as_v4().is_some() { 20 } else { 40 }
}

/// A duration in whole milliseconds, for a tally.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
fn whole_ms(milliseconds: f64) -> u64 {
    milliseconds.round().clamp(0.0, 1e12) as u64
}

/// A figure of up to 10,000 in hundredths, for a tally; 0 for none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
fn hundredths(figure: f64) -> u64 {
    (figure * 100.0).round().clamp(0.0, 1e6) as u64
}

/// The word for one, or for several.
const fn of_one(count: u64, one: &'static str, several: &'static str) -> &'static str {
    if count == 1 { one } else { several }
}

/// Hundredths as they are spoken: `12.50`.
fn spoken(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
