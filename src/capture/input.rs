//! Where the octets of a source come from: a mapped file, or blocks read from a file or pipe,
//! unpacked if they are compressed.
//!
//! Either way a reader sees a window that it has to take as it is, and that it can ask to grow.
//! Blocks are reference-counted; one is used again as soon as no chunk and no lane holds it.

use std::io::{self, Read};
use std::sync::Arc;

use super::backing::Backing;
use super::mmap::Mapping;
use super::packed::{Compression, Packed};
use super::stream::{Stream, read_some};

/// Octets a block has, if nothing needs more.
const BLOCK: usize = 256 << 10;
/// Octets of a mapping that are entered and walked through before a reader sees them: few enough
/// to be in a core's own cache afterwards.
const WINDOW: usize = 256 << 10;
/// Octets of a mapping that are let go of at a time.
const STRIDE: usize = 4 << 20;
/// Octets kept behind the reader in a mapping, for lanes that still read older chunks.
const LAG: usize = 32 << 20;
/// Blocks remembered for further use; beyond that, lanes that lag cost allocations.
const MAX_HELD: usize = 64;

/// What blocks are filled from.
#[derive(Debug)]
pub(super) enum Octets {
    /// A file or pipe as it is.
    Plain(Stream),
    /// What comes out of a compressed one.
    Packed(Box<Packed>),
}

/// A source of octets.
#[derive(Debug)]
pub(super) enum Input {
    Mapped(Mapped),
    Blocks(Blocks),
}

/// A mapped file and how far its pages are entered.
#[derive(Debug)]
pub(super) struct Mapped {
    mapping: Arc<Mapping>,
    /// The window ends here.
    populated: usize,
    released: usize,
    window: usize,
    lag: usize,
}

/// A stream, its current block, and the blocks that others may still hold.
#[derive(Debug)]
pub(super) struct Blocks {
    stream: Octets,
    current: Arc<Vec<u8>>,
    /// Octets of `current` that are of the stream.
    valid: usize,
    /// Place in the stream of the current block's first octet.
    base: u64,
    held: Vec<Arc<Vec<u8>>>,
    size: usize,
}

impl Read for Octets {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(into),
            Self::Packed(packed) => packed.read(into),
        }
    }
}

impl Input {
    /// A mapping, from its beginning.
    pub(super) fn mapped(mapping: Mapping) -> Self {
        Self::Mapped(Mapped {
            mapping: Arc::new(mapping),
            populated: 0,
            released: 0,
            window: WINDOW,
            lag: LAG,
        })
    }

    /// A stream that nothing was read from yet.
    pub(super) fn stream(stream: Octets) -> Self {
        Self::Blocks(Blocks {
            stream,
            current: Arc::default(),
            valid: 0,
            base: 0,
            held: Vec::new(),
            size: BLOCK,
        })
    }

    /// Nothing, at a place in the source: what is left when a source is closed.
    pub(super) fn closed(place: u64) -> Self {
        let mut input = Self::stream(Octets::Plain(Stream::nothing()));
        if let Self::Blocks(blocks) = &mut input {
            blocks.base = place;
        }
        input
    }

    /// How the source is compressed, and how much of it was used up, if it is.
    pub(super) fn packed(&self) -> Option<(Compression, u64)> {
        match self {
            Self::Blocks(Blocks { stream: Octets::Packed(packed), .. }) => {
                Some((packed.compression(), packed.taken()))
            }
            Self::Blocks(_) | Self::Mapped(_) => None,
        }
    }

    /// Makes do with about `octets` of memory from now on, for many sources at once.
    pub(super) fn limit(&mut self, octets: usize) {
        match self {
            Self::Mapped(mapped) => {
                mapped.window = WINDOW.min(octets);
                mapped.lag = LAG.min(octets);
            }
            Self::Blocks(blocks) => blocks.size = BLOCK.min(octets),
        }
    }

