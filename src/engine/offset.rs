//! How far the clocks of the sources are apart, estimated from packets that several of them have.
//!
//! Two sources that saw the same packets say of each when they did. The difference is that of their
//! clocks and the way between the taps, microseconds to milliseconds, which nothing separates from
//! it. Where packets go both ways, the way counts once with either sign, so what is taken is the
//! middle between the quartiles of the differences: between the two directions if there are two,
//! the median if there is one, and a quarter of all may be far off.
//!
//! No offset is said where there are too few common packets, where the differences scatter or
//! drift more than the recognition of copies forgives (`reassemble::duplicate`), or where the same
//! hosts' packets are mostly not common: then equal octets were sent more than once.
//!
//! Sources that are not compared with the first one directly are so by way of others. Not measured:
//! standard input, which cannot be read twice, and more than 64 sources, which are the pieces of a
//! ring buffer.

use std::collections::HashMap;

use super::sample::{Sample, Sampled};
use crate::capture::Merge;
use crate::model::addr::STABLE;
use crate::model::evidence::FrameRef;
use crate::model::time::{Span, Ts};

/// Sources that are compared with each other.
const SOURCES: usize = 64;
/// Common packets that an offset needs.
const ENOUGH: usize = 10;
/// How far apart the quartiles of the differences may be: copies are recognised up to 5 ms apart, in
/// either direction.
const SPREAD: Span = Span::from_millis(10);
/// How far the offset may wander between the first third of the common packets and the last.
const DRIFT: Span = Span::from_millis(5);

/// How far the clock of each source is ahead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offsets {
    ahead: Vec<Option<Span>>,
}

/// Of two sources.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Measured {
    /// How far the clock of the second is ahead of that of the first.
    ahead: Span,
    /// Common packets that say so.
    packets: usize,
}

impl Offsets {
    /// Measures the sources of a merge, reading them for themselves.
    pub(super) fn measure(merge: &Merge) -> Self {
        let sources = merge.sources().len();
        if !(2..=SOURCES).contains(&sources) {
            return Self { ahead: vec![None; sources] };
        }
        let samples: Vec<Option<Sample>> =
            merge.sources().map(|source| source.again().map(Sample::of)).collect();
        Self { ahead: placed(&samples) }
    }

    /// How far the clock of each source is ahead of that of the first source that it was compared
    /// with; `None` where that is not known.
    pub(super) fn each(&self) -> impl ExactSizeIterator<Item = Option<Span>> {
        self.ahead.iter().copied()
    }

    /// What is to be taken off the times of a source.
    pub(super) fn ahead(&self, source: u16) -> Span {
        self.ahead.get(usize::from(source)).copied().flatten().unwrap_or_default()
    }

    /// A frame with the time that its source's clock showed, instead of that of the first source.
    pub(super) fn own(&self, at: FrameRef) -> FrameRef {
        FrameRef { time: at.time.plus(self.ahead(at.frame.source)), ..at }
    }
}

/// The offset of each source against the first of those that it is connected with. A source joins
/// those with an offset by the comparison with the most common packets.
fn placed(samples: &[Option<Sample>]) -> Vec<Option<Span>> {
    let mut edges: Vec<(usize, usize, Measured)> = Vec::new();
    for (second, later) in samples.iter().enumerate() {
        for (first, earlier) in samples.iter().enumerate().take(second) {
            let both = earlier.as_ref().zip(later.as_ref());
            let measured = both.and_then(|(earlier, later)| measured(earlier, later));
            edges.extend(measured.map(|measured| (first, second, measured)));
        }
    }
    edges.sort_by_key(|(first, second, of)| (usize::MAX - of.packets, *first, *second));
    let mut ahead: Vec<Option<Span>> = vec![None; samples.len()];
    for root in 0..samples.len() {
        let of = |at: usize, ahead: &[Option<Span>]| ahead.get(at).copied().flatten();
        let begins = of(root, &ahead).is_none() && edges.iter().any(|(first, ..)| *first == root);
        if let Some(place) = ahead.get_mut(root).filter(|_| begins) {
            *place = Some(Span::ZERO);
        }
        // Each turn gives one source its offset, or is the last.
        while let Some((place, span)) = edges.iter().find_map(|&(first, second, measured)| {
            let step = measured.ahead.nanos();
            match (of(first, &ahead), of(second, &ahead)) {
                (Some(base), None) => Some((second, base.nanos().saturating_add(step))),
                (None, Some(base)) => Some((first, base.nanos().saturating_sub(step))),
                _ => None,
            }
        }) {
            if let Some(place) = ahead.get_mut(place) {
                *place = Some(Span::from_nanos(span));
            }
        }
    }
    ahead
}

