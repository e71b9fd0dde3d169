//! ZRTP between two sockets (RFC 6189): which messages were seen, and whether the Hello of each party
//! is the one that its SDP announced (`a=zrtp-hash`, RFC 6189 §8.1).
//!
//! No key is derived here and no checksum verified; a Hello is only hashed.

use std::collections::VecDeque;

use hashbrown::HashMap;
use overhear_parsers::zrtp;
use sha2::{Digest, Sha256};

use crate::model::addr::{Endpoint, FlowKey, Proto, STABLE};
use crate::model::evidence::FrameRef;
use crate::model::id::RecordId;
use crate::model::record::Side;
use crate::policy::Limits;

/// Name of the table in `evicted`.
pub const TABLE: &str = "zrtp";

/// Octets of one exchange and of the announcement that may belong to it.
pub const ENTRY: usize = 2 * (size_of::<(FlowKey, Exchange)>() + 1)
    + size_of::<FlowKey>()
    + 2 * size_of::<(RecordId, Side, u64)>();

/// What was seen between two sockets, whoever sent it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The first Hello from each end, the smaller socket's first.
    pub hello: [Option<FrameRef>; 2],
    /// The first Commit.
    pub commit: Option<FrameRef>,
    /// The first Confirm2 or `Conf2ACK`: keys are agreed.
    pub confirmed: Option<FrameRef>,
    /// The first `GoClear`.
    pub go_clear: Option<FrameRef>,
}

impl Exchange {
    /// The later of the two first Hellos, if both were seen.
    pub fn both_hellos(&self) -> Option<FrameRef> {
        let [one, other] = self.hello;
        Some(std::cmp::max_by_key(one?, other?, |at| at.time))
    }
}

/// What the SDP of a party says of its Hello.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HelloHash {
    /// It has no `a=zrtp-hash`.
    Absent,
    /// One of those announced is that of this Hello.
    Same,
    /// None of those announced is.
    Differs,
    /// There is one that cannot be compared.
    Unknown,
}

/// Exchanges and announced hashes.
#[derive(Debug)]
pub struct ZrtpFlows {
    exchanges: HashMap<FlowKey, Exchange, foldhash::quality::FixedState>,
    arrival: VecDeque<FlowKey>,
    /// Call, side, and the first 64 bits of a hash; the oldest first.
    announced: VecDeque<(RecordId, Side, u64)>,
    cap: usize,
    evicted: u64,
}

impl ZrtpFlows {
    /// An empty table.
    pub fn new(limits: &Limits) -> Self {
        Self {
            exchanges: HashMap::with_hasher(STABLE),
            arrival: VecDeque::new(),
            announced: VecDeque::new(),
            cap: limits.zrtp.max(1),
            evicted: 0,
        }
    }

    /// Exchanges given up for lack of room.
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Notes the hashes that one side of a call announced.
    pub fn announce(&mut self, call: RecordId, side: Side, hashes: &[u64]) {
        for hash in hashes {
            if self.announced.len() >= self.cap.saturating_mul(2) {
                self.announced.pop_front();
            }
            self.announced.push_back((call, side, *hash));
        }
    }

    /// Notes one packet; gives the hash of a Hello.
    pub fn packet(
        &mut self,
        src: Endpoint,
        dst: Endpoint,
        octets: &[u8],
        at: FrameRef,
    ) -> Option<u64> {
        let packet = zrtp::parse(octets)?;
        let key = FlowKey::new(src, dst, Proto::UDP);
        let from_low = key.low == src;
        let exchange = self.exchange(key);
        let [low, high] = &mut exchange.hello;
        let (place, hash) = match packet.message_type {
            b"Hello" => (if from_low { low } else { high }, Some(hash_of(packet.whole))),
            b"Commit" => (&mut exchange.commit, None),
            b"Confirm2" | b"Conf2ACK" => (&mut exchange.confirmed, None),
            b"GoClear" => (&mut exchange.go_clear, None),
            _ => return None,
        };
        place.get_or_insert(at);
        hash
    }

    /// What was seen between these two sockets.
    pub fn between(&self, one: Endpoint, other: Endpoint) -> Option<&Exchange> {
        if self.exchanges.is_empty() {
            return None;
        }
        self.exchanges.get(&FlowKey::new(one, other, Proto::UDP))
    }

    /// Whether this hash is one that a side of a call announced.
    pub fn compare(&self, call: RecordId, side: Side, hash: u64) -> HelloHash {
        let of_side = |(of, by, _): &&(RecordId, Side, u64)| (*of, *by) == (call, side);
        let mut hashes = self.announced.iter().filter(of_side).peekable();
        if hashes.peek().is_none() {
            HelloHash::Unknown
        } else if hashes.any(|(_, _, announced)| *announced == hash) {
            HelloHash::Same
        } else {
            HelloHash::Differs
        }
    }

    fn exchange(&mut self, key: FlowKey) -> &mut Exchange {
        if !self.exchanges.contains_key(&key) {
            while self.exchanges.len() >= self.cap {
                let Some(oldest) = self.arrival.pop_front() else { break };
                self.exchanges.remove(&oldest);
                self.evicted += 1;
            }
            self.arrival.push_back(key);
        }
        self.exchanges.entry(key).or_default()
    }
}

/// The first 64 bits of the SHA-256 of a Hello: as much as two are told apart by.
fn hash_of(hello: &[u8]) -> u64 {
    let digest = Sha256::digest(hello);
    digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::addr::Addr;
    use crate::model::id::Kind;

    fn packet(kind: [u8; 8]) -> Vec<u8> {
        let mut octets = vec![0x10, 0, 0, 9, b'Z', b'R', b'T', b'P', 0, 0, 0, 5, 0x50, 0x5a, 0, 3];
        octets.extend(kind);
        octets.extend([1, 2, 3, 4]);
        octets
    }

    #[test]
    fn the_hash_covers_the_message_from_its_preamble_to_before_the_checksum() {
        let (one, other) = (Addr::v4([192, 0, 2, 1]), Addr::v4([192, 0, 2, 2]));
        let (one, other) = (Endpoint::new(one, 1), Endpoint::new(other, 2));
        let mut flows = ZrtpFlows::new(&Limits::default());
        let mut hello = packet(*b"Hello   ");
        let at = FrameRef::default();
        let hash = flows.packet(one, other, &hello, at).unwrap();
        hello.truncate(24);
        assert_eq!(flows.packet(other, one, &hello, at), Some(hash));
        assert!(flows.between(other, one).unwrap().both_hellos().is_some());
        assert_eq!(flows.packet(one, other, &packet(*b"Conf2ACK"), at), None);
        assert!(flows.between(one, other).unwrap().confirmed.is_some());
        let call = RecordId::new(Kind::Call, 1 << 8);
        assert_eq!(flows.compare(call, Side::Caller, hash), HelloHash::Unknown);
        flows.announce(call, Side::Caller, &[hash ^ 1]);
        assert_eq!(flows.compare(call, Side::Caller, hash), HelloHash::Differs);
        flows.announce(call, Side::Caller, &[hash]);
        assert_eq!(flows.compare(call, Side::Caller, hash), HelloHash::Same);
        assert_eq!(flows.compare(call, Side::Callee, hash), HelloHash::Unknown);
    }
}
