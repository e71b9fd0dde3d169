//! Ethernet (IEEE 802.3) and what ethertypes announce: VLAN tags, LLC and SNAP (IEEE 802.2,
//! RFC 1042), MPLS (RFC 3032) with pseudowires (RFC 4448), `PPPoE` (RFC 2516), PBB (IEEE 802.1ah),
//! `MACsec` (IEEE 802.1AE), NSH (RFC 8300), and the tags of switches that extend their ports.
//!
//! Does not read token ring, FDDI or IPX framing.

use super::layer::{Next, Opened, Step, Version};
use super::rest::Rest;
use super::tunnels::{Kind, Path};
use super::{Skip, octets32};

/// IEEE 802.1Q, IEEE 802.1ad, and the numbers that went before it.
const TAGS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
/// Tags read one inside the other; more is not a network but an experiment.
const MAX_TAGS: usize = 4;
/// MPLS labels read one after the other.
const MAX_LABELS: usize = 16;
/// The label that says that the next one only spreads load, RFC 6790 §3.
const ENTROPY_INDICATOR: u32 = 7;

/// The largest number that is a length (IEEE 802.3 §3.2.6).
const MAX_LENGTH: u16 = 1500;

pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;
/// Ethernet in GRE and its like.
pub(super) const BRIDGED: u16 = 0x6558;
/// MPLS, downstream and upstream assigned (RFC 5332).
pub(super) const MPLS: [u16; 2] = [0x8847, 0x8848];
/// PPP.
pub(super) const PPP: u16 = 0x880b;
/// The network service header.
pub(super) const NSH: u16 = 0x894f;
const ARP: u16 = 0x0806;
const PPPOE_SESSION: u16 = 0x8864;
const PBB: u16 = 0x88e7;
const MACSEC: u16 = 0x88e5;
const VN_TAG: u16 = 0x8926;
const E_TAG: u16 = 0x893f;

/// Two MAC addresses and an ethertype or a length.
pub(super) fn ethernet<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (macs, rest) = rest.take().ok_or(Skip::MalformedLink)?;
    let (ethertype, rest) = rest.take16().ok_or(Skip::MalformedLink)?;
    path.macs(&macs);
    if ethertype <= MAX_LENGTH {
        return llc(rest.cut(u32::from(ethertype)));
    }
    typed(ethertype, rest, path)
}

/// What an ethertype announces, past VLAN tags.
pub(super) fn typed<'a>(first: u16, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (mut ethertype, mut rest) = (first, rest);
    let malformed = Skip::MalformedLink;
    for _ in 0..=MAX_TAGS {
        match ethertype {
            IPV4 => return Ok(Step::Next(Next::Ip(Version::V4), rest)),
            IPV6 => return Ok(Step::Next(Next::Ip(Version::V6), rest)),
            BRIDGED => return Ok(Step::Next(Next::Ethernet, rest)),
            PPP => return Ok(Step::Next(Next::Ppp, rest)),
            PPPOE_SESSION => return pppoe(rest, path),
            PBB => return backbone(rest, path),
            MACSEC => return macsec(rest, path),
            NSH => return service(rest, path),
            labels if MPLS.contains(&labels) => return mpls(rest, path),
            tag if TAGS.contains(&tag) => {
                let (tag, after) = rest.take16().ok_or(malformed)?;
                path.tag(tag);
                rest = after;
            }
            VN_TAG => rest = rest.take::<4>().ok_or(malformed)?.1,
            E_TAG => rest = rest.take::<6>().ok_or(malformed)?.1,
            _ => return Err(Skip::NotIp),
        }
        (ethertype, rest) = rest.take16().ok_or(malformed)?;
    }
    Err(malformed)
}

