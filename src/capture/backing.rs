//! Who owns the octets of a frame: a mapped file or a block that was read.

use std::sync::Arc;

use super::mmap::Mapping;
use crate::model::frame::RawFrame;

/// The shared octets that the frames of a chunk are ranges of. Cloning counts references.
#[derive(Clone, Debug)]
pub enum Backing {
    /// A mapped file, all of it.
    Map(Arc<Mapping>),
    /// One block of a file or pipe that is read. Octets that no frame names are left over from
    /// earlier use.
    Block(Arc<Vec<u8>>),
}

/// Frames in file order that share one backing. Made once, filled again and again.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// What [`RawFrame::offset`] counts from.
    pub backing: Backing,
    /// The frames, at most as many as were asked for.
    pub frames: Vec<RawFrame>,
}

/// What a frame becomes in the list it is delivered in, so that it is written once.
pub(super) trait Delivered {
    /// A frame of the only source, of the only backing.
    fn of(frame: RawFrame) -> Self;
}

impl Delivered for RawFrame {
    #[inline]
    fn of(frame: RawFrame) -> Self {
        frame
    }
}

impl Delivered for (u16, u16, RawFrame) {
    #[inline]
    fn of(frame: RawFrame) -> Self {
        (0, 0, frame)
    }
}

impl Backing {
    /// All octets of the backing.
    #[inline]
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Map(mapping) => mapping.octets(),
            Self::Block(block) => block,
        }
    }

    /// The captured octets of `frame`, which must be of a chunk with this backing; empty if the
    /// frame is damaged.
    #[inline]
    pub fn frame(&self, frame: &RawFrame) -> &[u8] {
        let captured = usize::try_from(frame.captured).unwrap_or(usize::MAX);
        let end = frame.offset.saturating_add(captured);
        self.octets().get(frame.offset..end).unwrap_or_default()
    }
}

impl Default for Backing {
    fn default() -> Self {
        Self::Block(Arc::default())
    }
}
