//! Which streams have SRTCP, whose reports cannot be read (RFC 3711 §3.4): by the SSRC of its sender, which is
//! in clear, and by the sockets between which it goes, RTCP's own port of RTP's pair included (RFC 3550 §11).

use std::hash::BuildHasher;

use hashbrown::HashSet;

use crate::model::addr::{Endpoint, STABLE};
use crate::model::record::StreamSrtcp;
use crate::model::stream::StreamKey;
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

/// Name of the table in `evicted`.
pub const TABLE: &str = "srtcp_seen";

/// Octets of one place, in tables that are half full after they have grown.
pub const ENTRY: usize = 2 * (size_of::<u64>() + 1);

/// Senders and sockets of the SRTCP of late, by hash, in two generations.
#[derive(Debug)]
pub struct SrtcpSeen {
    young: HashSet<u64, foldhash::quality::FixedState>,
    old: HashSet<u64, foldhash::quality::FixedState>,
    /// When the younger generation began.
    turned: Ts,
    /// How long a generation lasts: a stream is asked about when it has been idle for long.
    lasts: Span,
    /// Of one generation.
    cap: usize,
    evicted: u64,
}

impl SrtcpSeen {
    /// An empty table.
    pub fn new(limits: &Limits) -> Self {
        Self {
            young: HashSet::with_hasher(STABLE),
            old: HashSet::with_hasher(STABLE),
            turned: Ts::MIN,
            lasts: Span::from_nanos(limits.idle.nanos().saturating_mul(4)),
            cap: limits.rtcp.max(2),
            evicted: 0,
        }
    }

    /// Places forgotten for lack of room.
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Notes one datagram.
    pub fn datagram(&mut self, src: Endpoint, dst: Endpoint, ssrc: u32, at: Ts) {
        self.note(of_sender(src, dst, ssrc), at);
        self.note(of_sockets(src, dst), at);
    }

    /// What was seen for a stream that has ended.
    pub fn of(&self, stream: &StreamKey) -> Option<StreamSrtcp> {
        if self.young.is_empty() && self.old.is_empty() {
            return None;
        }
        let &StreamKey { src, dst, ssrc } = stream;
        let has = |place| self.young.contains(&place) || self.old.contains(&place);
        let by_sender = has(of_sender(src, dst, ssrc)) || has(of_sockets(src, dst));
        let by_receiver = has(of_sockets(dst, src));
        (by_sender || by_receiver).then_some(StreamSrtcp { by_sender, by_receiver })
    }

    fn note(&mut self, place: u64, at: Ts) {
        let over = at.since(self.turned) > self.lasts;
        let full = self.young.len() >= self.cap && !self.young.contains(&place);
        if over || full {
            let old = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.evicted += if over { 0 } else { u64::try_from(old.len()).unwrap_or(u64::MAX) };
            self.turned = at;
        }
        self.young.insert(place);
    }
}

/// A sender between two hosts; its RTP may have other ports.
fn of_sender(src: Endpoint, dst: Endpoint, ssrc: u32) -> u64 {
    STABLE.hash_one((src.addr, dst.addr, ssrc))
}

/// From one pair of ports to another: RTCP has the same one as RTP, or the next higher.
fn of_sockets(src: Endpoint, dst: Endpoint) -> u64 {
    STABLE.hash_one((src.addr, src.port & !1, dst.addr, dst.port & !1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::addr::Addr;

    fn socket(last: u8, port: u16) -> Endpoint {
        Endpoint::new(Addr::v4([192, 0, 2, last]), port)
    }

    #[test]
    fn a_stream_has_the_srtcp_of_its_sender_and_of_its_sockets() {
        let mut seen = SrtcpSeen::new(&Limits::default());
        let stream = StreamKey { src: socket(1, 4_000), dst: socket(2, 6_000), ssrc: 7 };
        assert_eq!(seen.of(&stream), None);
        seen.datagram(socket(2, 6_001), socket(1, 4_001), 9, Ts::MIN);
        let received = StreamSrtcp { by_sender: false, by_receiver: true };
        assert_eq!(seen.of(&stream), Some(received));
        seen.datagram(socket(1, 9_999), socket(2, 9_999), 7, Ts::MIN);
        let both = StreamSrtcp { by_sender: true, by_receiver: true };
        assert_eq!(seen.of(&stream), Some(both));
        assert_eq!(seen.of(&StreamKey { dst: socket(3, 6_000), ..stream }), None);
    }

    #[test]
    fn what_was_long_ago_is_forgotten_and_what_had_no_room_is_counted() {
        let mut seen = SrtcpSeen::new(&Limits { rtcp: 4, ..Limits::default() });
        let stream = StreamKey { src: socket(1, 4_000), dst: socket(2, 6_000), ssrc: 7 };
        let at = |second: i64| Ts::from_nanos(second * 1_000_000_000);
        seen.datagram(stream.src, stream.dst, stream.ssrc, at(0));
        for second in [300, 600, 900] {
            seen.datagram(socket(9, 1), socket(8, 1), 1, at(second));
        }
        assert_eq!((seen.of(&stream), seen.evicted()), (None, 0));
        for ssrc in 0..20 {
            seen.datagram(socket(9, 1), socket(8, 1), ssrc, at(901));
        }
        assert!(seen.evicted() > 0);
    }
}
