//! The SRTP keys that stood in signalling, by the call they belong to (RFC 4568 §6.1, §9.1).
//!
//! Every `a=crypto` line of every offer and answer counts, and every MIKEY message that does not encrypt its keys (RFC 4567), of messages in clear and of messages that
//! were opened: which of them was in force is what the tags of the packets tell. Held are at most
//! `limits.srtp_keys`; the calls that told theirs first are forgotten first. A key leaves here only
//! for a proof or a second pass over the capture.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};
use overhear_parsers::mikey;
use overhear_parsers::sdp::{self, Media};

use crate::correlate::event::SipEvent;
use crate::correlate::placement::{Placement, SdpRole};
use crate::detect::seen::KeySeen;
use crate::detect::sink::Subject;
use crate::model::addr::{Endpoint, stable_hash};
use crate::model::evidence::FrameRef;
use crate::model::id::{Kind, RecordId, RecordKey};
use crate::model::key::KeyPlace;
use crate::model::record::Side;
use crate::model::stream::StreamKey;
use crate::prove::srtp::{MasterKey, dtls_keys, mikey_keys};

/// Name of the table in `evicted`.
pub(super) const TABLE: &str = "srtp_keys";

/// Keys of one call; an offer has a few lines, and a re-INVITE may bring new ones.
const KEYS_OF_CALL: usize = 64;
/// Calls that are remembered for one media address.
const CALLS_OF_ADDRESS: usize = 8;

type Table<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// A key and where it stood first.
#[derive(Copy, Clone, Debug)]
pub(super) struct Exposed {
    pub(super) key: MasterKey,
    /// Stable hash of master key and salt.
    pub(super) hash: u64,
    pub(super) place: KeyPlace,
    /// Where the side that told it expects media, and sends from as a rule.
    media: Option<Endpoint>,
}

/// The keys of the calls of late.
#[derive(Debug)]
pub(super) struct KeyRing {
    calls: Table<RecordKey, Vec<Exposed>>,
    /// The calls, those that told a key first in front.
    order: VecDeque<RecordKey>,
    /// Where each key stood for the first time.
    first: Table<u64, KeyPlace>,
    by_media: Table<Endpoint, Vec<RecordKey>>,
    /// Keys of DTLS-SRTP sessions whose secrets were given, by who sends to whom.
    by_flow: Table<(Endpoint, Endpoint), Exposed>,
    /// Who sends to whom with keys of DTLS-SRTP whose secrets may still come.
    expected: HashSet<(Endpoint, Endpoint), foldhash::fast::FixedState>,
    held: usize,
    cap: usize,
    evicted: u64,
}

impl KeyRing {
    pub(super) fn new(cap: usize) -> Self {
        Self {
            calls: HashMap::default(),
            order: VecDeque::new(),
            first: HashMap::default(),
            by_media: HashMap::default(),
            by_flow: HashMap::default(),
            expected: HashSet::default(),
            held: 0,
            cap: cap.max(1),
            evicted: 0,
        }
    }

    /// Keys given up for lack of room.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Whether no key was seen yet.
    pub(super) fn is_empty(&self) -> bool {
        self.held == 0 && self.by_flow.is_empty()
    }

    /// Whether some key may open a stream: one that was seen, or that is expected.
    pub(super) fn may_open(&self, stream: &StreamKey) -> bool {
        !self.is_empty() || self.expected.contains(&(stream.src, stream.dst))
    }

    /// Says that DTLS-SRTP was agreed on between these, and that its secrets may still come.
    pub(super) fn await_secrets(&mut self, client: Endpoint, server: Endpoint) {
        for way in [(client, server), (server, client)] {
            if self.expected.len() < self.cap {
                self.expected.insert(way);
            } else if !self.expected.contains(&way) {
                self.evicted = self.evicted.saturating_add(1);
            }
        }
    }

