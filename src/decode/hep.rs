//! HEP, in which capture agents send copies of messages: versions 1 and 2 with a fixed header, version
//! 3 with chunks (the protocol's specification, revision 37, chapter 3).
//!
//! ```text
//! | version | length | family | protocol | source port | destination port | addresses |     1 and 2
//! | seconds | microseconds | agent | (16 bits of padding) |                                    and 2
//! | "HEP3" | total length | vendor, type, length, value | ...                                  3
//! ```
//!
//! Version 3 goes by its magic number if its chunks fill its length; 1 and 2 only if family, length
//! and ports hold together and SIP follows. Compressed payloads are not opened, and keys not checked:
//! whoever can send to a collector can send anything.

use overhear_parsers::sip;

use crate::model::addr::{Addr, Endpoint, Proto};
use crate::model::time::Ts;

/// Chunks read of one message; the specification knows about fifty.
const MAX_CHUNKS: usize = 128;
/// What senders write; the specification allows the second one too.
const MAGIC: [[u8; 4]; 2] = [*b"HEP3", *b"EEP3"];
const V4: u8 = 2;
const V6: u8 = 10;

/// [`Hep::payload_type`] of SIP.
pub const SIP: u8 = 1;

/// One HEP message.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Hep<'a> {
    /// Sender of the copied message, if the agent says.
    pub src: Option<Endpoint>,
    /// Its receiver.
    pub dst: Option<Endpoint>,
    /// The IP protocol that it travelled in.
    pub proto: Proto,
    /// When the agent saw it, by its own clock.
    pub time: Option<Ts>,
    /// The agent; 0 if it does not say.
    pub agent: u32,
    /// What the copy is: [`SIP`], or another number of the specification.
    pub payload_type: u8,
    /// What connects copies of one session, as the agent writes it; may be empty.
    pub correlation: &'a [u8],
    /// Where the copy begins, in octets from the beginning of the message.
    pub payload_at: usize,
    /// The copy, as far as it is present; empty if it is compressed.
    pub payload: &'a [u8],
    /// Octets of the copy on the wire.
    pub payload_wire: usize,
}

/// Reads the payload of a datagram that had `wire` octets; `None` if it is not HEP.
pub fn read(octets: &[u8], wire: u32) -> Option<Hep<'_>> {
    match octets {
        [b'H' | b'E', ..] => chunks(octets, usize::try_from(wire).unwrap_or(usize::MAX)),
        [1 | 2, ..] => fixed(octets),
        _ => None,
    }
}

/// Versions 1 and 2.
fn fixed(octets: &[u8]) -> Option<Hep<'_>> {
    let (&[version, length, family, proto, s0, s1, d0, d1], rest) = octets.split_first_chunk()?;
    let (ports, length) = ([[s0, s1], [d0, d1]].map(u16::from_be_bytes), usize::from(length));
    let ([src, dst], rest, header) = match family {
        V4 => {
            let (src, rest) = rest.split_first_chunk()?;
            let (dst, rest) = rest.split_first_chunk()?;
            ([Addr::v4(*src), Addr::v4(*dst)], rest, 16_usize)
        }
        V6 => {
            let (src, rest) = rest.split_first_chunk()?;
            let (dst, rest) = rest.split_first_chunk()?;
            ([Addr::v6(*src), Addr::v6(*dst)], rest, 40)
        }
        _ => return None,
    };
    let mut hep = Hep { proto: Proto(proto), payload_type: SIP, ..Hep::default() };
    if ports.contains(&0) || !matches!(hep.proto, Proto::UDP | Proto::TCP | Proto::SCTP | Proto(22))
    {
        return None;
    }
    // Agents disagree on whether the time counts as header, and on its padding.
    let timed = [header.saturating_add(12), header.saturating_add(10)];
    if length != header && !(version == 2 && timed.contains(&length)) {
        return None;
    }
    let skip = if version == 1 {
        sip::probe(rest).then_some(0)?
    } else {
        let (time, after) = rest.split_first_chunk::<10>()?;
        let &[s0, s1, s2, s3, u0, u1, u2, u3, a0, a1] = time;
        let (seconds, micros) = (u32::from_le_bytes([s0, s1, s2, s3]), [u0, u1, u2, u3]);
        hep.time = moment(seconds, u32::from_le_bytes(micros));
        hep.agent = u32::from(u16::from_le_bytes([a0, a1]));
        // A start line without its first two letters may still look like one.
        let unpadded = after.first().is_some_and(u8::is_ascii_alphabetic) && sip::probe(after);
        if unpadded { 10 } else { after.get(2..).is_some_and(sip::probe).then_some(12)? }
    };
    let [sport, dport] = ports;
    hep.src = Some(Endpoint::new(src, sport));
    hep.dst = Some(Endpoint::new(dst, dport));
    hep.payload_at = header.saturating_add(skip);
    hep.payload = octets.get(hep.payload_at..)?;
    hep.payload_wire = hep.payload.len();
    Some(hep)
}