/// IEEE 802.2: IP behind SNAP with the code of ethertypes, behind its own access point, or behind an
/// ISO protocol identifier.
pub(super) fn llc(rest: Rest<'_>) -> Opened<'_> {
    match rest.octets {
        &[0xaa, 0xaa, 3, 0, 0, 0 | 0xf8, high, low, ..] => {
            let ethertype = u16::from_be_bytes([high, low]);
            Ok(Step::Next(Next::Ether(ethertype), rest.past(8)))
        }
        [6, 6, 3, ..] => Ok(Step::Next(Next::Ip(Version::V4), rest.past(3))),
        &[0xfe, 0xfe, 3, protocol, ..] => nlpid(protocol, rest.past(4)),
        _ => Err(Skip::NotIp),
    }
}

/// The protocol identifiers of ISO/IEC TR 9577 that carry IP.
pub(super) fn nlpid(protocol: u8, rest: Rest<'_>) -> Opened<'_> {
    match protocol {
        0xcc => Ok(Step::Next(Next::Ip(Version::V4), rest)),
        0x8e => Ok(Step::Next(Next::Ip(Version::V6), rest)),
        _ => Err(Skip::NotIp),
    }
}

/// Labels to the bottom of the stack, then whatever they lead to: RFC 3032 §2.1.
///
/// ```text
/// | label (20) | traffic class (3) | bottom (1) | TTL (8) |
/// ```
pub(super) fn mpls<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (mut rest, mut service, mut entropy) = (rest, 0, false);
    for _ in 0..MAX_LABELS {
        let (word, after) = rest.take32().ok_or(Skip::MalformedTunnel)?;
        rest = after;
        let label = word >> 12;
        // An entropy label differs between fragments of one datagram, and names nothing.
        match (entropy, label) {
            (true, _) => entropy = false,
            (false, ENTROPY_INDICATOR) => entropy = true,
            (false, label) => service = label,
        }
        if word & 0x100 != 0 {
            path.enter(Kind::Mpls, service)?;
            return labelled(rest);
        }
    }
    Err(Skip::TunnelDepth)
}

/// What the bottom label leads to is agreed on elsewhere: it must be told from the octets
/// (RFC 4928 §3): IP by its version, a control word by four zero bits (RFC 4385 §3), else Ethernet.
fn labelled(rest: Rest<'_>) -> Opened<'_> {
    match rest.nibble() {
        None => Err(Skip::MalformedTunnel),
        Some(4 | 6) if !is_bridged(rest) => Ok(Step::Next(Next::Ip(Version::Either), rest)),
        Some(0) if is_bridged(rest.past(4)) => Ok(Step::Next(Next::Ethernet, rest.past(4))),
        Some(_) if is_bridged(rest) => Ok(Step::Next(Next::Ethernet, rest)),
        Some(_) => Err(Skip::NotIp),
    }
}

/// Whether this begins like an Ethernet frame with something in it that voice may lie under.
pub(super) fn is_bridged(rest: Rest<'_>) -> bool {
    let Some((_, rest)) = rest.take::<12>() else { return false };
    let Some((ethertype, rest)) = rest.take16() else { return false };
    match ethertype {
        IPV4 => {
            let length = rest.octets.get(2..4).and_then(|octets| octets.first_chunk());
            let length = length.map_or(0, |length| u16::from_be_bytes(*length));
            rest.nibble() == Some(4) && (length == 0 || u32::from(length) <= rest.wire)
        }
        IPV6 => rest.nibble() == Some(6),
        PPPOE_SESSION => rest.octets.first() == Some(&0x11),
        ARP => rest.octets.starts_with(&[0, 1, 8, 0]),
        tag => TAGS.contains(&tag) || MPLS.contains(&tag),
    }
}

/// RFC 2516 §4: version and type 1, code 0, session, length; then PPP without address and control.
pub(super) fn pppoe<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let ([version, code], rest) = rest.take().ok_or(Skip::MalformedTunnel)?;
    let (session, rest) = rest.take16().ok_or(Skip::MalformedTunnel)?;
    let (length, rest) = rest.take16().ok_or(Skip::MalformedTunnel)?;
    match (version, code) {
        (0x11, 0) => {
            path.enter(Kind::Pppoe, u32::from(session))?;
            Ok(Step::Next(Next::Ppp, rest.cut(u32::from(length))))
        }
        (0x11, _) => Err(Skip::NotIp),
        _ => Err(Skip::MalformedTunnel),
    }
}

/// IEEE 802.1ah: priority and flags, 24 bits of service identifier, and the customer's frame.
fn backbone<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (tag, rest) = rest.take32().ok_or(Skip::MalformedTunnel)?;
    path.enter(Kind::Pbb, tag & 0x00ff_ffff)?;
    Ok(Step::Next(Next::Ethernet, rest))
}

/// IEEE 802.1AE §9.3: control bits, length, packet number, and a channel identifier if the control
/// bits say so. The check value at the end (16 octets) is left to the IP length.
fn macsec<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let ([control, short, _, _, _, _], rest) = rest.take().ok_or(Skip::MalformedTunnel)?;
    let rest =
        if control & 0x20 != 0 { rest.take::<8>().ok_or(Skip::MalformedTunnel)?.1 } else { rest };
    if control & 0x80 != 0 || short > 63 {
        return Err(Skip::MalformedTunnel);
    }
    if control & 0x08 != 0 {
        return Err(Skip::Encrypted);
    }
    path.enter(Kind::Macsec, 0)?;
    let (ethertype, rest) = rest.take16().ok_or(Skip::MalformedTunnel)?;
    Ok(Step::Next(Next::Ether(ethertype), rest))
}

/// RFC 8300 §2.2 and §2.3: version, TTL and length in words, what follows; service path; context.
fn service<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (start, _) = rest.take::<4>().ok_or(Skip::MalformedTunnel)?;
    let (path_index, _) = rest.past(4).take32().ok_or(Skip::MalformedTunnel)?;
    let [version, length, _, protocol] = start;
    let length = usize::from(length & 0x3f).saturating_mul(4);
    if version >> 6 != 0 || length < 8 || octets32(length) > rest.wire {
        return Err(Skip::MalformedTunnel);
    }
    path.enter(Kind::Nsh, path_index >> 8)?;
    protocol_number(protocol, rest.past(length))
}

/// The next protocol of NSH (RFC 8300 §2.2), which VXLAN-GPE shares.
pub(super) fn protocol_number(protocol: u8, rest: Rest<'_>) -> Opened<'_> {
    let next = match protocol {
        1 => Next::Ip(Version::V4),
        2 => Next::Ip(Version::V6),
        3 => Next::Ethernet,
        4 => Next::Ether(NSH),
        5 => Next::Mpls,
        _ => return Err(Skip::NotIp),
    };
    Ok(Step::Next(next, rest))
}
