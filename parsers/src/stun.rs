//! STUN messages and TURN channel data, recognised by their own lengths.
//!
//! ```text
//! |0 0|     message type (14)     |     length of attributes      |
//! |                    magic cookie 0x2112A442                    |
//! |                 transaction id, 96 bits                       |
//! ```
//!
//! RFC 8489 §5 and §14; the classic form without a cookie is RFC 3489 §11. Channel data is
//! RFC 8656 §12.4. Integrity and fingerprint attributes are not verified.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The second word of every message since RFC 5389.
pub const MAGIC_COOKIE: u32 = 0x2112_a442;

const MAPPED_ADDRESS: u16 = 0x0001;
const USERNAME: u16 = 0x0006;
const CHANNEL_NUMBER: u16 = 0x000c;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA: u16 = 0x0013;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const USE_CANDIDATE: u16 = 0x0025;

/// Asks how its sender looks from outside, and checks a path (RFC 8489 §2).
pub const BINDING: u16 = 1;
/// Asks for a relayed address (RFC 8656 §7).
pub const ALLOCATE: u16 = 3;
/// Carries a datagram to a peer (RFC 8656 §11).
pub const SEND: u16 = 6;
/// Carries a datagram from a peer (RFC 8656 §11).
pub const DATA_INDICATION: u16 = 7;
/// Names a channel for a peer (RFC 8656 §12).
pub const CHANNEL_BIND: u16 = 9;

/// The two class bits of the message type.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// Asks for an answer.
    Request,
    /// Asks for none.
    Indication,
    /// A positive answer.
    Success,
    /// A negative answer.
    Error,
}

/// One STUN message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Request, indication or response.
    pub class: Class,
    /// 1 Binding, 3 Allocate, 4 Refresh, 6 Send, 7 Data, 8 `CreatePermission`, 9 `ChannelBind`.
    pub method: u16,
    /// Whether it has the magic cookie (RFC 5389 on) or is a classic one (RFC 3489).
    pub cookie: bool,
    /// The transaction: 12 octets, or 16 without a cookie.
    pub transaction: &'a [u8],
    /// The attributes as far as they were captured.
    pub attributes: &'a [u8],
}

/// Why a datagram is not STUN.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StunError {
    /// Fewer than 20 octets, or fewer than the length says.
    Short {
        /// Octets asked for.
        need: usize,
        /// Octets there are.
        have: usize,
    },
    /// The first two bits are not zero, or the length is not a multiple of 4.
    Header,
    /// No cookie, and not one of the six classic messages with attributes that walk to the end.
    NoCookie,
}

/// One attribute: its type and value.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The type; 0x8000 and above may be ignored by a receiver.
    pub kind: u16,
    /// The value without padding.
    pub value: &'a [u8],
}