/// Version 3.
fn chunks(octets: &[u8], wire: usize) -> Option<Hep<'_>> {
    let (magic, rest) = octets.split_first_chunk::<4>()?;
    let total = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
    if !MAGIC.contains(magic) || total < 6 || total > wire {
        return None;
    }
    let mut parts = Parts::default();
    let mut at = 6_usize;
    for _ in 0..MAX_CHUNKS {
        if at == total {
            break;
        }
        let Some(header) = octets.get(at..).and_then(<[u8]>::first_chunk) else { break };
        let &[v0, v1, t0, t1, l0, l1] = header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let end = at.checked_add(length).filter(|end| length >= 6 && *end <= total)?;
        let from = at.checked_add(6)?;
        let value = octets.get(from..end.min(octets.len())).unwrap_or_default();
        if [v0, v1] == [0, 0] {
            parts.chunk(u16::from_be_bytes([t0, t1]), value, (from, end));
        }
        at = end;
    }
    // Short of its end only if the capture cut it.
    (at == total || octets.len() < total).then(|| parts.finish())
}

/// What chunks said so far.
#[derive(Default)]
struct Parts<'a> {
    hep: Hep<'a>,
    addrs: [Option<Addr>; 2],
    ports: [u16; 2],
    seconds: Option<u32>,
    micros: u32,
}

impl<'a> Parts<'a> {
    fn chunk(&mut self, kind: u16, value: &'a [u8], (from, end): (usize, usize)) {
        let word = || value.first_chunk().map(|octets| u16::from_be_bytes(*octets));
        let long = || value.first_chunk().map(|octets| u32::from_be_bytes(*octets));
        let octet = value.first().copied().unwrap_or_default();
        let v4 = || value.first_chunk().copied().map(Addr::v4);
        let v6 = || value.first_chunk().copied().map(Addr::v6);
        let [src, dst] = &mut self.addrs;
        let [sport, dport] = &mut self.ports;
        match kind {
            0x02 => self.hep.proto = Proto(octet),
            0x03 => *src = v4(),
            0x04 => *dst = v4(),
            0x05 => *src = v6(),
            0x06 => *dst = v6(),
            0x07 => *sport = word().unwrap_or_default(),
            0x08 => *dport = word().unwrap_or_default(),
            0x09 => self.seconds = long(),
            0x0a => self.micros = long().unwrap_or_default(),
            0x0b => self.hep.payload_type = octet,
            0x0c => self.hep.agent = long().unwrap_or_default(),
            0x0f => {
                self.hep.payload = value;
                self.hep.payload_at = from;
                self.hep.payload_wire = end.saturating_sub(from);
            }
            0x11 => self.hep.correlation = value,
            _ => {}
        }
    }

    fn finish(mut self) -> Hep<'a> {
        let [src, dst] = self.addrs;
        let [sport, dport] = self.ports;
        self.hep.src = src.map(|addr| Endpoint::new(addr, sport));
        self.hep.dst = dst.map(|addr| Endpoint::new(addr, dport));
        self.hep.time = self.seconds.and_then(|seconds| moment(seconds, self.micros));
        self.hep
    }
}