    /// Takes the keys of a message of a call, and shows those that are new in their place.
    pub(super) fn note(
        &mut self,
        event: &SipEvent<'_>,
        placement: &Placement,
        mut show: impl FnMut(&KeySeen<'_>),
    ) {
        let (Some(call), Some(side)) = (placement.call, placement.side) else { return };
        let Some(body) = event.message.sdp().filter(|_| !placement.retransmission) else { return };
        let place = KeyPlace {
            at: event.at,
            call,
            call_id: stable_hash(&event.message.call_id()),
            side,
            mline: 0,
            answer: placement.sdp == SdpRole::Answer,
            src: event.src,
            dst: event.dst,
            clear: !event.encrypted && !event.transport.is_tls(),
        };
        let pair = Subject::pair(event.src.addr, event.dst.addr);
        for (mline, media) in (0_u8..).zip(sdp::parse(body).media()) {
            if media.port == 0 {
                continue;
            }
            let at = media_address(&media);
            for key in keys_of(&media) {
                let place = KeyPlace { mline, ..place };
                let hash = stable_hash(&key.both().expose());
                let Some(before) = self.keep(Exposed { key, hash, place, media: at }) else {
                    continue;
                };
                show(&KeySeen {
                    place,
                    pair,
                    secret: key.both(),
                    suite: key.suite().name(),
                    before,
                });
            }
        }
    }

    /// Takes the keys of a DTLS-SRTP session between these (RFC 5764 §4.2), whose handshake ended at
    /// `at`: the latest of a flow counts.
    pub(super) fn note_dtls(
        &mut self,
        (client, server): (Endpoint, Endpoint),
        profile: u16,
        material: &[u8],
        at: FrameRef,
    ) {
        let Some((of_client, of_server)) = dtls_keys(profile, 0, material) else { return };
        // It belongs to a flow, not to a side of a call.
        let call = RecordKey { first: at.frame, id: RecordId::new(Kind::Handshake, 0) };
        for (key, src, dst) in [(of_client, client, server), (of_server, server, client)] {
            let full = self.by_flow.len() >= self.cap && !self.by_flow.contains_key(&(src, dst));
            if full {
                self.evicted = self.evicted.saturating_add(1);
                continue;
            }
            let (side, call_id, mline, answer, clear) = (Side::Caller, 0, 0, false, false);
            let place = KeyPlace { at, call, call_id, side, mline, answer, src, dst, clear };
            let hash = stable_hash(&key.both().expose());
            self.by_flow.insert((src, dst), Exposed { key, hash, place, media: None });
        }
    }

    /// The keys that may open a stream: those of its call that its sender told, those of the other
    /// side, that of a DTLS handshake between its sockets, those of other calls with the same media addresses; of each the latest first.
    pub(super) fn candidates(
        &self,
        call: Option<RecordKey>,
        sender: Option<Side>,
        (src, dst): (Endpoint, Endpoint),
    ) -> impl Iterator<Item = &Exposed> {
        let own = call.and_then(|call| self.calls.get(&call)).map_or(&[][..], Vec::as_slice);
        let told = move |by_sender: bool| {
            let of_side = move |key: &&Exposed| (Some(key.place.side) == sender) == by_sender;
            own.iter().rev().filter(of_side)
        };
        let others = [src, dst].into_iter().filter_map(|end| self.by_media.get(&end));
        let others =
            others.flat_map(|calls| calls.iter().rev()).filter(move |of| Some(**of) != call);
        let others = others.filter_map(|of| self.calls.get(of)).flat_map(|keys| keys.iter().rev());
        told(true).chain(told(false)).chain(self.by_flow.get(&(src, dst))).chain(others)
    }

    /// The key that a side of a call told last, one that was readable before one that was not.
    pub(super) fn told(&self, call: RecordKey, side: Side) -> Option<&Exposed> {
        let keys = self.calls.get(&call)?;
        let of_side = || keys.iter().rev().filter(|key| key.place.side == side);
        of_side().find(|key| key.place.clear).or_else(|| of_side().next())
    }

    /// Keeps a key, and says where it stood before, if anywhere; `None` if it stood in this very
    /// place.
    #[allow(clippy::option_option, reason = "new or not, and what was there before")]
    fn keep(&mut self, exposed: Exposed) -> Option<Option<KeyPlace>> {
        let (hash, place) = (exposed.hash, exposed.place);
        let known = self.calls.get_mut(&place.call).map(Vec::as_mut_slice).unwrap_or_default();
        let same = |key: &&mut Exposed| {
            (key.hash, key.place.side, key.place.mline) == (hash, place.side, place.mline)
        };
        if let Some(known) = known.iter_mut().find(same) {
            // On one hop in TLS, on the next in clear: that is where it is exposed.
            if place.clear && !known.place.clear {
                known.place = place;
            }
            return None;
        }
        if known.len() >= KEYS_OF_CALL {
            self.evicted = self.evicted.saturating_add(1);
            return None;
        }
        if known.is_empty() {
            self.order.push_back(place.call);
        }
        self.calls.entry(place.call).or_default().push(exposed);
        self.held = self.held.saturating_add(1);
        if let Some(media) = exposed.media {
            let calls = self.by_media.entry(media).or_default();
            if !calls.contains(&place.call) {
                if calls.len() >= CALLS_OF_ADDRESS {
                    calls.remove(0);
                }
                calls.push(place.call);
            }
        }
        let before = self.first.get(&hash).copied();
        if before.is_none() {
            self.first.insert(hash, place);
        }
        while self.held > self.cap && self.order.len() > 1 {
            self.forget_oldest();
        }
        Some(before)
    }

    fn forget_oldest(&mut self) {
        let Some(call) = self.order.pop_front() else { return };
        let keys = self.calls.remove(&call).unwrap_or_default();
        self.held = self.held.saturating_sub(keys.len());
        self.evicted = self.evicted.saturating_add(u64::try_from(keys.len()).unwrap_or(u64::MAX));
        for key in keys {
            if self.first.get(&key.hash).is_some_and(|place| place.call == call) {
                self.first.remove(&key.hash);
            }
            let Some(media) = key.media else { continue };
            if let Some(calls) = self.by_media.get_mut(&media) {
                calls.retain(|of| *of != call);
                if calls.is_empty() {
                    self.by_media.remove(&media);
                }
            }
        }
    }
}

/// The keys of one m-line: of SDES, and of MIKEY where they are not encrypted.
fn keys_of(media: &Media<'_>) -> Vec<MasterKey> {
    let mut keys: Vec<MasterKey> =
        media.cryptos().flat_map(|crypto| MasterKey::of_line(&crypto)).collect();
    for octets in media.attributes(b"key-mgmt").filter_map(mikey::of_attribute) {
        if let Ok(message) = mikey::Message::parse(&octets) {
            keys.extend(mikey_keys(&message));
        }
    }
    keys
}

fn media_address(media: &Media<'_>) -> Option<Endpoint> {
    let ip = media.connection()?.ip().filter(|ip| !ip.is_unspecified())?;
    Some(Endpoint::new(ip.into(), media.port))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::addr::Addr;
    use crate::model::frame::FrameId;
    use crate::model::time::Ts;
    use crate::policy::Limits;
    use crate::prove::srtp::Suite;

    fn end(last: u8) -> Endpoint {
        Endpoint::new(Addr::v4([192, 0, 2, last]), 4000)
    }

    fn call(number: u64) -> RecordKey {
        let first = FrameId { source: 0, number };
        RecordKey { first, id: RecordId::new(Kind::Call, number << 8) }
    }

    /// The key of this octet, told by the caller of a call whose media is at `media`.
    pub(in crate::engine) fn exposed(octet: u8, of: u64, side: Side, media: u8) -> Exposed {
        let octets: Vec<u8> = (0..30).map(|n| octet.wrapping_mul(n)).collect();
        let key = MasterKey::new(Suite::AesCm128Sha1Tag80, &octets).unwrap();
        let at = FrameRef { frame: FrameId { source: 0, number: of }, time: Ts::MIN };
        let place = KeyPlace {
            at,
            call: call(of),
            call_id: of,
            side,
            mline: 0,
            answer: false,
            src: end(1),
            dst: end(2),
            clear: true,
        };
        Exposed { key, hash: u64::from(octet), place, media: Some(end(media)) }
    }

    fn hashes<'a>(keys: impl Iterator<Item = &'a Exposed>) -> Vec<u64> {
        keys.map(|key| key.hash).collect()
    }