/// The attributes of a message, up to the first that does not fit.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads one datagram. Octets behind a message with a cookie are tolerated.
    ///
    /// # Errors
    /// See [`StunError`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, StunError> {
        let have = datagram.len();
        let Some((&[t0, t1, l0, l1, c0, c1, c2, c3], _)) = datagram.split_first_chunk() else {
            return Err(StunError::Short { need: 20, have });
        };
        if t0 & 0xc0 != 0 || l1 & 3 != 0 {
            return Err(StunError::Header);
        }
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let need = length.saturating_add(20);
        let cookie = u32::from_be_bytes([c0, c1, c2, c3]) == MAGIC_COOKIE;
        let short = StunError::Short { need, have };
        let transaction = datagram.get(if cookie { 8..20 } else { 4..20 }).ok_or(short)?;
        let attributes = datagram.get(20..need).ok_or(short)?;
        let kind = u16::from_be_bytes([t0, t1]);
        let message = Self {
            class: match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
                (false, false) => Class::Request,
                (false, true) => Class::Indication,
                (true, false) => Class::Success,
                (true, true) => Class::Error,
            },
            method: kind & 0x000f | (kind & 0x00e0) >> 1 | (kind & 0x3e00) >> 2,
            cookie,
            transaction,
            attributes,
        };
        if cookie || message.is_classic(kind, need == have) {
            Ok(message)
        } else {
            Err(StunError::NoCookie)
        }
    }

    /// Its attributes in order.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { rest: self.attributes }
    }

    /// The address that the sender of the request is seen under: XOR-MAPPED-ADDRESS, or a classic
    /// MAPPED-ADDRESS.
    pub fn mapped_address(&self) -> Option<SocketAddr> {
        self.attributes().find_map(|attribute| match attribute.kind {
            XOR_MAPPED_ADDRESS if self.cookie => address(attribute.value, self.transaction),
            MAPPED_ADDRESS => address(attribute.value, &[]),
            _ => None,
        })
    }

    /// XOR-RELAYED-ADDRESS: where peers reach the client (RFC 8656 §18.5).
    pub fn relayed_address(&self) -> Option<SocketAddr> {
        self.xored(XOR_RELAYED_ADDRESS)
    }

    /// XOR-PEER-ADDRESS: the peer as the server sees it (RFC 8656 §18.3).
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.xored(XOR_PEER_ADDRESS)
    }

    /// CHANNEL-NUMBER, 0x4000 to 0x4FFF (RFC 8656 §18.1).
    pub fn channel_number(&self) -> Option<u16> {
        let value = self.attributes().find(|a| a.kind == CHANNEL_NUMBER)?.value;
        let channel = u16::from_be_bytes(*value.first_chunk()?);
        (0x4000..=0x4fff).contains(&channel).then_some(channel)
    }

    /// DATA: the datagram of a Send or Data indication (RFC 8656 §18.4).
    pub fn data(&self) -> Option<&'a [u8]> {
        self.attributes().find(|a| a.kind == DATA).map(|a| a.value)
    }

    fn xored(&self, kind: u16) -> Option<SocketAddr> {
        let found = self.attributes().find(|a| a.kind == kind).filter(|_| self.cookie)?;
        address(found.value, self.transaction)
    }

    /// USERNAME: for ICE `receiver:sender` fragments.
    pub fn username(&self) -> Option<&'a [u8]> {
        self.attributes().find(|a| a.kind == USERNAME).map(|a| a.value)
    }

    /// USE-CANDIDATE: the controlling side nominates this pair (RFC 8445 §7.1.2).
    pub fn use_candidate(&self) -> bool {
        self.attributes().any(|a| a.kind == USE_CANDIDATE)
    }

    fn is_classic(&self, kind: u16, exact: bool) -> bool {
        let mut attributes = self.attributes();
        let known = attributes.by_ref().all(|a| matches!(a.kind, 1..=0x000b | 0x8000..));
        let type_known = matches!(kind, 0x0001 | 0x0101 | 0x0111 | 0x0002 | 0x0102 | 0x0112);
        // A request without attributes proves little, but type, zero length and exact size agree.
        exact && type_known && known && attributes.rest.is_empty()
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let (&[t0, t1, l0, l1], rest) = self.rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let value = rest.get(..length)?;
        self.rest = rest.get(length.checked_next_multiple_of(4)?..).unwrap_or(&[]);
        Some(Attribute { kind: u16::from_be_bytes([t0, t1]), value })
    }
}

/// The payload of TURN channel data: channel 0x4000 to 0x4FFF, a length that fits, and at most
/// three octets of padding behind.
pub fn channel_data(datagram: &[u8]) -> Option<(u16, &[u8])> {
    let (&[c0, c1, l0, l1], rest) = datagram.split_first_chunk()?;
    let channel = u16::from_be_bytes([c0, c1]);
    let (data, padding) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
    ((0x4000..=0x4fff).contains(&channel) && padding.len() < 4).then_some((channel, data))
}

/// The payload of channel data of which the capture has less than the `wire` octets that were sent:
/// as much of it as there is.
pub fn channel_data_cut(datagram: &[u8], wire: usize) -> Option<(u16, &[u8])> {
    let (&[c0, c1, l0, l1], rest) = datagram.split_first_chunk()?;
    let channel = u16::from_be_bytes([c0, c1]);
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let padding = wire.checked_sub(length.saturating_add(4))?;
    let data = rest.get(..length).unwrap_or(rest);
    ((0x4000..=0x4fff).contains(&channel) && padding < 4).then_some((channel, data))
}

