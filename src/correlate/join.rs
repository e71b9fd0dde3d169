//! Links between records, and the findings that name them: pairs sorted by the record they belong
//! to, joined to the records by one walk over both.

use super::named::Numbers;
use super::spool::{Merge, Store};
use crate::model::id::RecordKey;
use crate::model::packed::{Packed, unpack};

/// The findings of each record, asked for in the records' order.
pub(super) struct Citations<'a> {
    numbers: Join<'a, Numbers>,
    places: &'a [u32],
    found: Vec<u32>,
}

impl<'a> Citations<'a> {
    pub(super) fn new(numbers: &'a Store, places: &'a [u32]) -> Self {
        Self { numbers: Join::new(numbers.read()), places, found: Vec::new() }
    }

    /// Places in the report's list, ascending, each once.
    pub(super) fn of(&mut self, key: RecordKey) -> &[u32] {
        let Self { numbers, places, found } = self;
        found.clear();
        for number in numbers.of(key).iter().flat_map(Numbers::all) {
            let index = usize::try_from(*number).unwrap_or(usize::MAX);
            found.push(places.get(index).copied().unwrap_or(*number));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Pairs in ascending order of their first half, asked for in ascending order of it too.
pub(super) struct Join<'a, V> {
    pairs: Merge<'a>,
    /// The next pair.
    head: Option<(RecordKey, V)>,
    found: Vec<V>,
}

impl<'a, V: for<'r> Packed<'r>> Join<'a, V> {
    pub(super) fn new(pairs: Merge<'a>) -> Self {
        let mut join = Self { pairs, head: None, found: Vec::new() };
        join.head = join.next();
        join
    }

    /// Everything paired with `key`; pairs before it belong to records that were not kept.
    pub(super) fn of(&mut self, key: RecordKey) -> &mut Vec<V> {
        self.found.clear();
        while let Some((left, _)) = &self.head
            && *left <= key
        {
            let mine = *left == key;
            let next = self.next();
            if let Some((_, right)) = std::mem::replace(&mut self.head, next)
                && mine
            {
                self.found.push(right);
            }
        }
        &mut self.found
    }

    fn next(&mut self) -> Option<(RecordKey, V)> {
        loop {
            let (key, octets) = self.pairs.next_record()?;
            match unpack(key, octets) {
                Some(value) => return Some((key, value)),
                None => self.pairs.damaged(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::frame::FrameId;
    use crate::model::id::{Kind, RecordId};

    #[test]
    fn a_join_skips_what_no_record_claims() {
        let key = |number| RecordKey {
            first: FrameId { source: 0, number },
            id: RecordId::new(Kind::Call, 0),
        };
        let mut pairs = Store::new(usize::MAX, 0);
        for (number, value) in [(1, 10_u32), (2, 20), (2, 21), (4, 40)] {
            pairs.push(key(number), &value);
        }
        pairs.sort();
        let mut join: Join<'_, u32> = Join::new(pairs.read());
        assert_eq!(join.of(key(2)).as_slice(), [20, 21]);
        assert!(join.of(key(3)).is_empty());
        assert_eq!(join.of(key(4)).as_slice(), [40]);
    }
}
