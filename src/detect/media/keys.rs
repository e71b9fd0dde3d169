//! What the rules about media keys say alike: where a key stood.

use super::super::redact::Labels;
use super::super::seen::KeySeen;
use super::super::text::sentence;
use crate::model::key::KeyPlace;
use crate::model::record::Side;
use crate::model::revealed::Kind;

/// What to do, for every rule about keys that cannot protect.
pub(super) const FIX: &str = "Use unique random keys for each direction, stream and call, or DTLS-SRTP, which makes new ones by itself; carry SDES only inside TLS 1.2+.";

/// `the caller's offer, m-line 1`.
pub(super) fn spoken(place: &KeyPlace) -> String {
    let side = match place.side {
        Side::Caller => "caller",
        Side::Callee => "callee",
    };
    let role = if place.answer { "answer" } else { "offer" };
    sentence!("the {side}'s {role}, m-line {}", u32::from(place.mline) + 1)
}

/// `the caller's offer, m-line 1, has AES_CM_128_HMAC_SHA1_80 key secret-1 (30 octets)`.
pub(super) fn described(seen: &KeySeen<'_>, labels: &mut Labels) -> String {
    let label = labels.label(Kind::MediaKey, seen.secret.expose());
    sentence!("{}, has {} key {label}", spoken(&seen.place), seen.suite)
}

/// Whether two places belong to one call: forks of it share the Call-ID.
pub(super) fn of_one_call(one: &KeyPlace, other: &KeyPlace) -> bool {
    one.call == other.call || one.call_id == other.call_id
}

/// Whether the later place looks like the other leg of a call that a back-to-back user agent joins:
/// the key came to a host and left from it, or left from another host, in the same part of the
/// negotiation, so soon that no phone can have made a call in between.
pub(super) fn passed_through(before: &KeyPlace, now: &KeyPlace, within_ms: i64) -> bool {
    let soon = now.at.time.since(before.at.time).nanos() <= within_ms.saturating_mul(1_000_000);
    let same_part = (before.side, before.answer) == (now.side, now.answer);
    let from_here = before.dst.addr == now.src.addr;
    soon && same_part && (from_here || before.src.addr != now.src.addr)
}
