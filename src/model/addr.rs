//! Addresses, endpoints and the direction-free key of a flow.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};

use serde::{Serialize, Serializer};

use super::packed::{Packed, Packer, Unpacker};
use super::text::Short;

/// An IPv4 or IPv6 address in 16 octets, network order.
///
/// IPv4 is held as its IPv4-mapped form (`::ffff:a.b.c.d`), so that every table has one key shape.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Addr([u8; 16]);

/// By octets. Compared as two numbers: for every packet, that of comparing strings is felt.
impl Ord for Addr {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.halves().cmp(&other.halves())
    }
}

impl PartialOrd for Addr {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Addr {
    /// What an IPv4-mapped address begins with.
    const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

    /// An IPv4 address from its four octets.
    pub const fn v4(octets: [u8; 4]) -> Self {
        let number = 0xffff_0000_0000 | u32::from_be_bytes(octets) as u128;
        Self(number.to_be_bytes())
    }

    /// An IPv6 address from its sixteen octets.
    pub const fn v6(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The octets as two numbers.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "halves")]
    const fn halves(self) -> (u64, u64) {
        let number = u128::from_be_bytes(self.0);
        ((number >> 64) as u64, number as u64)
    }

    /// The sixteen octets, IPv4 in its mapped form.
    pub const fn octets(&self) -> &[u8; 16] {
        &self.0
    }

    /// The address as the standard library's type; mapped addresses come out as IPv4.
    #[inline]
    pub fn ip(&self) -> IpAddr {
        match self.as_v4() {
            Some(octets) => IpAddr::V4(octets.into()),
            None => IpAddr::V6(Ipv6Addr::from(self.0)),
        }
    }

    /// The four octets of an IPv4 address.
    #[inline]
    pub fn as_v4(&self) -> Option<[u8; 4]> {
        let [mapped @ .., a, b, c, d] = self.0;
        (mapped == Self::MAPPED).then_some([a, b, c, d])
    }

    /// `0.0.0.0` or `::`, which SDP uses for hold.
    pub fn is_unspecified(&self) -> bool {
        self.ip().is_unspecified()
    }

    /// Whether the address is routed on the public Internet, as far as the address alone can tell:
    /// not loopback, private (RFC 1918), CGNAT (RFC 6598), link-local, ULA (RFC 4193),
    /// documentation, multicast, unspecified or broadcast.
    pub fn is_public(&self) -> bool {
        if let Some(octets) = self.as_v4() {
            !matches!(
                octets,
                [0 | 10 | 127 | 224..=239, ..]
                    | [100, 64..=127, ..]
                    | [169, 254, ..]
                    | [172, 16..=31, ..]
                    | [192, 168, ..]
                    | [198, 18 | 19, ..]
                    | [192, 0, 2, _]
                    | [198, 51, 100, _]
                    | [203, 0, 113, _]
                    | [255, 255, 255, 255]
            )
        } else {
            let v6 = Ipv6Addr::from(self.0);
            let [first, second, ..] = v6.segments();
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || (first == 0x2001 && second == 0xdb8))
        }
    }
}

impl From<IpAddr> for Addr {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::v4(v4.octets()),
            IpAddr::V6(v6) => Self::v6(v6.octets()),
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

/// An address and a UDP or TCP port.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address.
    pub addr: Addr,
    /// The port, host order.
    pub port: u16,
}

impl Endpoint {
    /// An endpoint from its parts.
    pub const fn new(addr: Addr, port: u16) -> Self {
        Self { addr, port }
    }
}

impl Addr {
    fn text(&self) -> Short {
        let mut text = Short::EMPTY;
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut Short) {
        match self.ip() {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                text.decimal(u64::from(a));
                for octet in [b, c, d] {
                    text.push(b'.');
                    text.decimal(u64::from(octet));
                }
            }
            IpAddr::V6(v6) => {
                // 45 octets at most: it fits.
                let _ = write!(text, "{v6}");
            }
        }
    }
}

impl Endpoint {
    fn text(&self) -> Short {
        let mut text = Short::EMPTY;
        let v6 = self.addr.ip().is_ipv6();
        if v6 {
            text.push(b'[');
        }
        self.addr.write(&mut text);
        if v6 {
            text.push(b']');
        }
        text.push(b':');
        text.decimal(u64::from(self.port));
        text
    }
}

/// `ip:port`, IPv6 as `[ip]:port`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Serialize for Addr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

