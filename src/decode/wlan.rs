//! 802.11 data frames (IEEE 802.11 §9) and the headers that capture drivers put before them:
//! radiotap, PPI, Prism, AVS.
//!
//! Encrypted frames are named, not opened. Of an aggregate of several packets (A-MSDU) the first is
//! read; parts of a fragmented frame are named as such.

use super::layer::{Next, Opened, Step};
use super::rest::Rest;
use super::tunnels::Path;
use super::{Skip, octets32};
use crate::model::frame::LinkType;

/// Octets of the Prism header: name, length, device, and ten values.
const PRISM: usize = 144;
/// Words of presence that a radiotap header may have.
const MAX_PRESENT: usize = 8;

/// Version, padding, length and presence, little endian (<https://www.radiotap.org>).
pub(super) fn radiotap<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let malformed = Skip::MalformedLink;
    let ([version, _, low, high], fields) = rest.take().ok_or(malformed)?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    if version != 0 || length < 8 {
        return Err(malformed);
    }
    let mut fields = fields;
    let mut first = None;
    for _ in 0..MAX_PRESENT {
        let (word, after) = fields.take::<4>().ok_or(malformed)?;
        fields = after;
        let word = u32::from_le_bytes(word);
        first.get_or_insert(word);
        if word & 0x8000_0000 == 0 {
            break;
        }
    }
    // The flags come first but for an eight-octet time, which is aligned to its size.
    let present = first.unwrap_or_default();
    let time = if present & 1 == 0 {
        0
    } else {
        8_u32.saturating_add(rest.at.wrapping_sub(fields.at) & 7)
    };
    let flags = usize::try_from(time).ok().and_then(|time| fields.octets.get(time));
    let flags = flags.copied().filter(|_| present & 2 != 0).unwrap_or_default();
    // A wrong check sequence: what is in the frame may be anything.
    if flags & 0x40 != 0 {
        return Err(malformed);
    }
    data(rest.past(length), flags & 0x20 != 0, path)
}

/// Version, flags, length and link type, little endian.
pub(super) fn ppi(rest: Rest<'_>) -> Opened<'_> {
    let ([version, _, low, high], after) = rest.take().ok_or(Skip::MalformedLink)?;
    let (link, _) = after.take::<4>().ok_or(Skip::MalformedLink)?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    let link = u16::try_from(u32::from_le_bytes(link)).map_err(|_| Skip::UnsupportedLink)?;
    if version != 0 || length < 8 || LinkType(link) == LinkType::PPI {
        return Err(Skip::MalformedLink);
    }
    Ok(Step::Next(Next::Link(LinkType(link)), rest.past(length)))
}

/// The Prism header, or the AVS one, which is told by its magic number.
pub(super) fn prism(rest: Rest<'_>) -> Opened<'_> {
    match rest.octets {
        [0x80, 0x21, 0x10, ..] => avs(rest),
        _ if octets32(PRISM) > rest.wire => Err(Skip::MalformedLink),
        _ => Ok(Step::Next(Next::Wlan, rest.past(PRISM))),
    }
}

/// Magic number and length, then values.
pub(super) fn avs(rest: Rest<'_>) -> Opened<'_> {
    let ([0x80, 0x21, 0x10, _], after) = rest.take().ok_or(Skip::MalformedLink)? else {
        return Err(Skip::MalformedLink);
    };
    let (length, _) = after.take32().ok_or(Skip::MalformedLink)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length < 8 || octets32(length) > rest.wire {
        return Err(Skip::MalformedLink);
    }
    Ok(Step::Next(Next::Wlan, rest.past(length)))
}

/// An 802.11 frame as it is.
pub(super) fn open<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    data(rest, false, path)
}

/// Frame control, duration, three addresses, sequence control; a fourth address between two
/// distribution systems; quality of service, and what else the flags announce.
///
/// `padded`: the header was filled up to a multiple of four octets.
fn data<'a>(rest: Rest<'a>, padded: bool, path: &mut Path) -> Opened<'a> {
    let malformed = Skip::MalformedLink;
    let ([control, flags], after) = rest.take().ok_or(malformed)?;
    // Version 0, type data.
    if control & 0x0f != 0x08 {
        return if control % 4 == 0 { Err(Skip::NotIp) } else { Err(malformed) };
    }
    let (macs, sequence) = after.past(2).take::<12>().ok_or(malformed)?;
    let ([fragment, _], _) = sequence.past(6).take::<2>().ok_or(malformed)?;
    path.macs(&macs);
    if flags & 0x40 != 0 {
        return Err(Skip::Encrypted);
    }
    // Null frames carry nothing.
    if control & 0x40 != 0 {
        return Err(Skip::NotIp);
    }
    if flags & 0x04 != 0 || fragment & 0x0f != 0 {
        return Err(Skip::FragmentIncomplete);
    }
    let mut header: usize = if flags & 0x03 == 0x03 { 30 } else { 24 };
    let mut aggregate = false;
    if control & 0x80 != 0 {
        let ([quality], _) = rest.past(header).take().ok_or(malformed)?;
        aggregate = quality & 0x80 != 0;
        header = header.saturating_add(if flags & 0x80 != 0 { 6 } else { 2 });
    }
    if padded {
        header = header.saturating_add(3) & !3;
    }
    let body = rest.past(header);
    if !aggregate {
        return Ok(Step::Next(Next::Llc, body));
    }
    // Destination, source and length of the first packet, IEEE 802.11 §9.3.2.2.
    let (length, body) = body.past(12).take16().ok_or(malformed)?;
    Ok(Step::Next(Next::Llc, body.cut(u32::from(length))))
}
