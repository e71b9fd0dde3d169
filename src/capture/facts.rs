//! What a source is and what was wrong with it, apart from its frames.

use std::fmt;
use std::path::PathBuf;

use super::packed::{Compression, Spoilt};
use crate::model::frame::{LinkType, RawFrame};
use crate::model::time::Ts;

/// The file format.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// The format of libpcap (draft-ietf-opsawg-pcap).
    Pcap,
    /// The block format (draft-ietf-opsawg-pcapng).
    PcapNg,
}

/// The way the octets came.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// From a path, mapped or read.
    File,
    /// From standard input.
    Stdin,
    /// From network interfaces, as it arrived.
    Live,
}

/// What a source said of itself and what was found, up to now.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    /// The path as given; `-` for standard input.
    pub path: PathBuf,
    /// The format.
    pub format: Format,
    /// How it was read.
    pub via: Via,
    /// How it was compressed.
    pub compression: Compression,
    /// Octets of the capture, unpacked; up to where reading ended, if that was asked for.
    pub octets: u64,
    /// Frames delivered, damaged ones too.
    pub packets: u64,
    /// Link types of the frames in order of first use, undeclared ones left out; at most 64.
    pub link_types: Vec<LinkType>,
    /// Earliest capture time; `None` when no frame had one.
    pub first_packet: Option<Ts>,
    /// Latest capture time.
    pub last_packet: Option<Ts>,
    /// Why reading stopped before the end of the source.
    pub truncated: Option<Fault>,
    /// Frames with fewer octets captured than were on the wire.
    pub clipped_packets: u64,
    /// What the source says that is not so.
    pub oddities: Oddities,
    /// What the capturing host said of its drops, over all interfaces.
    pub statistics: InterfaceStatistics,
    /// Interfaces described; 1 for pcap.
    pub interfaces: u64,
    /// Comments in any block.
    pub comments: u64,
    /// Decryption secrets blocks, also those that were too many to keep.
    pub secrets_blocks: u64,
    /// Octets that were no record: blocks passed over, and all that follows a fault.
    pub skipped_octets: u64,
    /// Octets of frame check sequence at the end of each frame, by the first interface that
    /// says so. They are left where they are: IP has its own length.
    pub fcs_octets: Option<u8>,
}

/// Contradictions in a source that did not end it, as counts of records or blocks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// The length at the end of a block is not that at its beginning.
    pub bad_trailing_lengths: u64,
    /// Blocks passed over: unknown, custom, or names.
    pub skipped_blocks: u64,
    /// Records longer than the snap length.
    pub lying_snap_lengths: u64,
    /// Records whose captured length cannot be.
    pub damaged_records: u64,
    /// Records of an interface that was never described.
    pub undeclared_interfaces: u64,
    /// Records that claim fewer octets on the wire than were captured.
    pub short_originals: u64,
    /// Interfaces beyond the number that is kept.
    pub excess_interfaces: u64,
}

/// Interface statistics blocks and drop counts, summed over the last word of each interface.
/// `None`: no interface said.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceStatistics {
    /// `isb_ifrecv`: packets received.
    pub received: Option<u64>,
    /// `isb_ifdrop`: packets dropped by the interface.
    pub interface_drops: Option<u64>,
    /// `isb_osdrop`: packets dropped by the operating system.
    pub system_drops: Option<u64>,
    /// `epb_dropcount` and its obsolete twin: packets lost before a packet, summed.
    pub drops_before_packets: Option<u64>,
}

/// A decryption secrets block (draft-ietf-opsawg-pcapng §4.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// Secrets type; 0x544c534b is a TLS key log.
    pub kind: u32,
    /// The secrets as they stand in the block.
    pub octets: Vec<u8>,
    /// The number of the last frame before the block; 0 at the beginning.
    pub after_frame: u64,
}

/// Where and why reading stopped before the end. Everything before it was delivered.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Offset in the source of the record or block that could not be read.
    pub offset: u64,
    /// Octets from there to the end of the source.
    pub remaining: u64,
    /// What is wrong there.
    pub kind: FaultKind,
}

/// What ended a source.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A pcap record header is cut off.
    RecordHeader {
        /// 1-based number of the record.
        record: u64,
    },
    /// A pcap record is longer than the rest of the file, or than a record may be.
    Record {
        /// 1-based number of the record.
        record: u64,
        /// Captured length it states, in octets.
        says: u32,
        /// Octets of its header.
        header: u8,
    },
    /// The header of a block is cut off.
    BlockHeader {
        /// 1-based number of the block.
        block: u64,
        /// Frames before it.
        after_frame: u64,
    },
    /// A block is longer than the rest of the file, or its length cannot be.
    Block {
        /// 1-based number of the block.
        block: u64,
        /// Frames before it.
        after_frame: u64,
        /// Total length it states, in octets.
        says: u32,
    },
    /// A section header without the byte order magic.
    ByteOrder {
        /// 1-based number of the block.
        block: u64,
        /// Frames before it.
        after_frame: u64,
    },
    /// No more came out of the compressed data.
    Packed {
        /// What it is compressed with.
        compression: Compression,
        /// Why.
        spoilt: Spoilt,
    },
    /// The system could not read on.
    Io(std::io::ErrorKind),
}

