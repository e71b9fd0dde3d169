//! Parts of finished records that many of them have in common, each kept once: what clients offer, and
//! chains of certificates. A full shelf takes nothing more; such parts stay with their records.

use std::hash::Hash;

use hashbrown::HashTable;

use crate::model::addr::stable_hash;
use crate::model::shared::Shelved;

/// Values of which it is remembered where they stand.
const LATELY: usize = 64;

/// Different values, by the order in which they came.
#[derive(Debug)]
pub struct Shelf<T> {
    values: Vec<T>,
    /// Hash and place of each.
    places: HashTable<(u64, u32)>,
    /// Where values stand that came lately, by their numbers: those who read handshakes keep what is the
    /// same in many of them, and hand on the same value again.
    lately: [(u64, u32); LATELY],
    octets: usize,
    cap: usize,
}

impl<T: Shelved + Eq + Hash> Shelf<T> {
    /// An empty shelf for so many octets.
    pub fn new(cap: usize) -> Self {
        let lately = [(0, u32::MAX); LATELY];
        Self { values: Vec::new(), places: HashTable::new(), lately, octets: 0, cap }
    }

    /// Where the value stands, from now on if need be; `None` if there is no room for it. No other value
    /// has its number, unless that is 0.
    pub fn put(&mut self, value: &T, number: u64) -> Option<u32> {
        let at = usize::try_from(number).unwrap_or_default() % LATELY;
        if let Some((_, place)) = self.lately.get(at).filter(|(of, _)| *of == number && number > 0)
        {
            return Some(*place);
        }
        let place = self.place(value)?;
        self.lately.get_mut(at).into_iter().for_each(|lately| *lately = (number, place));
        Some(place)
    }

    /// Where the value stands, found by what it is.
    fn place(&mut self, value: &T) -> Option<u32> {
        let hash = stable_hash(value);
        let Self { values, places, .. } = self;
        let is = |&(known, place): &(u64, u32)| {
            known == hash && usize::try_from(place).is_ok_and(|at| values.get(at) == Some(value))
        };
        if let Some((_, place)) = places.find(hash, is) {
            return Some(*place);
        }
        let octets = self.octets.saturating_add(value.octets());
        let place = u32::try_from(self.values.len()).ok().filter(|_| octets <= self.cap)?;
        self.octets = octets;
        self.values.push(value.clone());
        self.places.insert_unique(hash, (hash, place), |(hash, _)| *hash);
        Some(place)
    }

    /// The value at a place.
    pub fn get(&self, place: u32) -> Option<&T> {
        self.values.get(usize::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code_point::Version;
    use crate::model::handshake::Offered;

    #[test]
    fn equal_values_share_a_place_and_a_full_shelf_takes_no_more() {
        let offer = |version| Offered { versions: vec![Version(version)], ..Offered::default() };
        let mut shelf = Shelf::new(2 * offer(0).octets());
        assert_eq!(
            [3, 4, 3].map(|version| shelf.put(&offer(version), 0)),
            [Some(0), Some(1), Some(0)]
        );
        assert_eq!((shelf.put(&offer(5), 7), shelf.put(&offer(4), 7)), (None, Some(1)));
        assert_eq!((shelf.put(&offer(4), 7), shelf.put(&offer(3), 7 + 64)), (Some(1), Some(0)));
        assert_eq!((shelf.get(1), shelf.get(2)), (Some(&offer(4)), None));
    }
}
