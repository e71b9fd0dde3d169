//! Frames to capture files: pcapng (one section, one interface per link type with `if_tsresol` 9,
//! an Enhanced Packet Block per frame) and classic pcap with nanoseconds, both little endian.

use std::io::{self, Write};

use super::ScenarioFrame;
use crate::capture::{PcapWriter, PcapngWriter};
use crate::model::frame::LinkType;

/// A pcapng file. It has an interface even if no frame is in it.
pub(super) fn pcapng(frames: &[ScenarioFrame], out: &mut impl Write) -> io::Result<()> {
    let mut writer = PcapngWriter::new(out, "")?;
    writer.describe(link(frames))?;
    for frame in frames {
        let octets = frame.captured_octets();
        writer.packet(Some(frame.ts), frame.link, original(frame)?, octets, None)?;
    }
    writer.finish().map(drop)
}

/// A classic pcap file. The link type is that of the first frame, which all share.
pub(super) fn pcap(frames: &[ScenarioFrame], out: &mut impl Write) -> io::Result<()> {
    let mut writer = PcapWriter::new(out, link(frames))?;
    for frame in frames {
        writer.packet(frame.ts, original(frame)?, frame.captured_octets())?;
    }
    writer.finish().map(drop)
}

fn link(frames: &[ScenarioFrame]) -> LinkType {
    frames.first().map_or(LinkType::ETHERNET, |frame| frame.link)
}

fn original(frame: &ScenarioFrame) -> io::Result<u32> {
    u32::try_from(frame.octets.len()).map_err(io::Error::other)
}
