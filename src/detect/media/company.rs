//! Who else sends: pairs of streams to one socket of a call of which one comes from a host that the
//! call did not announce. What the rules about foreign sources have in common.
//!
//! Not a foreign source: a client behind NAT whose address changes, for the old one falls silent; a
//! stream that both sides of a translator show; one that a new offer or answer explains.

use super::super::seen::StreamSeen;
use super::sighting::millis;
use crate::correlate::company::Companion;
use crate::model::time::{Span, Ts};
use crate::policy::media::MediaThresholds;

/// Packets by which a source is taken for that of a call that announced none.
const LATCHED: u32 = 5;

/// Two streams of one SSRC that begin this near to each other are one stream, seen twice.
const TOGETHER: Span = Span::from_secs(1);

/// Two streams to one socket.
#[derive(Copy, Clone, Debug)]
pub(super) struct Rivals<'a> {
    /// The one from a host that the call did not announce.
    pub(super) foreign: &'a Companion,
    /// The one that was there before, or was announced.
    pub(super) rightful: &'a Companion,
}

/// The pairs that the stream at hand is one of.
pub(super) fn rivals<'a>(
    seen: &StreamSeen<'a>,
    thresholds: &'a MediaThresholds,
) -> impl Iterator<Item = Rivals<'a>> + use<'a> {
    let around = seen.around;
    let own = around.own.filter(|own| own.call.is_some() && own.known_receiver);
    let others = own.into_iter().flat_map(move |own| around.company.iter().map(move |o| (own, o)));
    others.filter_map(move |(own, other)| {
        let one_socket = own.dst == other.dst && own.call == other.call;
        if !one_socket || own.src.addr == other.src.addr || is_one(own, other) {
            return None;
        }
        let pair = order(own, other, thresholds)?;
        let anew = |at: Ts| {
            let near = at.since(pair.foreign.first.time).nanos().abs();
            let later = at > pair.rightful.first.time.plus(millis(thresholds.latch_ms));
            later && near <= millis(thresholds.handover_ms).nanos()
        };
        let explained = around.announced.is_some_and(|told| told.any(anew));
        (!explained && beside(&pair, thresholds)).then_some(pair)
    })
}

/// Whether the rightful source goes on after the foreign one began, once both have had time to find
/// out where their peers are.
fn beside(pair: &Rivals<'_>, thresholds: &MediaThresholds) -> bool {
    let latched = pair.rightful.first.time.plus(millis(thresholds.latch_ms));
    let from = pair.foreign.first.time.max(latched);
    pair.foreign.last.time >= latched
        && pair.rightful.last.time.since(from) > millis(thresholds.foreign_overlap_ms)
}

/// Which of two is foreign, if one is.
fn order<'a>(
    one: &'a Companion,
    other: &'a Companion,
    thresholds: &MediaThresholds,
) -> Option<Rivals<'a>> {
    let (earlier, later) =
        if one.first.time <= other.first.time { (one, other) } else { (other, one) };
    match (earlier.known_sender, later.known_sender) {
        (true, true) => None,
        (true, false) => Some(Rivals { foreign: later, rightful: earlier }),
        (false, true) => Some(Rivals { foreign: earlier, rightful: later }),
        (false, false) => {
            let latch = millis(thresholds.latch_ms);
            let latched =
                later.first.time.since(earlier.first.time) > latch && earlier.packets >= LATCHED;
            latched.then_some(Rivals { foreign: later, rightful: earlier })
        }
    }
}

/// Whether two are one stream, seen on both sides of a translator or of a relay.
pub(super) fn is_one(one: &Companion, other: &Companion) -> bool {
    let near = |span: Span| span.nanos().abs() <= TOGETHER.nanos();
    one.ssrc == other.ssrc
        && near(one.first.time.since(other.first.time))
        && near(one.last.time.since(other.last.time))
        && one.packets.abs_diff(other.packets) <= one.packets / 10
}