/// A time, unless the agent left it at zero.
fn moment(seconds: u32, micros: u32) -> Option<Ts> {
    let nanos = i64::from(seconds)
        .checked_mul(1_000_000_000)?
        .checked_add(i64::from(micros).checked_mul(1_000)?)?;
    (seconds != 0 && micros < 1_000_000).then_some(Ts::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACK: &[u8] = b"ACK sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2\r\n\
        Call-ID: 1\r\nCSeq: 1 ACK\r\n\r\n";

    fn message(magic: &[u8], chunks: &[(u16, u16, &[u8])]) -> Vec<u8> {
        let mut octets = [magic, &[0, 0]].concat();
        for (vendor, kind, value) in chunks {
            octets.extend(vendor.to_be_bytes());
            octets.extend(kind.to_be_bytes());
            octets.extend(u16::try_from(value.len() + 6).unwrap().to_be_bytes());
            octets.extend(*value);
        }
        let total = u16::try_from(octets.len()).unwrap().to_be_bytes();
        octets[4..6].copy_from_slice(&total);
        octets
    }

    fn whole(octets: &[u8]) -> Option<Hep<'_>> {
        read(octets, u32::try_from(octets.len()).unwrap())
    }

    #[test]
    fn chunks_of_the_specification_are_read_and_others_passed_over() {
        let (src, dst) = ([0x20; 16], [0x21; 16]);
        let octets = message(
            b"HEP3",
            &[
                (0, 1, &[10]),
                (0, 2, &[22]),
                (0, 5, &src),
                (0, 6, &dst),
                (0, 7, &[0x13, 0xc5]),
                (0, 8, &[0x13, 0xc6]),
                (9, 11, &[4]),
                (0, 0x7fff, b"?"),
                (0, 9, &[0x65, 0, 0, 0]),
                (0, 10, &[0, 0, 0, 5]),
                (0, 11, &[1]),
                (0, 12, &[0, 0, 0, 9]),
                (0, 14, b"key"),
                (0, 17, b"session"),
                (0, 15, ACK),
            ],
        );
        let hep = whole(&octets).unwrap();
        assert_eq!(hep.src, Some(Endpoint::new(Addr::v6(src), 5061)));
        assert_eq!(hep.dst, Some(Endpoint::new(Addr::v6(dst), 5062)));
        assert_eq!((hep.proto, hep.agent, hep.payload_type), (Proto(22), 9, SIP));
        assert_eq!(hep.time, Some(Ts::from_nanos(0x6500_0000 * 1_000_000_000 + 5_000)));
        assert_eq!((hep.correlation, hep.payload), (&b"session"[..], ACK));
        assert_eq!(&octets[hep.payload_at..][..ACK.len()], ACK);
        let mut other = octets.clone();
        other[..4].copy_from_slice(b"EEP3");
        assert_eq!(whole(&other).map(|hep| hep.payload), Some(ACK));
        // Cut by the capture: what is there is read.
        for cut in 6..octets.len() {
            let length = u32::try_from(octets.len()).unwrap();
            let hep = read(&octets[..cut], length).unwrap();
            assert!(hep.payload.len() < ACK.len() && ACK.starts_with(hep.payload));
        }
    }

    #[test]
    fn a_message_that_contradicts_itself_is_none() {
        let octets = message(b"HEP3", &[(0, 1, &[2]), (0, 15, ACK)]);
        assert!(whole(&octets).is_some());
        for (at, octet) in [(0, b'h'), (4, 0xff), (5, 5), (11, 5), (11, 0xff)] {
            let mut other = octets.clone();
            other[at] = octet;
            assert_eq!(whole(&other), None, "{at}");
        }
        // Shorter than its chunks.
        let mut short = octets.clone();
        short[5] -= 1;
        assert_eq!(whole(&short), None);
        // Compressed: there is nothing to read, but it is HEP.
        let octets = message(b"HEP3", &[(0, 11, &[1]), (0, 16, b"zip")]);
        assert_eq!(whole(&octets).map(|hep| hep.payload), Some(&b""[..]));
    }

    #[test]
    fn the_second_version_may_pad_its_time_and_count_it() {
        let head = |length: u8| {
            [&[2, length, 2, 17, 0x13, 0xc4, 0x13, 0xc6, 10, 0, 0, 1, 10, 0, 0, 2][..]].concat()
        };
        let time = [1, 0, 0, 0x65, 7, 0, 0, 0, 9, 0];
        for (length, padding) in [(16, 2), (28, 2), (16, 0), (26, 0)] {
            let octets = [&head(length), &time[..], &[0; 2][..padding], ACK].concat();
            let hep = whole(&octets).unwrap();
            assert_eq!((hep.payload, hep.agent), (ACK, 9));
            assert_eq!(hep.src, Some(Endpoint::new(Addr::v4([10, 0, 0, 1]), 5060)));
            assert_eq!(hep.time, Some(Ts::from_nanos(0x6500_0001 * 1_000_000_000 + 7_000)));
        }
        assert_eq!(whole(&[&head(20), &time[..], ACK].concat()), None);
    }
}
