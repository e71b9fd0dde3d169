//! Link headers, by their number in <https://www.tcpdump.org/linktypes.html>: what they have before
//! the first header that other files read.
//!
//! Here: cooked captures of Linux (113, 276), loopback (0, 108), OpenBSD's packet filter and `IPsec`
//! (117, 109), Juniper (178 to 181), netfilter's log (239), and the fixed headers of a few more.
//! Radio headers are in [`super::wlan`], serial lines in [`super::ppp`].

use super::layer::{Next, Opened, Step, Version};
use super::rest::Rest;
use super::tunnels::Path;
use super::{Skip, ether, ppp, wlan};
use crate::model::frame::LinkType;

/// `ARPHRD_IEEE80211` and those with a header of the driver before it.
const ARPHRD_WLAN: u16 = 801;
const ARPHRD_PRISM: u16 = 802;
const ARPHRD_RADIOTAP: u16 = 803;

/// Attributes of a netfilter log message read to find its packet.
const MAX_ATTRIBUTES: usize = 64;
/// `NFULA_PAYLOAD`.
const NFLOG_PAYLOAD: u16 = 9;

/// Reads the link header of a frame.
pub(super) fn open<'a>(link: LinkType, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let ip = |skip, version| Ok(Step::Next(Next::Ip(version), rest.past(skip)));
    match link {
        LinkType::ETHERNET => ether::ethernet(rest, path),
        LinkType::NETANALYZER => ether::ethernet(rest.past(4), path),
        LinkType::LINUX_SLL => sll(rest, path),
        LinkType::LINUX_SLL2 => sll2(rest, path),
        LinkType::NULL | LinkType::LOOP => loopback(rest, 4),
        LinkType::ENC => loopback(rest, 12),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => ip(0, Version::Either),
        LinkType::IPV4 => ip(0, Version::V4),
        LinkType::IPV6 => ip(0, Version::V6),
        LinkType::IPNET => ip(24, Version::Either),
        LinkType::PPP => ppp::open(rest),
        LinkType::PPP_HDLC => ppp::hdlc(rest),
        LinkType::PPP_WITH_DIR => ppp::hdlc(rest.past(1)),
        LinkType::PPP_PPPD => ppp::open(rest.past(2)),
        LinkType::PPP_ETHER => ether::pppoe(rest, path),
        LinkType::C_HDLC => ppp::cisco(rest),
        LinkType::C_HDLC_WITH_DIR => ppp::cisco(rest.past(1)),
        LinkType::FRELAY => ppp::relay(rest),
        LinkType::FRELAY_WITH_DIR => ppp::relay(rest.past(1)),
        LinkType::MPLS => ether::mpls(rest, path),
        LinkType::ATM_RFC1483 => ether::llc(rest),
        LinkType::IP_OVER_FC => ether::llc(rest.past(16)),
        LinkType::IEEE802_11 => wlan::open(rest, path),
        LinkType::IEEE802_11_PRISM => wlan::prism(rest),
        LinkType::IEEE802_11_AVS => wlan::avs(rest),
        LinkType::IEEE802_11_RADIOTAP => wlan::radiotap(rest, path),
        LinkType::PPI => wlan::ppi(rest),
        LinkType::PFLOG => pflog(rest),
        LinkType::NFLOG => nflog(rest),
        LinkType::PKTAP => pktap(rest),
        LinkType::APPLE_IP_OVER_IEEE1394 => {
            let (ethertype, rest) = rest.past(16).take16().ok_or(Skip::MalformedLink)?;
            ether::typed(ethertype, rest, path)
        }
        LinkType::JUNIPER_ETHER
        | LinkType::JUNIPER_PPP
        | LinkType::JUNIPER_FRELAY
        | LinkType::JUNIPER_CHDLC => juniper(link, rest, path),
        _ => Err(Skip::UnsupportedLink),
    }
}

/// `LINKTYPE_LINUX_SLL`: packet type, ARPHRD type, address length (2 octets each), address (8),
/// protocol.
fn sll<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (first, after) = rest.take::<8>().ok_or(Skip::MalformedLink)?;
    let (second, after) = after.take::<6>().ok_or(Skip::MalformedLink)?;
    let (protocol, after) = after.take16().ok_or(Skip::MalformedLink)?;
    let [_, _, high, low, ..] = first;
    cooked_hash(first, second, path);
    cooked(u16::from_be_bytes([high, low]), protocol, after, path)
}

/// `LINKTYPE_LINUX_SLL2`: protocol, reserved (2 octets each), interface index (4), ARPHRD type (2),
/// packet type, address length, address (8).
fn sll2<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (protocol, after) = rest.take16().ok_or(Skip::MalformedLink)?;
    let (first, after) = after.past(2).take::<8>().ok_or(Skip::MalformedLink)?;
    let (second, after) = after.take::<8>().ok_or(Skip::MalformedLink)?;
    let [second @ .., _, _] = second;
    let [_, _, _, _, high, low, ..] = first;
    cooked_hash(first, second, path);
    cooked(u16::from_be_bytes([high, low]), protocol, after, path)
}