/// Longest record or block that is read, in octets.
pub(super) const MAX_RECORD: u32 = 64 << 20;

/// One clause, the same whether the source was mapped, read or piped.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.remaining;
        match self.kind {
            FaultKind::RecordHeader { record } => {
                write!(f, "the header of record {record} is cut off after {left} octets")
            }
            FaultKind::Record { record, says, header } => {
                let left = left.saturating_sub(u64::from(header));
                write!(f, "record {record} says {says} octets, ")?;
                if u64::from(says) > left {
                    write!(f, "the file ends {left} octets later")
                } else {
                    write!(f, "more than the {MAX_RECORD} that are read")
                }
            }
            FaultKind::BlockHeader { block, after_frame } => write!(
                f,
                "the header of block {block} (after frame {after_frame}) is cut off after {left} octets"
            ),
            FaultKind::Block { block, after_frame, says } => {
                write!(f, "block {block} (after frame {after_frame}) says {says} octets, ")?;
                if says < 12 || !says.is_multiple_of(4) {
                    f.write_str("which no block can have")
                } else if u64::from(says) > left {
                    write!(f, "the file ends {left} octets later")
                } else {
                    write!(f, "more than the {MAX_RECORD} that are read")
                }
            }
            FaultKind::ByteOrder { block, after_frame } => write!(
                f,
                "block {block} (after frame {after_frame}) is a section header of no known byte order"
            ),
            FaultKind::Packed { compression, spoilt } => {
                let end = self.offset.saturating_add(left);
                let name = compression.name();
                write!(f, "after {end} octets of the capture, the {name} data {spoilt}")
            }
            FaultKind::Io(kind) => {
                write!(f, "the system could not read on at octet {}: {kind}", self.offset)
            }
        }
    }
}

impl Oddities {
    /// Each count with its name, in a fixed order.
    pub const fn named(&self) -> [(&'static str, u64); 7] {
        [
            ("bad-trailing-lengths", self.bad_trailing_lengths),
            ("skipped-blocks", self.skipped_blocks),
            ("lying-snap-lengths", self.lying_snap_lengths),
            ("damaged-records", self.damaged_records),
            ("undeclared-interfaces", self.undeclared_interfaces),
            ("short-originals", self.short_originals),
            ("excess-interfaces", self.excess_interfaces),
        ]
    }
}

/// The running counts that both readers keep.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) packets: u64,
    pub(super) earliest: Ts,
    pub(super) latest: Ts,
    pub(super) clipped: u64,
    pub(super) oddities: Oddities,
    pub(super) comments: u64,
    pub(super) skipped_octets: u64,
    pub(super) link_types: Vec<LinkType>,
    last_link: Option<LinkType>,
}

/// Link types remembered of one source.
const MAX_LINK_TYPES: usize = 64;

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            packets: 0,
            earliest: Ts::MAX,
            latest: Ts::MIN,
            clipped: 0,
            oddities: Oddities::default(),
            comments: 0,
            skipped_octets: 0,
            link_types: Vec::new(),
            last_link: None,
        }
    }

    /// Books a frame that is about to be delivered.
    #[inline]
    pub(super) fn frame(&mut self, frame: &RawFrame, snap_length: u32) {
        self.packets = self.packets.saturating_add(1);
        if let Some(ts) = frame.ts {
            self.earliest = self.earliest.min(ts);
            self.latest = self.latest.max(ts);
        }
        if frame.captured != frame.original
            || frame.captured > snap_length
            || frame.link != self.last_link
            || frame.link.is_none()
        {
            self.uncommon(frame, snap_length);
        }
    }

    /// What most frames are not.
    fn uncommon(&mut self, frame: &RawFrame, snap_length: u32) {
        let odd = &mut self.oddities;
        if frame.damaged {
            odd.damaged_records = odd.damaged_records.saturating_add(1);
        } else if frame.captured < frame.original {
            self.clipped = self.clipped.saturating_add(1);
        } else if frame.captured > frame.original {
            odd.short_originals = odd.short_originals.saturating_add(1);
        }
        if frame.captured > snap_length {
            odd.lying_snap_lengths = odd.lying_snap_lengths.saturating_add(1);
        }
        let Some(link) = frame.link else {
            if frame.damaged {
                return;
            }
            odd.undeclared_interfaces = odd.undeclared_interfaces.saturating_add(1);
            return;
        };
        self.last_link = Some(link);
        if !self.link_types.contains(&link) && self.link_types.len() < MAX_LINK_TYPES {
            self.link_types.push(link);
        }
    }
}
