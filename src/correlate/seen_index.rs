//! Where in a queue the entry of a key stands, for a queue that new entries join and the oldest leave.
//! Entries are numbered as they come, so an entry of the index is dead as soon as its number has left
//! the queue: leaving costs the index nothing. A probe is one line of 64 octets, as a rule; a response
//! is kept in the line of its request, which has been looked at already. See
//! `docs/decisions/0007-one-pass-one-line.md`.

use crate::model::fetch;

/// Keys in a line.
const SLOTS: usize = 7;

/// One cache line.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Line {
    /// The higher half of each key, never 0; 0 for a slot that was never used.
    tags: [u32; SLOTS],
    /// The number of each entry.
    numbers: [u32; SLOTS],
    /// True once an entry found no room here; and the number of the youngest that did. One is looked for
    /// beyond this line while that number is alive.
    overflowed: bool,
    beyond: u32,
}

/// Octets of the index for each entry, when as many entries as it has room for are alive.
pub(super) const SHARE: usize = size_of::<Line>().div_ceil(ROOM) + 4;

/// Entries for each line, on average, before the index grows.
const ROOM: usize = 5;

/// The numbers that are alive: `len` of them from `base` on; they wrap.
#[derive(Copy, Clone)]
pub(super) struct Alive {
    pub(super) base: u32,
    pub(super) len: usize,
}

impl Alive {
    /// The number of the next entry to come.
    pub(super) fn next(self) -> u32 {
        self.base.wrapping_add(u32::try_from(self.len).unwrap_or(u32::MAX))
    }

    fn has(self, number: u32) -> bool {
        usize::try_from(number.wrapping_sub(self.base)).is_ok_and(|age| age < self.len)
    }
}

/// A key, and the key in whose line it is looked for first: its own, or that of its request.
#[derive(Copy, Clone)]
pub(super) struct Keyed {
    pub(super) home: u32,
    pub(super) key: u64,
}

impl Keyed {
    /// A key of its own.
    pub(super) fn alone(key: u64) -> Self {
        Self { home: halves(key).0, key }
    }

    /// A key kept beside another.
    pub(super) fn beside(home: u64, key: u64) -> Self {
        Self { home: halves(home).0, key }
    }
}

/// The index: a power of two of lines.
pub(super) struct SeenIndex {
    lines: Vec<Line>,
}

impl SeenIndex {
    /// An index of the fewest lines.
    pub(super) fn new() -> Self {
        Self { lines: vec![Line::default(); 16] }
    }

    /// True if one more entry beside `len` is too many.
    pub(super) fn is_full(&self, len: usize) -> bool {
        len >= self.lines.len().saturating_mul(ROOM)
    }

    /// Empties the index and doubles it: all entries that are alive must be put in again.
    pub(super) fn grow(&mut self) {
        let lines = self.lines.len().saturating_mul(2);
        self.lines.clear();
        self.lines.resize(lines, Line::default());
    }

    /// Asks for the line where a key is looked for first.
    pub(super) fn fetch(&self, keyed: Keyed) {
        if let Some(place) = self.places(keyed).next() {
            fetch::element(&self.lines, place);
        }
    }

    /// Asks for the line beyond, if a key is looked for there too. Its first line should be here.
    pub(super) fn fetch_beyond(&self, keyed: Keyed, alive: Alive) {
        let mut places = self.places(keyed);
        let home = places.next().and_then(|place| self.lines.get(place));
        if home.is_some_and(|line| line.overflowed && alive.has(line.beyond))
            && let Some(place) = places.next()
        {
            fetch::element(&self.lines, place);
        }
    }

    /// The number of the entry with this key; `is` has the last word on whether it is the one.
    pub(super) fn find(&self, keyed: Keyed, alive: Alive, is: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag(keyed.key);
        for place in self.places(keyed) {
            let line = self.lines.get(place)?;
            for (other, number) in line.tags.iter().zip(&line.numbers) {
                if *other == tag && is(*number) {
                    return Some(*number);
                }
            }
            if !line.overflowed || !alive.has(line.beyond) {
                break;
            }
        }
        None
    }

    /// Puts in the entry of this number, which is younger than all others.
    pub(super) fn insert(&mut self, keyed: Keyed, number: u32, alive: Alive) {
        let tag = tag(keyed.key);
        for place in self.places(keyed) {
            let Some(line) = self.lines.get_mut(place) else { return };
            for (other, kept) in line.tags.iter_mut().zip(&mut line.numbers) {
                if *other == 0 || !alive.has(*kept) {
                    (*other, *kept) = (tag, number);
                    return;
                }
            }
            (line.overflowed, line.beyond) = (true, number);
        }
    }

    /// The lines to look at: the home's, then the key's own and those after it.
    fn places(&self, keyed: Keyed) -> impl Iterator<Item = usize> + use<> {
        let own = halves(keyed.key).0;
        let skip = u32::from(own == keyed.home);
        let mask = self.lines.len().saturating_sub(1);
        let further = (0..=mask).map(move |step| {
            usize::try_from(own.wrapping_add(skip)).unwrap_or_default().wrapping_add(step)
        });
        let home = usize::try_from(keyed.home).unwrap_or_default();
        std::iter::once(home).chain(further).map(move |place| place & mask)
    }
}

/// The lower and the higher half.
#[expect(clippy::many_single_char_names, reason = "eight octets in order")]
fn halves(key: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = key.to_le_bytes();
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

fn tag(key: u64) -> u32 {
    halves(key).1 | 1
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn every_entry_in_the_queue_is_found_and_none_that_left_it() {
        let mut index = SeenIndex::new();
        let mut queue: VecDeque<(u32, u64)> = VecDeque::new();
        let mut base = u32::MAX - 500;
        for step in 0..4_000_u64 {
            // Few homes and few halves, so that lines overflow and tags coincide.
            let key = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0x3_0000_ffff | step << 40;
            let keyed = Keyed { home: u32::try_from(step % 5).unwrap(), key };
            let alive = Alive { base, len: queue.len() };
            let is =
                |number: u32| queue.iter().any(|&(other, known)| (other, known) == (number, key));
            assert_eq!(index.find(keyed, alive, is), None);
            if index.is_full(queue.len()) {
                index.grow();
                for (age, &(number, key)) in queue.iter().enumerate() {
                    let keyed = Keyed { home: u32::try_from((key >> 40) % 5).unwrap(), key };
                    index.insert(keyed, number, Alive { base, len: age });
                }
            }
            let number = alive.next();
            index.insert(keyed, number, alive);
            queue.push_back((number, key));
            if step % 3 != 0 && queue.len() > 200 {
                queue.pop_front();
                base = base.wrapping_add(1);
            }
            if step % 50 == 0 {
                let alive = Alive { base, len: queue.len() };
                for &(number, key) in &queue {
                    let keyed = Keyed { home: u32::try_from((key >> 40) % 5).unwrap(), key };
                    let is = |other: u32| {
                        queue
                            .get(usize::try_from(other.wrapping_sub(base)).unwrap())
                            .is_some_and(|entry| entry.1 == key)
                    };
                    assert_eq!(index.find(keyed, alive, is), Some(number), "{step}");
                }
            }
        }
    }
}
