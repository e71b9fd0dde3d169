//! Two samples beside each other: medians, and whether one tends to be larger (Mann and Whitney, 1947).
//!
//! The rank test takes nothing for granted about how the values are spread, which for jitter nobody
//! knows. With thirty values and more on each side U is all but normal; ties are allowed for.

/// Values of which the middle and the ranks are asked for: the first so many of a kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    values: Vec<u32>,
}

/// Values kept of one sample.
const KEPT: usize = 256;

impl Sample {
    /// Keeps a value, if there is room.
    pub(super) fn add(&mut self, value: u64) {
        if self.values.len() < KEPT {
            self.values.push(u32::try_from(value).unwrap_or(u32::MAX));
        }
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The middle value, or the mean of the two in the middle; `None` of nothing.
    pub(super) fn median(&self) -> Option<u64> {
        let mut values = self.values.clone();
        values.sort_unstable();
        let middle = values.len() / 2;
        let upper = u64::from(*values.get(middle)?);
        let lower = values.get(middle.wrapping_sub(1)).map_or(upper, |lower| u64::from(*lower));
        Some(if values.len().is_multiple_of(2) { u64::midpoint(lower, upper) } else { upper })
    }

    /// How many standard deviations the rank sum of these values lies above what it would be if both
    /// samples were alike; 0 if all values are equal, `None` if one is empty.
    pub(super) fn above(&self, other: &Self) -> Option<f64> {
        let (ours, theirs) = (float(self.len()), float(other.len()));
        if self.values.is_empty() || other.values.is_empty() {
            return None;
        }
        let mark = |values: &[u32], own| values.iter().map(move |value| (*value, own)).collect();
        let mut all: Vec<(u32, bool)> = mark(&self.values, true);
        all.extend::<Vec<_>>(mark(&other.values, false));
        all.sort_unstable();
        let (mut before, mut ranks, mut ties) = (0.0, 0.0, 0.0);
        for equal in all.chunk_by(|one, next| one.0 == next.0) {
            let count = float(equal.len());
            let own = float(equal.iter().filter(|(_, own)| *own).count());
            ranks += own * (before + f64::midpoint(1.0, count));
            ties += count * count * count - count;
            before += count;
        }
        let n = ours + theirs;
        let u = ranks - ours * (ours + 1.0) / 2.0;
        let variance = ours * theirs / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
        Some(if variance > 0.0 { (u - ours * theirs / 2.0) / variance.sqrt() } else { 0.0 })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: impl IntoIterator<Item = u64>) -> Sample {
        let mut sample = Sample::default();
        values.into_iter().for_each(|value| sample.add(value));
        sample
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(sample([]).median(), None);
        assert_eq!(sample([7]).median(), Some(7));
        assert_eq!(sample([9, 1, 5]).median(), Some(5));
        assert_eq!(sample([9, 1, 5, 7]).median(), Some(6));
    }

    #[test]
    fn ranks_tell_a_larger_sample_and_count_ties_by_half() {
        // By hand: U = 0 of 9, mean 4.5, variance 9 * 7 / 12.
        let z = sample([1, 2, 3]).above(&sample([4, 5, 6])).unwrap();
        assert!((z + 4.5 / 5.25_f64.sqrt()).abs() < 1e-12, "{z}");
        let (same, other) = (sample(0..40), sample(0..40));
        assert!(same.above(&other).unwrap().abs() < 1e-12);
        assert!(sample(20..60).above(&other).unwrap() > 5.0);
        assert_eq!(sample([3, 3]).above(&sample([3])), Some(0.0));
        assert_eq!(sample([]).above(&other), None);
    }
}
