//! The packets of the last milliseconds that carry an IP identification: a hash and a time of each.
//!
//! Sets of eight, one cache line each, the newest first, so that what is overwritten is the oldest.
//! The table starts small, because a small table stays in the cache, and doubles when a set would
//! forget a packet too early; at its cap what is overwritten too early is counted.

use crate::model::fetch;

/// How far apart two sightings with one IP identification may be, microseconds.
const SAME_ID: u32 = 5_000;
/// Packets of a set.
const WAYS: usize = 8;
/// Sets of a new table.
const FEW_SETS: usize = 4;

/// Octets that one remembered packet takes.
pub(super) const ENTRY: usize = size_of::<Set>() / WAYS;

#[derive(Copy, Clone, Debug, Default)]
#[repr(align(64))]
struct Set {
    /// The upper half of each hash; 0 where there is no packet.
    tags: [u32; WAYS],
    /// Capture times in microseconds, modulo 2^32.
    micros: [u32; WAYS],
}

/// Packets by hash.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    sets: Vec<Set>,
    most_sets: usize,
    overwritten: u64,
}

impl Set {
    #[inline]
    fn has(&self, tag: u32, micros: u32) -> bool {
        // Nearly always none is equal; without a branch an entry this is vector code.
        let equal = self.tags.iter().fold(0, |equal, other| equal | u32::from(*other == tag));
        equal > 0 && self.has_near(tag, micros)
    }

    #[cold]
    fn has_near(&self, tag: u32, micros: u32) -> bool {
        self.tags.iter().zip(self.micros).any(|(other, then)| {
            let later = micros.wrapping_sub(then);
            *other == tag && later.min(then.wrapping_sub(micros)) <= SAME_ID
        })
    }

    /// Whether the oldest packet could still be seen a second time.
    #[inline]
    const fn is_full(&self, now: u32) -> bool {
        let [.., tag] = self.tags;
        let [.., micros] = self.micros;
        tag != 0 && now.wrapping_sub(micros) <= SAME_ID
    }

    #[inline]
    #[expect(clippy::many_single_char_names, reason = "eight places in order")]
    const fn push(&mut self, tag: u32, micros: u32) {
        let [a, b, c, d, e, f, g, _] = self.tags;
        self.tags = [tag, a, b, c, d, e, f, g];
        let [a, b, c, d, e, f, g, _] = self.micros;
        self.micros = [micros, a, b, c, d, e, f, g];
    }
}

impl Recent {
    /// Remembers up to about `cap` packets, rounded up to a power of two of at least 8.
    pub(super) fn new(cap: usize) -> Self {
        let most_sets = cap.div_ceil(WAYS).clamp(1, 1 << 24).next_power_of_two();
        Self { sets: vec![Set::default(); most_sets.min(FEW_SETS)], most_sets, overwritten: 0 }
    }

    /// Packets that were overwritten while a copy of them could still have come.
    pub(super) const fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// Asks for the set of a hash.
    #[inline]
    pub(super) fn fetch(&self, tag: u32) {
        fetch::element(&self.sets, self.place(tag));
    }

    /// Whether a packet with this hash was seen within 5 ms of `micros`; remembers it if not.
    /// `now` is the watermark in microseconds.
    #[inline]
    pub(super) fn is_known(&mut self, tag: u32, micros: u32, now: u32) -> bool {
        let tag = tag.max(1);
        loop {
            let place = self.place(tag);
            let sets = self.sets.len();
            let Some(set) = self.sets.get_mut(place) else { return false };
            if set.has(tag, micros) {
                return true;
            }
            let full = set.is_full(now);
            if !full || sets >= self.most_sets {
                self.overwritten = self.overwritten.saturating_add(u64::from(full));
                set.push(tag, micros);
                return false;
            }
            self.grow(now);
        }
    }

    /// Doubles the table; what still counts moves to its new set.
    #[cold]
    fn grow(&mut self, now: u32) {
        let doubled = vec![Set::default(); self.sets.len().saturating_mul(2)];
        for set in std::mem::replace(&mut self.sets, doubled) {
            for (tag, micros) in set.tags.into_iter().zip(set.micros).rev() {
                if tag != 0 && now.wrapping_sub(micros) <= SAME_ID {
                    let place = self.place(tag);
                    if let Some(set) = self.sets.get_mut(place) {
                        set.push(tag, micros);
                    }
                }
            }
        }
    }

    /// The set of a tag: its lowest bits, as many as there are sets.
    #[inline]
    fn place(&self, tag: u32) -> usize {
        let mask = self.sets.len().saturating_sub(1);
        usize::try_from(tag.max(1)).unwrap_or_default() & mask
    }
}
