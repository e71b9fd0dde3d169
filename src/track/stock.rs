//! What flows hold for a short while only, kept for the next flow that needs the like: memory that comes and
//! goes with each connection costs more than what is done in it.

/// How many are kept in a cell at most: as many as are in use at a time, but for bursts.
const SPARE: usize = 4;

/// Boxes that are used again, as they were left.
#[derive(Debug)]
pub(super) struct Stock<T>(Vec<Box<T>>);

impl<T> Default for Stock<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Stock<T> {
    /// One that was used before, if there is one.
    pub(super) fn get(&mut self) -> Option<Box<T>> {
        self.0.pop()
    }

    /// Whether another one would be kept.
    pub(super) const fn has_room(&self) -> bool {
        self.0.len() < SPARE
    }

    /// Keeps one, unless there are enough.
    pub(super) fn put(&mut self, used: Box<T>) {
        if self.has_room() {
            self.0.push(used);
        }
    }
}