/// What a protocol of Linux (`ETH_P_*`) announces on a device of this type.
fn cooked<'a>(device: u16, protocol: u16, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    match (device, protocol) {
        (ARPHRD_WLAN, _) => wlan::open(rest, path),
        (ARPHRD_PRISM, _) => wlan::prism(rest),
        (ARPHRD_RADIOTAP, _) => wlan::radiotap(rest, path),
        // ETH_P_802_2.
        (_, 4) => ether::llc(rest),
        (_, protocol) => ether::typed(protocol, rest, path),
    }
}

/// The hash of a cooked header: whatever it says beside the protocol. Of the 8 octets for an
/// address, 6 are used.
fn cooked_hash(first: [u8; 8], second: [u8; 6], path: &mut Path) {
    let [address @ .., y, z] = second;
    let address = u64::from(u32::from_be_bytes(address)) << 16;
    path.word(u64::from_be_bytes(first));
    path.word(address | u64::from(u16::from_be_bytes([y, z])));
}

/// `LINKTYPE_NULL` and `LINKTYPE_LOOP`: the protocol family, in either byte order because NULL has the
/// capturing host's and files travel. `AF_INET6` is 24, 28 or 30 on the BSDs and 10 on Linux.
///
/// `LINKTYPE_ENC` goes on with SPI and flags: its `header` has 12 octets.
fn loopback(rest: Rest<'_>, header: usize) -> Opened<'_> {
    let (family, _) = rest.take::<4>().ok_or(Skip::MalformedLink)?;
    let family = match family {
        [0, 0, 0, family] | [family, 0, 0, 0] => family,
        _ => 0,
    };
    of_family(family, rest.past(header))
}

fn of_family(family: u8, rest: Rest<'_>) -> Opened<'_> {
    let version = match family {
        2 => Version::V4,
        10 | 24 | 28 | 30 => Version::V6,
        _ => return Err(Skip::NotIp),
    };
    Ok(Step::Next(Next::Ip(version), rest))
}

/// `LINKTYPE_PFLOG`: length and family, then what the filter did; padded to a multiple of four.
fn pflog(rest: Rest<'_>) -> Opened<'_> {
    let ([length, family], _) = rest.take().ok_or(Skip::MalformedLink)?;
    let length = usize::from(length).saturating_add(3) & !3;
    if length < 4 {
        return Err(Skip::MalformedLink);
    }
    of_family(family, rest.past(length))
}

/// `LINKTYPE_NFLOG`: family, version, resource; then attributes, each with its length and type in the
/// byte order of the host, one of which is the packet.
fn nflog(rest: Rest<'_>) -> Opened<'_> {
    let ([family, version, _, _], mut rest) = rest.take().ok_or(Skip::MalformedLink)?;
    if version != 0 {
        return Err(Skip::MalformedLink);
    }
    for _ in 0..MAX_ATTRIBUTES {
        let ([l0, l1, t0, t1], value) = rest.take().ok_or(Skip::MalformedLink)?;
        // No type has its high octet set: that tells the byte order.
        let little = matches!(t1, 0 | 0x80);
        let word = |pair| if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
        let length = word([l0, l1]);
        if length < 4 {
            return Err(Skip::MalformedLink);
        }
        if word([t0, t1]) & 0x7fff == NFLOG_PAYLOAD {
            return of_family(family, value.cut(u32::from(length).saturating_sub(4)));
        }
        rest = rest.past(usize::from(length).saturating_add(3) & !3);
    }
    Err(Skip::MalformedLink)
}

/// `LINKTYPE_PKTAP`: length, type of record and link type, little endian.
fn pktap(rest: Rest<'_>) -> Opened<'_> {
    let (length, after) = rest.take::<4>().ok_or(Skip::MalformedLink)?;
    let (_, after) = after.take::<4>().ok_or(Skip::MalformedLink)?;
    let (link, _) = after.take::<4>().ok_or(Skip::MalformedLink)?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    let link = u16::try_from(u32::from_le_bytes(link)).map_err(|_| Skip::UnsupportedLink)?;
    if length < 12 || LinkType(link) == LinkType::PKTAP {
        return Err(Skip::MalformedLink);
    }
    Ok(Step::Next(Next::Link(LinkType(link)), rest.past(length)))
}

/// `LINKTYPE_JUNIPER_*`: `MGC`, flags, extensions with their length if the flags say so; then the
/// link header, unless the flags say that it was taken off.
fn juniper<'a>(link: LinkType, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let ([magic @ .., flags], after) = rest.take::<4>().ok_or(Skip::MalformedLink)?;
    if magic != *b"MGC" {
        return Err(Skip::MalformedLink);
    }
    let mut rest = after;
    if flags & 0x80 != 0 {
        let (length, extensions) = rest.take16().ok_or(Skip::MalformedLink)?;
        rest = extensions.past(usize::from(length));
    }
    if flags & 0x02 != 0 {
        // Four octets of family in its place.
        return Ok(Step::Next(Next::Ip(Version::Either), rest.past(4)));
    }
    match link {
        LinkType::JUNIPER_PPP => ppp::hdlc(rest),
        LinkType::JUNIPER_FRELAY => ppp::relay(rest),
        LinkType::JUNIPER_CHDLC => ppp::cisco(rest),
        _ => ether::ethernet(rest, path),
    }
}
