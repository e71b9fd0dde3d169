//! How calls sound, and what encryption costs them (`CATALOGUE.md` G).

pub(super) mod dscp;
pub(super) mod jitter;
pub(super) mod loss;
pub(super) mod mos;
pub(super) mod one_way;
pub(super) mod rtcp_absent;
pub(super) mod srtp_cost;

use super::seen::StreamSeen;
use super::sink::Subject;
use super::text::{printable, sentence};

/// What every rule about transmission advises.
const FIX: &str = "Media quality is impaired on this path: check congestion, duplex and queueing hop by hop, and that DSCP EF is kept end to end; compare with the receiver's RTCP before blaming either side.";

/// The pair of hosts of a stream.
fn pair(seen: &StreamSeen<'_>) -> Subject {
    Subject::pair(seen.record.src.addr, seen.record.dst.addr)
}

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

/// A figure of up to 10,000 in hundredths, for a tally; 0 for none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
fn hundredths(figure: f64) -> u64 {
    (figure * 100.0).round().clamp(0.0, 1e6) as u64
}

/// Hundredths as they are spoken: `12.50`.
fn spoken(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