/// Compares two samples.
fn measured(first: &Sample, second: &Sample) -> Option<Measured> {
    let limit = first.limit().min(second.limit());
    let (ours, theirs) = (first.below(limit), second.below(limit));
    let common = common(ours, theirs);
    let (ahead, spread) = middle(common.iter().map(|pair| pair.apart).collect())?;
    if common.len() < ENOUGH || spread > SPREAD {
        return None;
    }
    let mut near: Vec<Pair> =
        common.into_iter().filter(|pair| distance(pair.apart, ahead) <= SPREAD).collect();
    if drifts(&mut near) {
        return None;
    }
    // The time that both looked at, by the clock of the first.
    let from = first.span.0.max(second.span.0.minus(ahead));
    let to = first.span.1.min(second.span.1.minus(ahead));
    let mut hosts: HashMap<u32, (), _> = HashMap::with_hasher(STABLE);
    hosts.extend(near.iter().map(|pair| (pair.hosts, ())));
    let there = |packet: &&Sampled, at: Ts| {
        !packet.repeated && hosts.contains_key(&packet.hosts) && (from..=to).contains(&at)
    };
    let ours = ours.iter().filter(|packet| there(packet, packet.at)).count();
    let theirs = theirs.iter().filter(|packet| there(packet, packet.at.minus(ahead))).count();
    let enough = near.len() >= ENOUGH && near.len().saturating_mul(2) >= ours.min(theirs);
    enough.then_some(Measured { ahead, packets: near.len() })
}

/// A packet that both have.
#[derive(Copy, Clone, Debug)]
struct Pair {
    at: Ts,
    /// How much later the second saw it.
    apart: Span,
    hosts: u32,
}

/// The packets that both have once.
fn common(ours: &[Sampled], theirs: &[Sampled]) -> Vec<Pair> {
    let mut theirs = theirs.iter().peekable();
    let mut common = Vec::new();
    for our in ours {
        while theirs.next_if(|their| their.likeness < our.likeness).is_some() {}
        let Some(their) = theirs.next_if(|their| their.likeness == our.likeness) else { continue };
        if !our.repeated && !their.repeated && our.hosts == their.hosts {
            common.push(Pair { at: our.at, apart: their.at.since(our.at), hosts: our.hosts });
        }
    }
    common
}

/// The middle between the quartiles, in whole microseconds, and how far these are apart. The same
/// with the other sign, if all have the other sign.
fn middle(mut apart: Vec<Span>) -> Option<(Span, Span)> {
    apart.sort_unstable();
    let low = *apart.get(apart.len() / 4)?;
    let high = *apart.get(apart.len() - 1 - apart.len() / 4)?;
    let sum = i128::from(low.nanos()) + i128::from(high.nanos());
    let micros = i64::try_from(sum / 2000).ok()?;
    let spread = high.nanos().saturating_sub(low.nanos());
    Some((Span::from_nanos(micros.saturating_mul(1000)), Span::from_nanos(spread)))
}

/// Whether the offset at the end is another than at the beginning.
fn drifts(pairs: &mut [Pair]) -> bool {
    pairs.sort_unstable_by_key(|pair| (pair.at, pair.apart));
    let third = pairs.len().div_ceil(3);
    let of = |pairs: Option<&[Pair]>| {
        middle(pairs.unwrap_or_default().iter().map(|pair| pair.apart).collect())
    };
    let begin = of(pairs.get(..third));
    let end = of(pairs.get(pairs.len() - third..));
    begin.zip(end).is_none_or(|((begin, _), (end, _))| distance(begin, end) > DRIFT)
}

