//! PPP (RFC 1661, RFC 1662) and the framings of serial lines: Cisco HDLC, frame relay (RFC 2427).
//!
//! PPP fragments of a multilink (RFC 1990) are read when a packet is in one piece.

use super::Skip;
use super::ether::nlpid;
use super::layer::{Next, Opened, Step, Version};
use super::rest::Rest;

const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
const MULTILINK: u16 = 0x003d;
/// Encrypted (RFC 1968), the same for one link, and compressed (RFC 1962), which is how MPPE
/// (RFC 3078) says encrypted.
const ENCRYPTED: [u16; 4] = [0x0053, 0x0055, 0x00fb, 0x00fd];
const MPLS: [u16; 2] = [0x0281, 0x0283];

/// Address and control field, either of which may be left out, then one or two octets of protocol.
pub(super) fn open(rest: Rest<'_>) -> Opened<'_> {
    let rest = if rest.octets.starts_with(&[0xff, 3]) { rest.past(2) } else { rest };
    let (protocol, rest) = protocol(rest).ok_or(Skip::MalformedLink)?;
    if protocol != MULTILINK {
        return announced(protocol, rest);
    }
    // Beginning and end in one, and 24 bits of sequence number: RFC 1990 §3.
    let ([flags, _, _, _], rest) = rest.take().ok_or(Skip::MalformedLink)?;
    if flags & 0xc0 != 0xc0 {
        return Err(Skip::FragmentIncomplete);
    }
    let (protocol, rest) = self::protocol(rest).ok_or(Skip::MalformedLink)?;
    announced(protocol, rest)
}

/// The protocol, of which the last octet is odd and the first, if there are two, even.
fn protocol(rest: Rest<'_>) -> Option<(u16, Rest<'_>)> {
    match rest.octets {
        [first, ..] if first & 1 == 1 => Some((u16::from(*first), rest.past(1))),
        _ => rest.take16(),
    }
}

fn announced(protocol: u16, rest: Rest<'_>) -> Opened<'_> {
    let next = match protocol {
        IPV4 => Next::Ip(Version::V4),
        IPV6 => Next::Ip(Version::V6),
        labels if MPLS.contains(&labels) => Next::Mpls,
        hidden if ENCRYPTED.contains(&hidden) => return Err(Skip::Encrypted),
        _ => return Err(Skip::NotIp),
    };
    Ok(Step::Next(next, rest))
}

/// PPP in HDLC framing, which Cisco HDLC is told from by its address (RFC 1547 §4.3.1).
pub(super) fn hdlc(rest: Rest<'_>) -> Opened<'_> {
    match rest.octets {
        [0x0f | 0x8f, 0, ..] => cisco(rest),
        _ => Ok(Step::Next(Next::Ppp, rest)),
    }
}

/// Cisco HDLC: address, a zero, ethertype.
pub(super) fn cisco(rest: Rest<'_>) -> Opened<'_> {
    let (_, rest) = rest.take::<2>().ok_or(Skip::MalformedLink)?;
    let (ethertype, rest) = rest.take16().ok_or(Skip::MalformedLink)?;
    Ok(Step::Next(Next::Ether(ethertype), rest))
}

/// Frame relay: two to four octets of address, of which the last is odd; then unnumbered information
/// (3), padding if need be, and a protocol identifier; or, as Cisco has it, an ethertype.
pub(super) fn relay(rest: Rest<'_>) -> Opened<'_> {
    let address = rest.octets.iter().take(4).position(|octet| octet & 1 == 1);
    let rest = rest.past(address.ok_or(Skip::MalformedLink)?.saturating_add(1));
    match rest.octets {
        &[3, 0x80, 0, 0, 0, high, low, ..] | &[3, 0, 0x80, 0, 0, 0, high, low, ..] => {
            let ethertype = u16::from_be_bytes([high, low]);
            let padded = rest.octets.get(1) == Some(&0);
            Ok(Step::Next(Next::Ether(ethertype), rest.past(if padded { 8 } else { 7 })))
        }
        &[3, 0, protocol, ..] => nlpid(protocol, rest.past(3)),
        &[3, protocol, ..] => nlpid(protocol, rest.past(2)),
        &[high, low, ..] => {
            Ok(Step::Next(Next::Ether(u16::from_be_bytes([high, low])), rest.past(2)))
        }
        _ => Err(Skip::MalformedLink),
    }
}