    #[test]
    fn the_senders_keys_come_first_then_the_other_sides_then_those_of_the_address() {
        let mut ring = KeyRing::new(10);
        for key in [
            exposed(1, 1, Side::Caller, 7),
            exposed(2, 1, Side::Callee, 8),
            exposed(3, 1, Side::Caller, 7),
            exposed(4, 2, Side::Caller, 7),
            exposed(5, 3, Side::Caller, 9),
        ] {
            assert_eq!(ring.keep(key), Some(None));
        }
        let found = ring.candidates(Some(call(1)), Some(Side::Caller), (end(7), end(8)));
        assert_eq!(hashes(found), [3, 1, 2, 4]);
        let found = ring.candidates(None, None, (end(5), end(9)));
        assert_eq!(hashes(found), [5]);
        assert_eq!(ring.told(call(1), Side::Caller).map(|key| key.hash), Some(3));
        assert!(ring.told(call(2), Side::Callee).is_none());
    }

    #[test]
    fn a_key_is_new_once_in_its_place_and_says_where_it_was_before() {
        let mut ring = KeyRing::new(10);
        let mut hidden = exposed(1, 1, Side::Caller, 7);
        hidden.place.clear = false;
        assert_eq!(ring.keep(hidden), Some(None));
        // The next hop, in clear.
        assert_eq!(ring.keep(exposed(1, 1, Side::Caller, 7)), None);
        assert!(ring.told(call(1), Side::Caller).unwrap().place.clear);
        let before = ring.keep(exposed(1, 1, Side::Callee, 8)).unwrap().unwrap();
        assert_eq!(before.side, Side::Caller);
        let before = ring.keep(exposed(1, 2, Side::Caller, 7)).unwrap().unwrap();
        assert_eq!(before.call, call(1));
    }