fn distance(one: Span, other: Span) -> Span {
    let apart = i128::from(one.nanos()).abs_diff(i128::from(other.nanos()));
    Span::from_nanos(i64::try_from(apart).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::sample::testing::sample;
    use super::*;

    type Packets = Vec<(u64, i64, u32)>;

    /// Packets 20 ms apart in both directions between two hosts.
    fn talk(packets: u64) -> Packets {
        (0..packets).map(|n| (n * 7919 % 100_003, i64::try_from(n).unwrap() * 20_000, 1)).collect()
    }

    fn moved(packets: &[(u64, i64, u32)], by: impl Fn(usize, i64) -> i64) -> Packets {
        let each = packets.iter().enumerate();
        each.map(|(n, &(likeness, at, hosts))| (likeness, at + by(n, at), hosts)).collect()
    }

    /// Microseconds by which the second is ahead.
    fn ahead(one: &Packets, other: &Packets) -> Option<i64> {
        let [one, other] = [one, other].map(|packets| sample(1_000, packets));
        let (there, back) = (measured(&one, &other), measured(&other, &one));
        assert_eq!(there.map(|of| of.ahead.nanos()), back.map(|of| -of.ahead.nanos()));
        there.map(|of| of.ahead.nanos() / 1000)
    }

    #[test]
    fn a_constant_offset_is_found_and_jitter_hardly_moves_it() {
        let here = talk(200);
        assert_eq!(ahead(&here, &here), Some(0));
        assert_eq!(ahead(&here, &moved(&here, |_, _| -2_700_000_000)), Some(-2_700_000_000));
        let jitter = |n: usize, _| 3_200_000 + i64::try_from(n * 31 % 100).unwrap();
        assert!((3_200_040..3_200_060).contains(&ahead(&here, &moved(&here, jitter)).unwrap()));
    }

    #[test]
    fn the_way_between_the_taps_cancels_where_packets_go_both_ways() {
        let here = talk(200);
        let there = moved(&here, |n, _| 5_000 + if n % 3 == 0 { -1_500 } else { 1_500 });
        assert_eq!(ahead(&here, &there), Some(5_000));
    }

    #[test]
    fn one_in_five_far_off_and_half_of_them_lost_do_no_harm() {
        let here = talk(400);
        let mut there = moved(&here, |n, _| if n % 5 == 0 { 777_777 } else { 100 });
        there.retain(|(likeness, ..)| likeness % 2 == 0);
        assert_eq!(ahead(&here, &there), Some(100));
    }

    #[test]
    fn a_clock_that_drifts_or_steps_has_no_offset() {
        let here = talk(400);
        assert_eq!(ahead(&here, &moved(&here, |_, at| at / 500)), None);
        assert_eq!(ahead(&here, &moved(&here, |n, _| if n < 200 { 0 } else { 40_000 })), None);
        assert!(ahead(&here, &moved(&here, |_, at| at / 10_000)).is_some(), "100 ppm, 0.8 ms");
    }

    #[test]
    fn few_common_packets_say_nothing() {
        let here = talk(9);
        assert_eq!(ahead(&here, &here), None);
        assert_eq!(ahead(&talk(10), &talk(10)), Some(0));
        assert_eq!(ahead(&here, &Vec::new()), None);
    }

    #[test]
    fn what_is_sent_again_and_again_is_not_compared() {
        // One OPTIONS every 30 s, the same octets each time, at two unrelated taps.
        let often = |from: i64| (0..100).map(|n| (5, from + n * 30_000_000, 1)).collect();
        assert_eq!(ahead(&often(0), &often(7_000_000)), None);
    }

    #[test]
    fn equal_keep_alives_of_many_hosts_do_not_outweigh_what_differs() {
        // Twenty hosts that repeat their octets after 30 s, one file for each 30 s; and their calls.
        let file = |from: i64, calls: u64| {
            let keep = (0..20).map(|n| (u64::from(n), from + i64::from(n) * 1_000, n));
            let call =
                (0..100).map(|n: u32| (calls + u64::from(n), from + i64::from(n) * 900, n % 20));
            keep.chain(call).collect::<Packets>()
        };
        assert_eq!(ahead(&file(0, 1_000), &file(30_000_000, 2_000)), None);
    }

    #[test]
    fn sources_are_connected_by_way_of_others() {
        let (early, late) = (talk(300)[..100].to_vec(), talk(300)[200..].to_vec());
        let all = moved(&talk(300), |_, _| 40_000);
        let foreign: Packets = (0..50).map(|n| (200_000 + n, 5, 9)).collect();
        let of = |packets: &Packets| Some(sample(1_000, packets));
        let late = moved(&late, |_, _| 1_000);
        let placed = placed(&[of(&early), of(&foreign), None, of(&late), of(&all)]);
        let micros: Vec<Option<i64>> =
            placed.iter().map(|span| span.map(|span| span.nanos() / 1000)).collect();
        assert_eq!(micros, [Some(0), None, None, Some(1_000), Some(40_000)]);
    }
}