/// A flag, the port, and 4 octets or 16.
impl Packed<'_> for Endpoint {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        match self.addr.as_v4() {
            Some(octets) => (true, (self.port.to_be_bytes(), octets)).pack(out),
            None => (false, (self.port.to_be_bytes(), self.addr.0)).pack(out),
        }
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        let (v4, port) = Packed::unpack(from)?;
        let addr = if v4 { Addr::v4(Packed::unpack(from)?) } else { Addr(Packed::unpack(from)?) };
        Some(Self { addr, port: u16::from_be_bytes(port) })
    }
}

/// The transport protocol of a datagram or segment, by its IP protocol number.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proto(pub u8);

impl Proto {
    /// TCP, protocol 6.
    pub const TCP: Self = Self(6);
    /// UDP, protocol 17.
    pub const UDP: Self = Self(17);
    /// SCTP, protocol 132.
    pub const SCTP: Self = Self(132);
}

/// The two endpoints of a flow and its protocol, the same in both directions.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    /// The smaller endpoint.
    pub low: Endpoint,
    /// The larger endpoint.
    pub high: Endpoint,
    /// The transport.
    pub proto: Proto,
}

impl FlowKey {
    /// The key of the flow between two endpoints, in whichever order they are named.
    pub fn new(a: Endpoint, b: Endpoint, proto: Proto) -> Self {
        if a <= b { Self { low: a, high: b, proto } } else { Self { low: b, high: a, proto } }
    }

    /// Whether this is the flow between two endpoints, of which no key is made.
    #[inline]
    pub fn is_between(&self, a: &Endpoint, b: &Endpoint, proto: Proto) -> bool {
        let forth = self.low == *a && self.high == *b;
        (forth || self.low == *b && self.high == *a) && self.proto == proto
    }

    /// A 64-bit hash of the key: the same on every run and machine, so that cells, and with them
    /// evictions and the order of facts, are too.
    pub fn hash64(&self) -> u64 {
        Self::hash_between(&self.low, &self.high, self.proto)
    }

    /// [`Self::hash64`] of the flow between two endpoints, of which no key is made.
    #[inline]
    pub fn hash_between(a: &Endpoint, b: &Endpoint, proto: Proto) -> u64 {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        let mut hasher = STABLE.build_hasher();
        hasher.write(&low.addr.0);
        hasher.write(&high.addr.0);
        hasher
            .write_u64(u64::from(low.port) << 32 | u64::from(high.port) << 8 | u64::from(proto.0));
        hasher.finish()
    }
}

/// The hash used wherever a hash may show in the output: fixed seeds, no per-process randomness.
///
/// A fixed seed lets an adversary aim for one bucket, so every table behind it is bounded and its
/// probe length is too.
pub const STABLE: foldhash::quality::FixedState =
    foldhash::quality::FixedState::with_seed(0x6f76_6572_6865_6172);

/// [`STABLE`] applied to one value.
pub fn stable_hash(value: &impl Hash) -> u64 {
    STABLE.hash_one(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        let socket: std::net::SocketAddr = text.parse().unwrap();
        Endpoint::new(socket.ip().into(), socket.port())
    }

    #[test]
    fn a_flow_has_one_key_in_both_directions() {
        let (a, b) = (endpoint("192.0.2.1:5060"), endpoint("[2001:db8::1]:5061"));
        assert_eq!(FlowKey::new(a, b, Proto::UDP), FlowKey::new(b, a, Proto::UDP));
        assert_eq!(
            FlowKey::new(a, b, Proto::UDP).hash64(),
            FlowKey::new(b, a, Proto::UDP).hash64()
        );
    }

    #[test]
    fn endpoints_print_as_the_contract_says() {
        assert_eq!(endpoint("192.0.2.1:5060").to_string(), "192.0.2.1:5060");
        assert_eq!(endpoint("[2001:db8::1]:5061").to_string(), "[2001:db8::1]:5061");
    }

    #[test]
    fn zones_are_told_by_the_address() {
        for private in ["10.1.2.3:1", "100.64.0.1:1", "192.0.2.1:1", "[fd00::1]:1", "127.0.0.1:1"] {
            assert!(!endpoint(private).addr.is_public(), "{private}");
        }
        assert!(endpoint("8.8.8.8:1").addr.is_public());
        assert!(endpoint("[2a00::1]:1").addr.is_public());
    }
}
