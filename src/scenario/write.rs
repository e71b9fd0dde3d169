//! Frames to capture files: pcapng (one section, one interface per link type with `if_tsresol` 9,
//! an Enhanced Packet Block per frame) and classic pcap with nanoseconds, both little endian.

use std::io::{self, Write};

use super::ScenarioFrame;
use crate::model::frame::LinkType;

/// A pcapng block: type, length, body padded to 32 bits, length again.
fn block(out: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let padding = body.len().wrapping_neg() & 3;
    let length = length32(body.len().saturating_add(padding).saturating_add(12))?;
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length)?;
    out.write_all(body)?;
    out.write_all([0_u8; 3].get(..padding).unwrap_or_default())?;
    out.write_all(&length)
}

fn length32(length: usize) -> io::Result<[u8; 4]> {
    u32::try_from(length).map(u32::to_le_bytes).map_err(io::Error::other)
}

/// A pcapng file.
pub(super) fn pcapng(frames: &[ScenarioFrame], out: &mut impl Write) -> io::Result<()> {
    let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    section.extend([1, 0, 0, 0]);
    section.extend([0xff; 8]);
    block(out, 0x0a0d_0d0a, &section)?;
    let mut links: Vec<LinkType> = Vec::new();
    if frames.is_empty() {
        interface(out, LinkType::ETHERNET)?;
    }
    for frame in frames {
        let index = if let Some(index) = links.iter().position(|link| *link == frame.link) {
            index
        } else {
            interface(out, frame.link)?;
            links.push(frame.link);
            links.len().saturating_sub(1)
        };
        let octets = frame.captured_octets();
        // The high half of the time comes first, each half little endian.
        let half = |shift: u32| (frame.ts.nanos() >> shift & 0xffff_ffff).to_le_bytes();
        let mut body = Vec::with_capacity(octets.len().saturating_add(20));
        body.extend(length32(index)?);
        body.extend(half(32).iter().take(4));
        body.extend(half(0).iter().take(4));
        body.extend(length32(octets.len())?);
        body.extend(length32(frame.octets.len())?);
        body.extend(octets);
        block(out, 6, &body)?;
    }
    Ok(())
}

/// An Interface Description Block with nanosecond time stamps.
fn interface(out: &mut impl Write, link: LinkType) -> io::Result<()> {
    let mut body = link.0.to_le_bytes().to_vec();
    body.extend([0, 0]);
    body.extend([0; 4]);
    body.extend([9, 0, 1, 0, 9, 0, 0, 0]);
    body.extend([0; 4]);
    block(out, 1, &body)
}

/// A classic pcap file. The link type is that of the first frame, which all share.
pub(super) fn pcap(frames: &[ScenarioFrame], out: &mut impl Write) -> io::Result<()> {
    let link = frames.first().map_or(LinkType::ETHERNET, |frame| frame.link);
    out.write_all(&0xa1b2_3c4d_u32.to_le_bytes())?;
    out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    out.write_all(&262_144_u32.to_le_bytes())?;
    out.write_all(&u32::from(link.0).to_le_bytes())?;
    for frame in frames {
        let octets = frame.captured_octets();
        let second = u32::try_from(frame.ts.second()).map_err(io::Error::other)?;
        let nanos = frame.ts.nanos().rem_euclid(1_000_000_000);
        out.write_all(&second.to_le_bytes())?;
        out.write_all(&u32::try_from(nanos).map_err(io::Error::other)?.to_le_bytes())?;
        out.write_all(&length32(octets.len())?)?;
        out.write_all(&length32(frame.octets.len())?)?;
        out.write_all(octets)?;
    }
    Ok(())
}
