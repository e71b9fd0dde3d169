//! Link headers: Ethernet with VLAN tags, Linux cooked captures, BSD loopback, none.
//!
//! Reads <https://www.tcpdump.org/linktypes.html>: 0, 1, 12, 14, 101, 108, 113, 228, 229, 276.
//! Decides where the IP header begins and whether there is one. Does not read 802.3 LLC/SNAP,
//! `PPPoE` or MPLS: tunnels come later, in `ether`.

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
pub(super) fn mac_hash(macs: &[u8; 12]) -> u64 {
    let &[ref high @ .., w, x, y, z] = macs;
    mix(mix(0, u64::from_be_bytes(*high)), u64::from(u32::from_be_bytes([w, x, y, z])))
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
    let (macs, rest) = frame.split_first_chunk().ok_or(Skip::MalformedLink)?;
    let ethertype = rest.first_chunk().ok_or(Skip::MalformedLink)?;
    ether(frame, u16::from_be_bytes(*ethertype), 14, mac_hash(macs))
}

/// `LINKTYPE_LINUX_SLL`: packet type, ARPHRD type, address length (2 octets each), address (8),
/// protocol.
fn sll(frame: &[u8]) -> Result<Opened, Skip> {
    let (first, rest) = frame.split_first_chunk().ok_or(Skip::MalformedLink)?;
    let (second, rest) = rest.split_first_chunk().ok_or(Skip::MalformedLink)?;
    let ethertype = rest.first_chunk().ok_or(Skip::MalformedLink)?;
    ether(frame, u16::from_be_bytes(*ethertype), 16, cooked_hash(*first, *second))
}

/// `LINKTYPE_LINUX_SLL2`: protocol, reserved (2 octets each), interface index (4), ARPHRD type (2),
/// packet type, address length, address (8).
fn sll2(frame: &[u8]) -> Result<Opened, Skip> {
    let (&[high, low, _, _], rest) = frame.split_first_chunk().ok_or(Skip::MalformedLink)?;
    let (first, rest) = rest.split_first_chunk().ok_or(Skip::MalformedLink)?;
    let (&second, _) = rest.split_first_chunk::<8>().ok_or(Skip::MalformedLink)?;
    let [second @ .., _, _] = second;
    ether(frame, u16::from_be_bytes([high, low]), 20, cooked_hash(*first, second))
}

/// The hash of a cooked header: whatever it says beside the protocol. Of the 8 octets for an
/// address, 6 are used.
fn cooked_hash(first: [u8; 8], second: [u8; 6]) -> u64 {
    let [address @ .., y, z] = second;
    let address = u64::from(u32::from_be_bytes(address)) << 16;
    mix(mix(0, u64::from_be_bytes(first)), address | u64::from(u16::from_be_bytes([y, z])))
}

/// `LINKTYPE_NULL` and `LINKTYPE_LOOP`: the protocol family, in either byte order because NULL has the
/// capturing host's and files travel. `AF_INET6` is 24, 28 or 30 on the BSDs and 10 on Linux.
fn loopback(frame: &[u8]) -> Result<Opened, Skip> {
    let version = match frame.first_chunk() {
        None => return Err(Skip::MalformedLink),
        Some([0, 0, 0, 2] | [2, 0, 0, 0]) => Version::V4,
        Some([0, 0, 0, 10 | 24 | 28 | 30] | [10 | 24 | 28 | 30, 0, 0, 0]) => Version::V6,
        Some(_) => return Err(Skip::NotIp),
    };
    Ok(Opened { at: 4, version, link_hash: 0 })
}

/// What an ethertype announces, past VLAN tags. The ethertypes of tunnels belong here too.
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
