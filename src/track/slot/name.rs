//! A stream's name in sixteen octets, so that comparing names and keeping counts takes two cache lines.

use super::{Slot, WIDE};
use crate::model::addr::{Addr, Endpoint};
use crate::model::stream::StreamKey;

/// The addresses, ports and SSRC of a stream over IPv4; of one over IPv6 a hash stands for the addresses.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    addrs: u64,
    ports: u32,
    pub(super) ssrc: u32,
}

impl Name {
    /// The short name, and whether it says all.
    #[inline]
    pub(super) fn of(key: &StreamKey) -> (Self, bool) {
        let (src, dst) = (&key.src, &key.dst);
        let ports = u32::from(src.port) << 16 | u32::from(dst.port);
        let name = |addrs| Self { addrs, ports, ssrc: key.ssrc };
        match (src.addr.as_v4(), dst.addr.as_v4()) {
            (Some(src), Some(dst)) => {
                let [src, dst] = [src, dst].map(|octets| u64::from(u32::from_be_bytes(octets)));
                (name(src << 32 | dst), true)
            }
            _ => (name(key.flow().hash64()), false),
        }
    }

    /// What it is short for, where it says all.
    fn key(self) -> StreamKey {
        let [a, b, c, d, e, f, g, h] = self.addrs.to_be_bytes();
        let [p, q, r, s] = self.ports.to_be_bytes();
        let end = |octets, port| Endpoint::new(Addr::v4(octets), u16::from_be_bytes(port));
        StreamKey {
            src: end([a, b, c, d], [p, q]),
            dst: end([e, f, g, h], [r, s]),
            ssrc: self.ssrc,
        }
    }
}

impl Slot {
    /// Whether it is this stream.
    #[inline]
    pub(in crate::track) fn is(&self, key: &StreamKey) -> bool {
        let (name, whole) = Name::of(key);
        self.name == name && (whole && self.flags & WIDE == 0 || self.wide.as_deref() == Some(key))
    }

    /// Which stream it is.
    pub(in crate::track) fn key(&self) -> StreamKey {
        self.wide.as_deref().copied().unwrap_or_else(|| self.name.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(src: ([u8; 4], u16), dst: ([u8; 4], u16), ssrc: u32) -> StreamKey {
        let end = |(octets, port)| Endpoint::new(Addr::v4(octets), port);
        StreamKey { src: end(src), dst: end(dst), ssrc }
    }

    proptest! {
        #[test]
        fn an_ipv4_name_says_all(src: ([u8; 4], u16), dst: ([u8; 4], u16), ssrc: u32) {
            let key = key(src, dst, ssrc);
            let (name, whole) = Name::of(&key);
            prop_assert!(whole);
            prop_assert_eq!(name.key(), key);
        }

        #[test]
        fn an_ipv6_name_does_not(src: [u8; 16], dst: [u8; 16]) {
            let end = |octets| Endpoint::new(Addr::v6(octets), 5004);
            let key = StreamKey { src: end(src), dst: end(dst), ssrc: 7 };
            prop_assert_eq!(Name::of(&key).1, end(src).addr.as_v4().is_some() && end(dst).addr.as_v4().is_some());
        }
    }
}
