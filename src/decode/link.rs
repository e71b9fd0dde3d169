//! Link headers: Ethernet with VLAN tags, Linux cooked captures, BSD loopback, none.
//!
//! Reads <https://www.tcpdump.org/linktypes.html>: 0, 1, 12, 14, 101, 108, 113, 228, 229, 276.
//! Decides where the IP header begins and whether there is one. Does not read 802.3 LLC/SNAP,
//! PPPoE or MPLS (tunnels come later, in [`ether`]).

use super::Skip;
use crate::model::frame::LinkType;

/// IEEE 802.1Q, IEEE 802.1ad, and the number that went before it.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Tags read one inside the other; more is not a network but an experiment.
const MAX_TAGS: usize = 4;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// Which IP the link header announces.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// Whatever the first four bits say.
    Either,
}

/// A frame whose link header was read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Offset of the IP header.
    pub at: usize,
    /// Which IP it is.
    pub version: Version,
    /// See [`super::Packet::link_hash`].
    pub link_hash: u32,
}

/// Reads the link header of a frame.
///
/// # Errors
/// [`Skip::UnsupportedLink`], [`Skip::MalformedLink`] when the header is cut, [`Skip::NotIp`].
pub fn open(link: Option<LinkType>, frame: &[u8]) -> Result<Opened, Skip> {
    let raw = |version| Ok(Opened { at: 0, version, link_hash: 0 });
    match link {
        Some(LinkType::ETHERNET) => ethernet(frame),
        Some(LinkType::LINUX_SLL) => sll(frame),
        Some(LinkType::LINUX_SLL2) => sll2(frame),
        Some(LinkType::NULL | LinkType::LOOP) => loopback(frame),
        Some(LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD) => raw(Version::Either),
        Some(LinkType::IPV4) => raw(Version::V4),
        Some(LinkType::IPV6) => raw(Version::V6),
        _ => Err(Skip::UnsupportedLink),
    }
}

/// The hash of a MAC pair, from the twelve octets as they stand.
///
/// It only has to tell honest links apart, so two multiplications do.
pub(super) fn mac_hash(high: u64, low: u32) -> u64 {
    mix(mix(0, high), u64::from(low))
}

/// The hash with a VLAN tag (its 12-bit identifier; priority may differ between sightings).
pub(super) fn tag_hash(hash: u64, tag: u16) -> u64 {
    mix(hash, u64::from(tag & 0x0fff) | 0x1_0000)
}

/// The upper half of a hash.
pub(super) fn fold(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or_default()
}

fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 29)
}

fn ethernet(frame: &[u8]) -> Result<Opened, Skip> {
    let Some((&[a, b, c, d, e, f, g, h, i, j, k, l, m, n], _)) = frame.split_first_chunk() else {
        return Err(Skip::MalformedLink);
    };
    let hash =
        mac_hash(u64::from_be_bytes([a, b, c, d, e, f, g, h]), u32::from_be_bytes([i, j, k, l]));
    ether(frame, u16::from_be_bytes([m, n]), 14, hash)
}

/// LINKTYPE_LINUX_SLL: packet type, ARPHRD type, address length, address (8 octets), protocol.
fn sll(frame: &[u8]) -> Result<Opened, Skip> {
    let Some((&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, p, q], _)) = frame.split_first_chunk()
    else {
        return Err(Skip::MalformedLink);
    };
    let hash = mix(
        mix(0, u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        u64::from_be_bytes([i, j, k, l, m, n, 0, 0]),
    );
    ether(frame, u16::from_be_bytes([p, q]), 16, hash)
}

/// LINKTYPE_LINUX_SLL2: protocol, reserved, interface index (4), ARPHRD type, packet type,
/// address length, address (8 octets).
fn sll2(frame: &[u8]) -> Result<Opened, Skip> {
    let Some((&[p, q, _, _, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, r], _)) =
        frame.split_first_chunk()
    else {
        return Err(Skip::MalformedLink);
    };
    let hash = mix(
        mix(0, u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        u64::from_be_bytes([i, j, k, l, m, n, o, r]),
    );
    ether(frame, u16::from_be_bytes([p, q]), 20, hash)
}

/// LINKTYPE_NULL and LINKTYPE_LOOP: the protocol family, in either byte order because NULL has the
/// capturing host's and files travel. AF_INET6 is 24, 28 or 30 on the BSDs and 10 on Linux.
fn loopback(frame: &[u8]) -> Result<Opened, Skip> {
    let version = match frame.first_chunk() {
        None => return Err(Skip::MalformedLink),
        Some([0, 0, 0, 2] | [2, 0, 0, 0]) => Version::V4,
        Some([0, 0, 0, 10 | 24 | 28 | 30] | [10 | 24 | 28 | 30, 0, 0, 0]) => Version::V6,
        Some(_) => return Err(Skip::NotIp),
    };
    Ok(Opened { at: 4, version, link_hash: 0 })
}

/// What an EtherType announces, past VLAN tags. The EtherTypes of tunnels belong here too.
fn ether(frame: &[u8], first: u16, start: usize, mut hash: u64) -> Result<Opened, Skip> {
    let (mut ethertype, mut at) = (first, start);
    for _ in 0..=MAX_TAGS {
        let version = match ethertype {
            ETHERTYPE_IPV4 => Version::V4,
            ETHERTYPE_IPV6 => Version::V6,
            tag if TAGS.contains(&tag) => {
                let Some(&[a, b, c, d]) = frame.get(at..).and_then(<[u8]>::first_chunk) else {
                    return Err(Skip::MalformedLink);
                };
                hash = tag_hash(hash, u16::from_be_bytes([a, b]));
                ethertype = u16::from_be_bytes([c, d]);
                at = at.saturating_add(4);
                continue;
            }
            _ => return Err(Skip::NotIp),
        };
        return Ok(Opened { at, version, link_hash: fold(hash) });
    }
    Err(Skip::MalformedLink)
}