/// An address attribute; with a transaction, one that was exclusive-ored with cookie and
/// transaction (RFC 8489 §14.2).
fn address(value: &[u8], transaction: &[u8]) -> Option<SocketAddr> {
    let (&[_, family, p0, p1], rest) = value.split_first_chunk()?;
    let xored = !transaction.is_empty();
    let mut mask = [0; 16];
    if xored {
        let key = MAGIC_COOKIE.to_be_bytes();
        for (octet, key) in mask.iter_mut().zip(key.iter().chain(transaction)) {
            *octet = *key;
        }
    }
    let &[m0, m1, ..] = &mask;
    let port = u16::from_be_bytes([p0 ^ m0, p1 ^ m1]);
    let ip: IpAddr = match family {
        1 => {
            let octets: &[u8; 4] = rest.first_chunk()?;
            let [a, b, c, d] = *octets;
            let &[m0, m1, m2, m3, ..] = &mask;
            Ipv4Addr::new(a ^ m0, b ^ m1, c ^ m2, d ^ m3).into()
        }
        2 => {
            let mut octets: [u8; 16] = *rest.first_chunk()?;
            for (octet, mask) in octets.iter_mut().zip(mask) {
                *octet ^= mask;
            }
            Ipv6Addr::from(octets).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, cookie: bool, attributes: &[u8]) -> Vec<u8> {
        let mut octets = kind.to_be_bytes().to_vec();
        octets.extend(u16::try_from(attributes.len()).unwrap().to_be_bytes());
        octets.extend(if cookie { MAGIC_COOKIE.to_be_bytes() } else { [1, 2, 3, 4] });
        octets.extend([0xb7, 0xe7, 0xa7, 1, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);
        octets.extend(attributes);
        octets
    }

    #[test]
    fn the_type_bits_are_put_together() {
        let octets = message(0x0113, true, &[]);
        let parsed = Message::parse(&octets).unwrap();
        assert_eq!((parsed.class, parsed.method), (Class::Error, 3));
    }

    #[test]
    fn the_response_of_rfc_5769_gives_its_address() {
        // RFC 5769 §2.2: 192.0.2.1:32853.
        let octets =
            message(0x0101, true, &[0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        let parsed = Message::parse(&octets).unwrap();
        assert_eq!(parsed.mapped_address(), Some("192.0.2.1:32853".parse().unwrap()));
    }

    #[test]
    fn ice_attributes_are_found() {
        let octets = message(1, true, &[0, 6, 0, 3, b'a', b':', b'b', 0, 0, 0x25, 0, 0]);
        let parsed = Message::parse(&octets).unwrap();
        assert_eq!(parsed.username(), Some(&b"a:b"[..]));
        assert!(parsed.use_candidate());
    }

    #[test]
    fn a_classic_message_must_be_exact() {
        let classic = message(0x0101, false, &[0, 1, 0, 8, 0, 1, 0x13, 0xc4, 192, 0, 2, 9]);
        let parsed = Message::parse(&classic).unwrap();
        assert_eq!(parsed.mapped_address(), Some("192.0.2.9:5060".parse().unwrap()));
        let longer = [&classic[..], &[0]].concat();
        assert_eq!(Message::parse(&longer), Err(StunError::NoCookie));
        assert_eq!(Message::parse(&message(3, false, &[])), Err(StunError::NoCookie));
        assert_eq!(Message::parse(&classic[..24]), Err(StunError::Short { need: 32, have: 24 }));
    }

    #[test]
    fn an_indication_carries_a_datagram_and_its_peer() {
        // XOR-PEER-ADDRESS 192.0.2.1:32853, then DATA.
        let peer = [0, 0x12, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        let data = [0, 0x13, 0, 3, 7, 8, 9, 0];
        let octets = message(0x0016, true, &[&peer[..], &data].concat());
        let parsed = Message::parse(&octets).unwrap();
        assert_eq!((parsed.class, parsed.method), (Class::Indication, SEND));
        assert_eq!(parsed.peer_address(), Some("192.0.2.1:32853".parse().unwrap()));
        assert_eq!(parsed.data(), Some(&[7, 8, 9][..]));
        let octets = message(0x0009, true, &[0, 0x0c, 0, 4, 0x40, 1, 0, 0]);
        let parsed = Message::parse(&octets).unwrap();
        assert_eq!((parsed.method, parsed.channel_number()), (CHANNEL_BIND, Some(0x4001)));
    }

    #[test]
    fn cut_channel_data_is_judged_by_what_was_sent() {
        let cut = [0x40, 1, 0, 8, 1, 2];
        assert_eq!(channel_data_cut(&cut, 12), Some((0x4001, &[1, 2][..])));
        assert_eq!(channel_data_cut(&cut, 16), None);
        assert_eq!(channel_data_cut(&cut, 11), None);
    }

    #[test]
    fn channel_data_fits_its_length() {
        assert_eq!(channel_data(&[0x40, 1, 0, 2, 7, 8, 0, 0]), Some((0x4001, &[7, 8][..])));
        assert_eq!(channel_data(&[0x40, 1, 0, 2, 7]), None);
        assert_eq!(channel_data(&[0x50, 1, 0, 0]), None);
        assert_eq!(channel_data(&[0x40, 1, 0, 0, 1, 2, 3, 4]), None);
    }
}
