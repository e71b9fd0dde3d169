//! Tunnels in UDP: VXLAN (RFC 7348) with its extensions, GENEVE (RFC 8926), GTP-U (3GPP TS 29.281),
//! L2TP (RFC 2661, RFC 3931), TZSP, Teredo (RFC 4380), and HEP.
//!
//! A port alone decides nothing: the header must be in order, and what is inside must be, too
//! ([`super::layer::Step::Try`]). HEP goes by its content on any port. RTP, which most datagrams are,
//! is told by one look at its first octet.

use super::ether::{self, BRIDGED, is_bridged};
use super::hep::{self, Hep};
use super::layer::{Next, Step, Version};
use super::octets32;
use super::rest::Rest;
use super::tunnels::Kind;

const VXLAN: u16 = 4789;
/// What Linux used before there was a number.
const VXLAN_LINUX: u16 = 8472;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const GTP_U: u16 = 2152;
const L2TP: u16 = 1701;
const TZSP: u16 = 37_008;
const TEREDO: u16 = 3544;

/// The first octet of VXLAN with a group policy, the only tunnel header that could be RTP's.
const VXLAN_POLICY: u8 = 0x88;

/// GTP-U extension headers read one after the other.
const MAX_EXTENSIONS: usize = 16;
/// TZSP tags read one after the other.
const MAX_TAGS: usize = 64;

