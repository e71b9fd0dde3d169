//! ESP (RFC 4303) whose payload is not encrypted (RFC 2410). Nothing in a packet says so, and it is
//! opened only if there is no doubt: padding in order, next header known, and a checksum or length
//! of what is inside that is right. Everything else is [`Skip::Encrypted`].
//!
//! ```text
//! | SPI | sequence | payload | 1, 2, 3, ... | pad length | next header | check value |
//! ```
//!
//! RFC 5879 describes heuristics that remember associations; here each packet stands for itself.

use super::layer::{Next, Opened, Step, Version};
use super::rest::Rest;
use super::tunnels::{Kind, Path};
use super::{Network, Skip, general, octets32};
use crate::model::addr::Proto;

/// Octets of the check value: 96, 128, 192 and 256 bits (RFC 2404, RFC 4868).
const CHECK_VALUES: [usize; 4] = [12, 16, 24, 32];
const IN_IPV4: Proto = Proto(4);
const IN_IPV6: Proto = Proto(41);

/// Reads an ESP header between the ends of `network`.
pub(super) fn open<'a>(network: &Network, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (spi, rest) = rest.take32().ok_or(Skip::MalformedTunnel)?;
    let (_, rest) = rest.take32().ok_or(Skip::MalformedTunnel)?;
    let found = CHECK_VALUES.iter().find_map(|check| payload(network, rest, *check));
    let Some((proto, length)) = found.filter(|_| rest.is_whole()) else {
        return Err(Skip::Encrypted);
    };
    path.enter_between(network, Kind::Esp, spi)?;
    let rest = rest.cut(length);
    match proto {
        IN_IPV4 => Ok(Step::Next(Next::Ip(Version::V4), rest)),
        IN_IPV6 => Ok(Step::Next(Next::Ip(Version::V6), rest)),
        proto => general::transport(&Network { proto, path: *path, ..*network }, rest, path),
    }
}

/// The protocol and length of the payload, if the check value has `check` octets.
fn payload(network: &Network, rest: Rest<'_>, check: usize) -> Option<(Proto, u32)> {
    let (sealed, _) = rest.octets.split_at_checked(rest.octets.len().checked_sub(check)?)?;
    let (sealed, &[pad, next]) = sealed.split_last_chunk()?;
    let length = sealed.len().checked_sub(usize::from(pad))?;
    let (payload, padding) = sealed.split_at_checked(length)?;
    let in_order = (1_u8..).zip(padding).all(|(place, octet)| place == *octet);
    let proto = Proto(next);
    (in_order && is_right(network, proto, payload)).then_some((proto, octets32(length)))
}

/// Whether a payload can be nothing but what `proto` says.
fn is_right(network: &Network, proto: Proto, payload: &[u8]) -> bool {
    let length = octets32(payload.len());
    let word = |at: usize| {
        let octets = payload.get(at..).and_then(<[u8]>::first_chunk);
        octets.map(|octets| u32::from(u16::from_be_bytes(*octets)))
    };
    match proto {
        // A checksum of zero was never made.
        Proto::UDP => {
            word(4) == Some(length)
                && word(6).is_some_and(|sum| sum != 0)
                && sums_up(pseudo_header(network, proto, length), payload)
        }
        Proto::TCP => length >= 20 && sums_up(pseudo_header(network, proto, length), payload),
        IN_IPV4 => {
            let header =
                payload.first().map_or(0, |first| usize::from(first & 0x0f)).saturating_mul(4);
            let header = payload.get(..header).filter(|header| header.len() >= 20);
            word(2) == Some(length) && header.is_some_and(|header| sums_up(0, header))
        }
        IN_IPV6 => {
            payload.first().is_some_and(|first| first >> 4 == 6)
                && word(4).and_then(|len| len.checked_add(40)) == Some(length)
        }
        _ => false,
    }
}

/// RFC 768, RFC 9293 §3.1, RFC 8200 §8.1: addresses, protocol, length. Of an IPv4 address in its
/// mapped form the prefix would count, and is taken out.
fn pseudo_header(network: &Network, proto: Proto, length: u32) -> u64 {
    let addrs = [network.src, network.dst].iter().fold(0, |sum, addr| {
        let octets = addr.octets();
        let octets =
            if addr.ip().is_ipv4() { octets.get(12..).unwrap_or_default() } else { octets };
        words(sum, octets)
    });
    addrs.saturating_add(u64::from(proto.0)).saturating_add(u64::from(length))
}

fn words(sum: u64, octets: &[u8]) -> u64 {
    let (pairs, last) = octets.as_chunks::<2>();
    let last = last.first().map_or(0, |octet| u64::from(*octet) << 8);
    pairs
        .iter()
        .fold(sum, |sum, pair| sum.saturating_add(u64::from(u16::from_be_bytes(*pair))))
        .saturating_add(last)
}

/// Whether octets that hold a checksum (RFC 1071) sum up to all ones.
fn sums_up(start: u64, octets: &[u8]) -> bool {
    let mut sum = words(start, octets);
    while sum > 0xffff {
        sum = (sum & 0xffff).saturating_add(sum >> 16);
    }
    sum == 0xffff
}