    /// The octets at hand; offsets into it are offsets into the backing.
    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        match self {
            Self::Mapped(mapped) => {
                mapped.mapping.octets().get(..mapped.populated).unwrap_or_default()
            }
            Self::Blocks(blocks) => blocks.current.get(..blocks.valid).unwrap_or_default(),
        }
    }

    /// The owner of the window.
    pub(super) fn backing(&self) -> Backing {
        match self {
            Self::Mapped(mapped) => Backing::Map(Arc::clone(&mapped.mapping)),
            Self::Blocks(blocks) => Backing::Block(Arc::clone(&blocks.current)),
        }
    }

    /// Place in the source of the window's octet `at`.
    pub(super) fn place(&self, at: usize) -> u64 {
        match self {
            Self::Mapped(_) => octets(at),
            Self::Blocks(blocks) => blocks.base.saturating_add(octets(at)),
        }
    }

    /// Gets more octets behind the window, on the way to `need` octets from `at` on. The window
    /// may move, and `at` with it. `false` at the end of the source, the window as it was.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn more(&mut self, at: &mut usize, need: usize) -> io::Result<bool> {
        match self {
            Self::Mapped(mapped) => mapped.more(*at, need),
            Self::Blocks(blocks) => blocks.more(at, need),
        }
    }

    /// Counts what the source has behind the window, reading a stream to its end.
    pub(super) fn drain(&mut self) -> u64 {
        match self {
            Self::Mapped(mapped) => {
                octets(mapped.mapping.octets().len().saturating_sub(mapped.populated))
            }
            Self::Blocks(blocks) => blocks.drain(),
        }
    }
}

impl Mapped {
    fn more(&mut self, at: usize, need: usize) -> io::Result<bool> {
        let end = self.mapping.octets().len();
        let wanted = at.saturating_add(need);
        if self.populated >= end || wanted > end {
            // A last piece that is too short for what it begins is cut off all the same, but
            // the reader has to see it.
            let grew = self.populated < end;
            self.populated = end;
            return Ok(grew);
        }
        let target = wanted.max(self.populated).saturating_add(self.window).min(end);
        self.mapping.populate(self.populated, target.saturating_sub(self.populated))?;
        self.populated = target;
        let behind = at.saturating_sub(self.lag);
        let passed = behind.saturating_sub(self.released);
        if passed >= STRIDE.min(self.lag) {
            self.mapping.release(self.released, passed);
            self.released = behind;
        }
        Ok(true)
    }
}

impl Blocks {
    fn more(&mut self, at: &mut usize, need: usize) -> io::Result<bool> {
        let left = self.valid.saturating_sub(*at);
        // A record may claim 64 MiB: the block grows as octets come, not as they are promised.
        let size = need.min(left.saturating_mul(2)).max(self.size);
        self.make_room(*at, left, size);
        self.base = self.base.saturating_add(octets(*at));
        *at = 0;
        self.valid = left;
        let Some(block) = Arc::get_mut(&mut self.current) else { return Ok(false) };
        let room = block.get_mut(left..).unwrap_or_default();
        let read = read_some(&mut self.stream, room)?;
        self.valid = left.saturating_add(read);
        Ok(read > 0)
    }

    /// Makes `current` a block of at least `size` octets that is ours alone and begins with the
    /// `left` octets from `at` on.
    fn make_room(&mut self, at: usize, left: usize, size: usize) {
        let end = at.saturating_add(left);
        if let Some(block) = Arc::get_mut(&mut self.current)
            && block.len() >= size
            && end <= block.len()
        {
            block.copy_within(at..end, 0);
            return;
        }
        let free = self
            .held
            .iter_mut()
            .position(|block| block.len() >= size && Arc::get_mut(block).is_some());
        let mut next = match free {
            Some(index) => self.held.swap_remove(index),
            None => Arc::new(vec![0; size]),
        };
        if let Some(block) = Arc::get_mut(&mut next)
            && let Some(start) = block.get_mut(..left)
            && let Some(kept) = self.current.get(at..end)
        {
            start.copy_from_slice(kept);
        }
        let passed = std::mem::replace(&mut self.current, next);
        if passed.len() == self.size && self.held.len() < MAX_HELD {
            self.held.push(passed);
        }
    }

    fn drain(&mut self) -> u64 {
        let mut scratch = [0; 8192];
        let mut total = 0_u64;
        while let Ok(read @ 1..) = read_some(&mut self.stream, &mut scratch) {
            total = total.saturating_add(octets(read));
        }
        total
    }
}

/// A length in memory as a length in a source.
pub(super) fn octets(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