/// What a datagram carries.
#[derive(Copy, Clone, Debug)]
pub(super) enum Inside<'a> {
    /// A tunnel of this kind and identifier.
    Tunnel(Kind, u32, Next, Rest<'a>),
    /// A copy that a capture agent sent.
    Copy(Hep<'a>),
}

/// Whether a datagram may carry anything of this file, by its first octet; RTP and RTCP may not.
#[inline]
pub(super) fn conceivable(first: u8) -> bool {
    first < 0x80 || first == VXLAN_POLICY
}

/// Whether a datagram that is all there seems to carry a tunnel.
pub(super) fn carries(ports: (u16, u16), payload: &[u8]) -> bool {
    open(ports, Rest::new(payload, octets32(payload.len()))).is_some()
}

/// The tunnel that the payload of a datagram seems to be.
pub(super) fn open(ports: (u16, u16), payload: Rest<'_>) -> Option<Inside<'_>> {
    if !payload.octets.first().is_some_and(|first| conceivable(*first)) {
        return None;
    }
    let by_port = match ports {
        (_, VXLAN | VXLAN_LINUX) => vxlan(payload),
        (_, VXLAN_GPE) => vxlan_gpe(payload),
        (_, GENEVE) => geneve(payload),
        (_, TZSP) => tzsp(payload),
        (GTP_U, _) | (_, GTP_U) => gtp_u(payload),
        (L2TP, _) | (_, L2TP) => l2tp(payload),
        (TEREDO, _) | (_, TEREDO) => teredo(payload),
        _ => None,
    };
    by_port.or_else(|| hep::read(payload.octets, payload.wire).map(Inside::Copy))
}

/// Flags, group policy or nothing, VNI, nothing: RFC 7348 §5, draft-smith-vxlan-group-policy.
fn vxlan(payload: Rest<'_>) -> Option<Inside<'_>> {
    let ([flags, policy, high, low], rest) = payload.take()?;
    let (vni, rest) = rest.take32()?;
    let ordinary = flags == 0x08 && [policy, high, low] == [0; 3];
    let grouped = flags == VXLAN_POLICY && policy & 0xb7 == 0;
    if !(ordinary || grouped) || vni & 0xff != 0 || !is_frame(rest) {
        return None;
    }
    Some(Inside::Tunnel(Kind::Vxlan, vni >> 8, Next::Ethernet, rest))
}

/// Flags with instance and next protocol, next protocol, VNI: draft-ietf-nvo3-vxlan-gpe §3.
fn vxlan_gpe(payload: Rest<'_>) -> Option<Inside<'_>> {
    let ([flags, 0, 0, protocol], rest) = payload.take()? else { return None };
    let (vni, rest) = rest.take32()?;
    if flags & 0x08 == 0 || flags & 0xf2 != 0 || vni & 0xff != 0 {
        return None;
    }
    let protocol = if flags & 0x04 == 0 { 3 } else { protocol };
    let Ok(Step::Next(next, rest)) = ether::protocol_number(protocol, rest) else { return None };
    Some(Inside::Tunnel(Kind::Vxlan, vni >> 8, next, rest))
}

/// Version 0 and length of options in words, flags, protocol, VNI, options: RFC 8926 §3.4.
fn geneve(payload: Rest<'_>) -> Option<Inside<'_>> {
    let ([version, flags, high, low], rest) = payload.take()?;
    let (vni, rest) = rest.take32()?;
    let options = usize::from(version & 0x3f).saturating_mul(4);
    let known = match u16::from_be_bytes([high, low]) {
        BRIDGED => Next::Ethernet,
        ether::IPV4 => Next::Ip(Version::V4),
        ether::IPV6 => Next::Ip(Version::V6),
        labels if ether::MPLS.contains(&labels) => Next::Mpls,
        ether::NSH => Next::Ether(ether::NSH),
        _ => return None,
    };
    let whole = octets32(options) < rest.wire;
    if version >> 6 != 0 || flags & 0x3f != 0 || vni & 0xff != 0 || !whole {
        return None;
    }
    Some(Inside::Tunnel(Kind::Geneve, vni >> 8, known, rest.past(options)))
}

/// Version 1, GTP rather than GTP', type 255, length, TEID; sequence, N-PDU and extension headers if
/// flags say so: 3GPP TS 29.281 §5.
fn gtp_u(payload: Rest<'_>) -> Option<Inside<'_>> {
    let ([flags, 0xff], rest) = payload.take()? else { return None };
    let (length, rest) = rest.take16()?;
    let (teid, rest) = rest.take32()?;
    if flags & 0xf8 != 0x30 || u32::from(length) > rest.wire {
        return None;
    }
    let mut rest = rest.cut(u32::from(length));
    if flags & 0x07 != 0 {
        let ([_, _, _, mut kind], after) = rest.take()?;
        rest = after;
        if flags & 0x04 == 0 {
            kind = 0;
        }
        for _ in 0..MAX_EXTENSIONS {
            if kind == 0 {
                break;
            }
            let words = *rest.octets.first()?;
            let len = usize::from(words).checked_mul(4).filter(|len| *len > 0)?;
            kind = *rest.octets.get(len.checked_sub(1)?)?;
            rest = rest.past(len);
        }
        if kind != 0 {
            return None;
        }
    }
    is_ip(rest).then_some(Inside::Tunnel(Kind::GtpU, teid, Next::Ip(Version::Either), rest))
}

/// Data messages of version 2, which carry PPP (RFC 2661 §3.1), and of version 3 (RFC 3931 §4.1.2).
fn l2tp(payload: Rest<'_>) -> Option<Inside<'_>> {
    let (flags, mut rest) = payload.take16()?;
    if flags == 0x0003 {
        let (0, rest) = rest.take16()? else { return None };
        let (session, rest) = rest.take32()?;
        let frame = pseudowire(rest)?;
        return Some(Inside::Tunnel(Kind::L2tp, session, Next::Ethernet, frame));
    }
    // Only length, sequence, offset and priority may be set; control messages carry nothing.
    if flags & !0x4b00 != 0x0002 {
        return None;
    }
    if flags & 0x4000 != 0 {
        let (length, after) = rest.take16()?;
        let length = u32::from(length).checked_sub(4)?;
        if length > after.wire {
            return None;
        }
        rest = after.cut(length);
    }
    let (ident, after) = rest.take32()?;
    rest = after;
    if flags & 0x0800 != 0 {
        rest = rest.take32()?.1;
    }
    if flags & 0x0200 != 0 {
        let (offset, after) = rest.take16()?;
        rest = after.past(usize::from(offset));
    }
    Some(Inside::Tunnel(Kind::L2tp, ident, Next::Ppp, rest))
}

/// The Ethernet frame behind a session identifier of L2TP version 3. Both ends know whether a cookie
/// (4 or 8 octets) and a sublayer (4) precede it; from here it must be told by the frame.
pub(super) fn pseudowire(rest: Rest<'_>) -> Option<Rest<'_>> {
    [0, 4, 8, 12].into_iter().map(|skip| rest.past(skip)).find(|rest| is_bridged(*rest))
}

/// Version 1, received or to be sent, what is inside, tags up to the one that ends them.
fn tzsp(payload: Rest<'_>) -> Option<Inside<'_>> {
    let ([1, 0 | 1], rest) = payload.take()? else { return None };
    let (protocol, mut rest) = rest.take16()?;
    let next = match protocol {
        1 => Next::Ethernet,
        18 => Next::Wlan,
        119 => Next::Link(crate::model::frame::LinkType::IEEE802_11_PRISM),
        127 => Next::Link(crate::model::frame::LinkType::IEEE802_11_AVS),
        _ => return None,
    };
    for _ in 0..MAX_TAGS {
        let ([tag], after) = rest.take()?;
        rest = match tag {
            0 => after,
            1 => return Some(Inside::Tunnel(Kind::Tzsp, 0, next, after)),
            _ => {
                let ([length], after) = after.take()?;
                after.past(usize::from(length))
            }
        };
    }
    None
}

/// Authentication and origin if they are there (RFC 4380 §5.1.1), then an IPv6 packet that ends with
/// the datagram.
fn teredo(payload: Rest<'_>) -> Option<Inside<'_>> {
    let mut rest = payload;
    if let Some(([0, 1, client, value], after)) = rest.take() {
        let lengths = usize::from(client).saturating_add(usize::from(value));
        rest = after.past(lengths.saturating_add(9));
    }
    if rest.octets.starts_with(&[0, 0]) {
        rest = rest.past(8);
    }
    let length = rest.octets.get(4..6).and_then(|octets| octets.first_chunk())?;
    let length = u32::from(u16::from_be_bytes(*length)).checked_add(40)?;
    (rest.nibble() == Some(6) && length == rest.wire).then_some(Inside::Tunnel(
        Kind::Teredo,
        0,
        Next::Ip(Version::V6),
        rest,
    ))
}

/// An IP packet that fits.
fn is_ip(rest: Rest<'_>) -> bool {
    matches!(rest.nibble(), Some(4 | 6)) && rest.wire >= 20
}

/// Room for an Ethernet header.
fn is_frame(rest: Rest<'_>) -> bool {
    rest.wire >= 14
}
