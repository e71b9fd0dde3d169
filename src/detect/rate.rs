//! How often something happened lately, by subject: what the rules about storms and fuzzing count.
//!
//! One fixed window of packet time for each subject. It begins with what happens first after the last
//! window ended, so a rate that goes on is seen within two windows.

use hashbrown::HashMap;

use super::sink::Subject;
use crate::model::time::{Span, Ts};

/// Counts, and sets of things seen, within a window.
#[derive(Debug)]
pub(super) struct Rates {
    table: HashMap<Subject, Window, foldhash::fast::FixedState>,
    window: Span,
    cap: usize,
    evicted: u64,
}

/// One subject's window.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Window {
    begun: Ts,
    /// How often.
    pub count: u64,
    /// What, a bit each.
    pub kinds: u64,
}

impl Rates {
    /// Windows of this length for `cap` subjects.
    pub(super) fn new(window: Span, cap: usize) -> Self {
        Self { table: HashMap::default(), window, cap, evicted: 0 }
    }

    /// Books one more of these kinds, and says what the window now holds. Nothing is remembered of
    /// a subject for which there is no room: it is always the first time.
    pub(super) fn book(&mut self, subject: Subject, at: Ts, kinds: u64) -> Window {
        let new = Window { begun: at, count: 0, kinds: 0 };
        if self.table.len() >= self.cap && !self.table.contains_key(&subject) {
            let (now, window) = (at, self.window);
            self.table.retain(|_, known| now.since(known.begun) < window);
            if self.table.len() >= self.cap {
                self.evicted = self.evicted.saturating_add(1);
                return Window { count: 1, kinds, ..new };
            }
        }
        let known = self.table.entry(subject).or_insert(new);
        let age = at.since(known.begun);
        // Time that ran backwards begins a new window too.
        if age >= self.window || age < Span::default() {
            *known = new;
        }
        known.count = known.count.saturating_add(1);
        known.kinds |= kinds;
        *known
    }

    /// Subjects for which there was no room.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::addr::Addr;

    fn at(second: i64) -> Ts {
        Ts::from_nanos(second * 1_000_000_000)
    }

    #[test]
    fn a_window_ends_and_begins_again_and_forgets_what_it_held() {
        let mut rates = Rates::new(Span::from_secs(60), 2);
        let host = |last| Subject::host(Addr::v4([192, 0, 2, last]));
        let book = |rates: &mut Rates, last, second, kinds| {
            let window = rates.book(host(last), at(second), kinds);
            (window.count, window.kinds)
        };
        assert_eq!(book(&mut rates, 1, 100, 1), (1, 1));
        assert_eq!(book(&mut rates, 1, 159, 4), (2, 5));
        assert_eq!(book(&mut rates, 1, 160, 2), (1, 2));
        assert_eq!(book(&mut rates, 1, 150, 8), (1, 8), "time ran backwards");
        assert_eq!(book(&mut rates, 2, 160, 1), (1, 1));
        assert_eq!(book(&mut rates, 3, 161, 1), (1, 1));
        assert_eq!((book(&mut rates, 3, 162, 2), rates.evicted()), ((1, 2), 2));
        assert_eq!(book(&mut rates, 3, 300, 2), (1, 2), "the others' windows are over");
        assert_eq!(book(&mut rates, 3, 301, 1), (2, 3));
    }
}
