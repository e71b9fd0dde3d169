//! Sorting by key what came nearly, but not quite, in the order of time: by the digits of the frame
//! number, the lowest first, which takes a few passes however many there are.

use crate::model::frame::FrameId;

/// Fewer than this are sorted by comparison.
const FEW: usize = 64;

/// Sorts by the order of `T`, whose first criterion is the frame that `frame` gives.
pub(super) fn sort<T: Copy + Ord>(items: &mut Vec<T>, frame: impl Fn(&T) -> FrameId) {
    if items.is_sorted() {
        return;
    }
    if items.len() < FEW {
        items.sort();
        return;
    }
    let mut scratch = items.clone();
    by_digits(items, &mut scratch, |item| frame(item).number);
    by_digits(items, &mut scratch, |item| frame(item).source.into());
    for same in items.chunk_by_mut(|a, b| frame(a) == frame(b)) {
        same.sort();
    }
}

/// Sorts by the octets of `number` in which the items differ; keeps the order of equal ones.
fn by_digits<T: Copy>(items: &mut Vec<T>, scratch: &mut Vec<T>, number: impl Fn(&T) -> u64) {
    let Some(first) = items.first().map(&number) else { return };
    let differ = items.iter().fold(0, |differ, item| differ | (number(item) ^ first));
    for shift in (0..64).step_by(8).filter(|shift| differ >> shift & 0xff != 0) {
        let digit = |item: &T| {
            let [low, ..] = (number(item) >> shift).to_le_bytes();
            usize::from(low)
        };
        // Where the next item with each digit goes.
        let mut places = [0_usize; 256];
        for item in items.iter() {
            if let Some(count) = places.get_mut(digit(item)) {
                *count = count.wrapping_add(1);
            }
        }
        let mut before = 0_usize;
        for place in &mut places {
            before = before.wrapping_add(std::mem::replace(place, before));
        }
        for item in items.iter() {
            let Some(place) = places.get_mut(digit(item)) else { continue };
            if let Some(to) = scratch.get_mut(*place) {
                *to = *item;
            }
            *place = place.wrapping_add(1);
        }
        std::mem::swap(items, scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_comparing_does(
            mut items in prop::collection::vec((0_u16..3, any::<u64>(), any::<u8>()), 0..300),
            mask in prop::sample::select(vec![0xf, 0xfff, 0x3_00ff, u64::MAX]),
        ) {
            for (_, number, _) in &mut items {
                *number &= mask;
            }
            let mut sorted = items.clone();
            sorted.sort_unstable();
            sort(&mut items, |(source, number, _)| FrameId { source: *source, number: *number });
            prop_assert_eq!(items, sorted);
        }
    }
}
