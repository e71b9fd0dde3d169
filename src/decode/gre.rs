//! GRE: RFC 2784, key and sequence number of RFC 2890, the enhanced header of PPTP (RFC 2637), NVGRE
//! (RFC 7637), and ERSPAN of three types (draft-foschiano-erspan).
//!
//! ```text
//! | C | R | K | S | ... | version (3) | protocol (16) |
//! | checksum, if C | key, if K | sequence number, if S |
//! ```
//!
//! Source routes of RFC 1701 (R) are not followed.

use super::layer::{Next, Opened, Step, Version};
use super::rest::Rest;
use super::tunnels::{Kind, Path};
use super::{Network, Skip, ether};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGEMENT: u16 = 0x0080;

const ERSPAN: u16 = 0x88be;
const ERSPAN_III: u16 = 0x22eb;
const WCCP: u16 = 0x883e;

/// Reads a GRE header between the ends of `network`.
pub(super) fn open<'a>(network: &Network, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (flags, rest) = rest.take16().ok_or(Skip::MalformedTunnel)?;
    let (protocol, rest) = rest.take16().ok_or(Skip::MalformedTunnel)?;
    match flags & 7 {
        0 if flags & ROUTING == 0 => plain(network, (flags, protocol), rest, path),
        0 => Err(Skip::NotVoip),
        1 => enhanced(network, (flags, protocol), rest, path),
        _ => Err(Skip::MalformedTunnel),
    }
}

fn plain<'a>(
    network: &Network,
    (flags, protocol): (u16, u16),
    rest: Rest<'a>,
    path: &mut Path,
) -> Opened<'a> {
    let (_, rest) = optional(rest, flags & CHECKSUM != 0)?;
    let (key, rest) = optional(rest, flags & KEY != 0)?;
    let (_, rest) = optional(rest, flags & SEQUENCE != 0)?;
    match protocol {
        ERSPAN if flags & SEQUENCE == 0 => {
            path.enter_between(network, Kind::Erspan, 0)?;
            Ok(Step::Next(Next::Ethernet, rest))
        }
        ERSPAN => erspan(network, rest, path),
        ERSPAN_III => erspan_iii(network, rest, path),
        // The lower octet of the key spreads load; subnets below 0x1000 are reserved.
        ether::BRIDGED if flags & !7 == KEY && key >> 20 != 0 => {
            path.enter_between(network, Kind::Nvgre, key >> 8)?;
            Ok(Step::Next(Next::Ethernet, rest))
        }
        WCCP => {
            path.enter_between(network, Kind::Gre, key)?;
            // The second version puts four octets before the packet.
            let header = if rest.nibble() == Some(4) { 0 } else { 4 };
            Ok(Step::Next(Next::Ip(Version::V4), rest.past(header)))
        }
        _ => {
            path.enter_between(network, Kind::Gre, key)?;
            Ok(Step::Next(Next::Ether(protocol), rest))
        }
    }
}

/// A word that is there if a flag says so.
fn optional(rest: Rest<'_>, present: bool) -> Result<(u32, Rest<'_>), Skip> {
    if present { rest.take32().ok_or(Skip::MalformedTunnel) } else { Ok((0, rest)) }
}

/// RFC 2637 §4.1: the key is payload length and call; an acknowledgement may come alone.
fn enhanced<'a>(
    network: &Network,
    (flags, protocol): (u16, u16),
    rest: Rest<'a>,
    path: &mut Path,
) -> Opened<'a> {
    if protocol != ether::PPP || flags & KEY == 0 {
        return Err(Skip::MalformedTunnel);
    }
    let (length, rest) = rest.take16().ok_or(Skip::MalformedTunnel)?;
    let (call, rest) = rest.take16().ok_or(Skip::MalformedTunnel)?;
    if flags & SEQUENCE == 0 {
        return Err(Skip::NotIp);
    }
    let (_, rest) = optional(rest, true)?;
    let (_, rest) = optional(rest, flags & ACKNOWLEDGEMENT != 0)?;
    path.enter_between(network, Kind::Gre, u32::from(call))?;
    Ok(Step::Next(Next::Ppp, rest.cut(u32::from(length))))
}

/// Type II: version 1, VLAN; class of service, flags, session; index.
fn erspan<'a>(network: &Network, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let ([version, _, high, low, ..], rest) = rest.take::<8>().ok_or(Skip::MalformedTunnel)?;
    if version >> 4 != 1 {
        return Err(Skip::MalformedTunnel);
    }
    let session = u32::from(u16::from_be_bytes([high, low]) & 0x03ff);
    path.enter_between(network, Kind::Erspan, session)?;
    Ok(Step::Next(Next::Ethernet, rest))
}

/// Type III: version 2, VLAN; as above; time; security group; frame type and flags, of which the last
/// says that eight octets more follow.
fn erspan_iii<'a>(network: &Network, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let ([version, _, high, low, _, _, _, _, _, _, kind, flags], rest) =
        rest.take().ok_or(Skip::MalformedTunnel)?;
    if version >> 4 != 2 {
        return Err(Skip::MalformedTunnel);
    }
    let session = u32::from(u16::from_be_bytes([high, low]) & 0x03ff);
    path.enter_between(network, Kind::Erspan, session)?;
    let rest = if flags & 1 == 0 { rest } else { rest.past(8) };
    match kind >> 2 & 0x1f {
        0 => Ok(Step::Next(Next::Ethernet, rest)),
        2 => Ok(Step::Next(Next::Ip(Version::Either), rest)),
        _ => Err(Skip::NotIp),
    }
}
