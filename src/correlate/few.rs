//! A list that is nearly always short: two values in place, the others in a box of their own.

/// Values in the order in which they came.
pub(super) struct Few<T> {
    first: [Option<T>; 2],
    #[expect(clippy::box_collection, reason = "nearly no list has more, and all have the field")]
    more: Option<Box<Vec<T>>>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { first: [None, None], more: None }
    }
}

impl<T> Few<T> {
    /// The values.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().flatten().chain(self.more.iter().flat_map(|more| more.iter()))
    }

    /// Adds a value at the end.
    pub(super) fn push(&mut self, value: T) {
        match self.first.iter_mut().find(|place| place.is_none()) {
            Some(place) if self.more.is_none() => *place = Some(value),
            _ => self.more.get_or_insert_default().push(value),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.iter().count()
    }

    /// Drops those that `keep` refuses.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let Self { first, more } = std::mem::take(self);
        let more = more.into_iter().flat_map(|more| more.into_iter());
        first
            .into_iter()
            .flatten()
            .chain(more)
            .filter(|value| keep(value))
            .for_each(|value| self.push(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_in_order() {
        let mut few = Few::default();
        (0..5).for_each(|value| few.push(value));
        few.retain(|value| *value != 1);
        assert_eq!(few.iter().copied().collect::<Vec<_>>(), [0, 2, 3, 4]);
        few.retain(|value| *value == 3);
        few.push(9);
        few.push(8);
        assert_eq!((few.iter().copied().collect::<Vec<_>>(), few.len()), (vec![3, 9, 8], 3));
    }
}