    #[test]
    fn the_calls_that_came_first_are_forgotten_first_and_whole() {
        let mut ring = KeyRing::new(10);
        for number in 0..50_u8 {
            for (side, octet) in [(Side::Caller, 0), (Side::Callee, 1)] {
                ring.keep(exposed(number * 2 + octet, u64::from(number), side, 7));
            }
        }
        assert_eq!((ring.held, ring.evicted(), ring.calls.len()), (10, 90, 5));
        assert_eq!((ring.first.len(), ring.order.len()), (10, 5));
        assert_eq!(ring.by_media.get(&end(7)).map(Vec::len), Some(5));
        for number in 50..200 {
            ring.keep(exposed(9, number, Side::Caller, 9));
        }
        assert_eq!((ring.held, ring.by_media.len()), (10, 1));
        for octet in 0..255 {
            ring.keep(exposed(octet, 1_000, Side::Caller, 9));
        }
        assert!(ring.held <= 10 + KEYS_OF_CALL);
    }

    #[test]
    fn a_key_costs_what_the_limits_say() {
        let octets = size_of::<Exposed>()
            + size_of::<(u64, KeyPlace)>()
            + size_of::<(Endpoint, Vec<RecordKey>)>()
            + 2 * size_of::<RecordKey>();
        let rows = Limits::default().rows();
        let row = rows.iter().find(|row| row.table == TABLE).unwrap();
        assert!(octets <= row.octets_each, "{octets}");
    }
}
