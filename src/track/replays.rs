//! SRTP packets that are sent again (RFC 3711 §3.3.2): of streams whose octets look random one packet in
//! 128, by its number, is remembered by hash, and compared with the one that has its place later on.
//!
//! A sample, so that a packet in order costs nothing but a look at its number: who replays 128 packets in
//! a row is found for certain, who replays one nearly never. A packet is remembered until sixteen others
//! of the sample have come, for 41 seconds of 20 ms each. What comes from another socket is another
//! stream, and not compared. Whether the stream is SRTP is decided when it ends.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use overhear_parsers::rtp::header::Header;

use super::input::Input;
use crate::model::addr::{STABLE, stable_hash};
use crate::model::notes::Replay;
use crate::model::time::Ts;
use crate::policy::media::REPLAY_AFTER;

/// Octets of one stream, in a table that is half full after it has grown.
pub const ENTRY: usize = size_of::<[Kept; PLACES]>() + 2 * (size_of::<Watched>() + 1);

/// The low bits of the numbers that are in the sample are all zero.
const SAMPLE: u16 = 0x7f;
/// Packets remembered of one stream.
const PLACES: usize = 16;

/// A packet of the sample.
#[derive(Copy, Clone, Debug, Default)]
struct Kept {
    hash: u32,
    /// Low 32 bits of the capture time in milliseconds.
    at: u32,
    /// The number of its frame; 0 for none, and for one that is too great.
    frame: u32,
}

/// A stream that is watched.
#[derive(Debug)]
struct Watched {
    /// Where it stands in its table.
    place: u32,
    kept: Box<[Kept; PLACES]>,
    found: Option<Box<Replay>>,
}

/// The streams of one cell that are watched.
#[derive(Debug)]
pub(super) struct Replays {
    table: HashTable<Watched>,
    cap: usize,
    refused: u64,
}

/// Whether a packet belongs to the sample.
#[inline]
pub(super) const fn is_sampled(sequence: u16) -> bool {
    sequence & SAMPLE == 0
}

impl Replays {
    pub(super) const fn new(cap: usize) -> Self {
        Self { table: HashTable::new(), cap, refused: 0 }
    }

    /// How often there was no room to watch a stream.
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }

    /// Watches a stream from now on, if it is not watched yet.
    pub(super) fn watch(&mut self, place: u32) {
        let hash = stable_hash(&place);
        if self.table.find(hash, |of| of.place == place).is_some() {
            return;
        }
        if self.table.len() >= self.cap {
            self.refused = self.refused.saturating_add(1);
            return;
        }
        let watched = Watched { place, kept: Box::default(), found: None };
        self.table.insert_unique(hash, watched, |of| stable_hash(&of.place));
    }

    /// Compares a packet of the sample with those before, and remembers it.
    #[cold]
    pub(super) fn packet(&mut self, place: u32, header: &Header<'_>, input: &Input) {
        let Some(watched) = self.table.find_mut(stable_hash(&place), |of| of.place == place) else {
            return;
        };
        let index = usize::from(header.sequence / (SAMPLE + 1)) % PLACES;
        let Some(kept) = watched.kept.get_mut(index).filter(|_| input.missing() == 0) else {
            return;
        };
        let at = milliseconds(input.ts);
        let new = Kept { hash: hash(header), at, frame: frame(input) };
        let after = at.wrapping_sub(kept.at);
        if kept.hash != new.hash || kept.frame == 0 {
            *kept = new;
        } else if u128::from(after) * 1_000_000 > REPLAY_AFTER.nanos().unsigned_abs().into()
            && after < u32::MAX / 2
        {
            let here = input.frame_ref();
            let first = Replay {
                packets: 0,
                first: here,
                last: here,
                original: kept.frame.into(),
                after_ms: after,
            };
            let found = watched.found.get_or_insert_with(|| Box::new(first));
            found.packets = found.packets.saturating_add(1);
            found.last = here;
        }
    }

    /// The stream has ended: what was found.
    pub(super) fn end(&mut self, place: u32) -> Option<Replay> {
        let entry = self.table.find_entry(stable_hash(&place), |of| of.place == place).ok()?;
        entry.remove().0.found.map(|found| *found)
    }

    /// Whether no stream is watched.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

/// What SRTP never repeats: number, time stamp and payload, whatever key protects them.
#[expect(clippy::cast_possible_truncation, reason = "half of a hash is one")]
fn hash(header: &Header<'_>) -> u32 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u16(header.sequence);
    hasher.write_u32(header.timestamp);
    hasher.write(header.payload);
    hasher.finish() as u32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^32")]
const fn milliseconds(ts: Ts) -> u32 {
    (ts.nanos() / 1_000_000) as u32
}

fn frame(input: &Input) -> u32 {
    u32::try_from(input.frame.number).unwrap_or_default()
}
