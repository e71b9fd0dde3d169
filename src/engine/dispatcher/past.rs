//! When the frames of the last while came, to within a few hundred of them.

use crate::model::time::{Span, Ts};

/// Frames from one note to the next, as long as there is room for so many.
const EVERY: u64 = 1_024;

/// Notes at most.
const MOST: usize = 1 << 14;

/// Watermarks, each of so many frames.
#[derive(Debug)]
pub(super) struct Past {
    marks: Vec<Ts>,
    every: u64,
    /// The number of the frame of the next note.
    next: u64,
    /// What is older than this is not needed.
    needed: Span,
}

impl Past {
    pub(super) const fn new(needed: Span) -> Self {
        Self { marks: Vec::new(), every: EVERY, next: EVERY, needed }
    }

    /// So many frames have come by this watermark.
    #[inline]
    pub(super) fn note(&mut self, frames: u64, watermark: Ts) {
        if frames >= self.next {
            self.mark(frames, watermark);
        }
    }

    #[cold]
    #[inline(never)]
    fn mark(&mut self, frames: u64, watermark: Ts) {
        if self.marks.len() >= MOST {
            self.marks.retain(|mark| mark.plus(self.needed) > watermark);
        }
        if self.marks.len() >= MOST {
            let mut kept = false;
            self.marks.retain(|_| {
                kept = !kept;
                kept
            });
            self.every = self.every.saturating_mul(2);
        }
        self.next = frames.saturating_add(self.every);
        if self.marks.last() != Some(&watermark) {
            self.marks.push(watermark);
        }
    }

    /// The watermarks in order.
    pub(super) fn into_marks(self) -> Vec<Ts> {
        self.marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_thinned_when_there_are_too_many() {
        let mut past = Past::new(Span::from_secs(1));
        let frames = 3 * MOST as u64 * EVERY;
        for frame in 1..=frames {
            past.note(frame, Ts::from_nanos(i64::try_from(frame).unwrap()));
        }
        let marks = past.into_marks();
        assert!((MOST / 2..=MOST).contains(&marks.len()), "{}", marks.len());
        let apart = |pair: &[Ts]| pair[1].since(pair[0]).nanos();
        assert!(marks.windows(2).all(|pair| apart(pair) <= 4 * 1_024));
    }

    #[test]
    fn what_is_long_over_goes_first() {
        let mut past = Past::new(Span::from_secs(1));
        for frame in 1..=2 * MOST as u64 * EVERY {
            past.note(frame, Ts::from_nanos(i64::try_from(frame).unwrap() * 1_000));
        }
        let marks = past.into_marks();
        assert!(marks.windows(2).all(|pair| pair[1].since(pair[0]).nanos() == 1_024_000));
    }
}
