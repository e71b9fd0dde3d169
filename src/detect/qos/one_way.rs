//! `QOS-ONE-WAY`: calls in which one side falls silent while the other goes on.

use hashbrown::{HashMap, HashSet};

use super::super::calls::CallSeen;
use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::id::RecordKey;
use crate::model::time::{Span, Ts};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Between two hosts of one call, a side that sent no RTP at all, or none any more, for at least
    /// five seconds in which the other sent a hundred packets, although audio was to flow both ways: no
    /// description of the call says `sendonly`, `recvonly` or `inactive`, it was never on hold, and no answer
    /// accepted T.38, which takes the place of audio.
    /// Media before the answer does not count. High; info where the side that is silent sends RTCP, or
    /// where in no call between the two anything was ever seen in that direction, and there are
    /// several: then it is the tap that does not see it. Where the silence begins with the end of the
    /// dialog three seconds are enough for an info: nobody pauses there, and who goes on may not know of
    /// the BYE.
    ///
    /// ## Why it matters
    /// One of the two hears nothing: a firewall, an address that cannot be reached, or a call that
    /// somebody ended for one side only, by a forged BYE for instance.
    ///
    /// ## Evidence
    /// The first packet of the side that was heard, with how long it was alone.
    ///
    /// ## False positives
    /// Voice mail and announcements that say `sendrecv`; silence suppression without comfort noise and
    /// without RTCP; a tap that sees one direction only, of a single call (`SENSOR-ONE-SIDED`).
    ///
    /// ## Fix
    /// Compare the addresses in the offer and the answer with where the packets go, and look at
    /// who ended the call.
    id: "QOS-ONE-WAY",
    name: "qos-one-way",
    title: "One side of a call is silent",
    severity: Info ..= High,
    status: Preview,
    wants: [CALL, STREAM],
    references: ["RFC 3264 §5.1", "RFC 3550 §6"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["one_way_packets", "one_way_ms", "one_way_over_ms"],
    since: "0.1.0",
}

/// Calls of which the tap shows one direction only, before that is put down to the tap.
const SEVERAL: usize = 3;

/// How far from the end of the dialog a side stops that stops because of it.
const HANGING_UP: Span = Span::from_secs(1);

/// Tally: the longest time alone, milliseconds.
const ALONE: usize = 0;

/// One direction between two hosts of a call.
#[derive(Copy, Clone, Debug)]
struct Direction {
    at: Ts,
    /// From the answer on: what was sent before is not held against anybody.
    from: Ts,
    last: Ts,
    packets: u64,
    key: RecordKey,
    /// Somebody reported about it.
    reported: bool,
}

/// Calls whose directions have not been seen to end together.
#[derive(Copy, Clone, Debug)]
struct Open {
    /// From the lower end, and from the higher.
    ways: [Option<Direction>; 2],
    /// When its dialog ended, if it has.
    over: Option<Ts>,
}

/// A direction that went on alone.
struct Alone {
    way: Direction,
    /// For how long, and what it sent in that time.
    lasted: Span,
    packets: u64,
    /// From the end of the dialog on.
    hung_up: bool,
}

/// The rule at work.
pub(crate) struct OneWay {
    open: HashMap<(RecordKey, Subject), Open, foldhash::fast::FixedState>,
    /// Calls whose directions ended together; another stream of theirs may end later.
    done: Lately<(RecordKey, Subject), Open>,
    /// Calls in which audio was not to flow both ways all the time.
    excused: HashSet<RecordKey, foldhash::fast::FixedState>,
    /// Hosts of which both were heard in a call.
    both: HashSet<Subject, foldhash::fast::FixedState>,
    cap: usize,
    packets: u64,
    alone: Span,
    /// The same from the end of the dialog on.
    over: Span,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> OneWay {
    OneWay {
        open: HashMap::default(),
        done: Lately::new(policy.limits.peers),
        excused: HashSet::default(),
        both: HashSet::default(),
        cap: policy.limits.peers,
        packets: policy.thresholds.one_way_packets,
        alone: Span::from_millis(policy.thresholds.one_way_ms),
        over: Span::from_millis(policy.thresholds.one_way_over_ms),
        evicted: 0,
    }
}

/// When the part of a stream begins that does not lie before the answer; `None` if all of it does.
fn since_answer(seen: &StreamSeen<'_>) -> Option<Ts> {
    let first = seen.record.first;
    if !seen.early {
        return Some(first);
    }
    seen.around.answered.filter(|answered| *answered < seen.record.last).map(|at| at.max(first))
}

/// So many of these packets fall into a part of their time, if they are spread evenly.
fn share(packets: u64, part: Span, whole: Span) -> u64 {
    if part == whole && whole > Span::ZERO {
        return packets;
    }
    let share = i128::from(part.nanos()) * i128::from(packets) / i128::from(whole.nanos().max(1));
    u64::try_from(share).unwrap_or(0).min(packets)
}

impl Direction {
    fn and(self, other: Self) -> Self {
        let first = if other.at < self.at { other } else { self };
        let reported = self.reported || other.reported;
        Self {
            from: self.from.min(other.from),
            last: self.last.max(other.last),
            packets: self.packets + other.packets,
            reported,
            ..first
        }
    }
}

impl Open {
    /// The direction that went on alone.
    fn alone(&self) -> Option<Alone> {
        let [low, high] = self.ways;
        let (way, short) = match (low, high) {
            (Some(low), Some(high)) if low.last < high.last => (high, Some(low.last)),
            (Some(low), Some(high)) => (low, Some(high.last)),
            (Some(one), None) | (None, Some(one)) => (one, None),
            (None, None) => return None,
        };
        let from = short.map_or(way.from, |last| last.max(way.from));
        let lasted = way.last.since(from);
        let packets = share(way.packets, lasted, way.last.since(way.from));
        let near = |(last, over): (Ts, Ts)| last.since(over).nanos().abs() <= HANGING_UP.nanos();
        Some(Alone { way, lasted, packets, hung_up: short.zip(self.over).is_some_and(near) })
    }
}

impl OneWay {
    /// Whether it was for long enough.
    fn lasted(&self, alone: &Alone) -> bool {
        alone.lasted >= if alone.hung_up { self.over.min(self.alone) } else { self.alone }
    }
}

impl Detector for OneWay {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, _: &mut Sink) {
        let Some(call) = seen.call.filter(|_| !seen.lookalike) else { return };
        let record = seen.record;
        let Some(from) = since_answer(seen) else { return };
        let direction = Direction {
            at: record.first,
            from,
            last: record.last,
            packets: share(
                record.packets,
                record.last.since(from),
                record.last.since(record.first),
            ),
            key: seen.key,
            reported: record.rtcp.is_some() || record.srtcp.is_some_and(|seen| seen.by_receiver),
        };
        let key = (call, seen.pair);
        if self.open.len() >= self.cap && !self.open.contains_key(&key) {
            self.evicted += 1;
            return;
        }
        let before = || self.done.get(&key).unwrap_or(Open { ways: [None; 2], over: None });
        let open = self.open.entry(key).or_insert_with(before);
        open.over = open.over.or(seen.around.over);
        let [low, high] = &mut open.ways;
        // Within one host the ports tell the two apart.
        let way = if record.src <= record.dst { low } else { high };
        *way = Some(way.map_or(direction, |known| known.and(direction)));
        // Nearly always the two end together, and are done with.
        let all = open.ways.iter().all(Option::is_some);
        let alone = open.alone();
        let together = all && alone.is_some_and(|alone| !self.lasted(&alone));
        if all && self.both.len() < self.cap {
            self.both.insert(key.1);
        }
        if together && let Some(open) = self.open.remove(&key) {
            self.done.put(key, open);
        }
    }

    fn call(&mut self, seen: &CallSeen<'_>, _: &mut Sink) {
        let media = &seen.record.media;
        let one_way = media.features.iter().any(|feature| &**feature == "one-way");
        let pictures = media.answered.iter().any(|profile| profile.eq_ignore_ascii_case("udptl"));
        let excused = one_way || pictures || !media.holds.is_empty();
        if excused && self.excused.len() < self.cap {
            self.excused.insert(seen.key);
        }
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        let judged = self.open.iter().filter_map(|((call, pair), open)| {
            let alone = open.alone()?;
            let judged = self.lasted(&alone) && alone.packets >= self.packets;
            let silent = judged && !self.excused.contains(call);
            silent.then_some((alone, *pair, *call))
        });
        let mut found: Vec<_> = judged.collect();
        found.sort_by_key(|(Alone { way, .. }, pair, _)| (way.at, way.key.first, pair.hash64()));
        let mut calls: HashMap<Subject, usize, foldhash::fast::FixedState> = HashMap::default();
        for (_, pair, _) in &found {
            *calls.entry(*pair).or_default() += 1;
        }
        for (alone, pair, call) in found {
            let (way, seconds) = (alone.way, alone.lasted.secs_f64());
            let several = calls.get(&pair).is_some_and(|calls| *calls >= SEVERAL);
            let unseen = several && !self.both.contains(&pair);
            let short = alone.lasted < self.alone;
            let harmless = way.reported || unseen || short;
            let severity = if harmless { Severity::Info } else { Severity::High };
            let at = FrameRef { frame: way.key.first, time: way.at };
            let sighting =
                Sighting::new(&META, pair, at).severity(severity).confidence(Confidence::Medium);
            sink.sighting(sighting, |_| {
                let packets = plural(way.packets, "packet");
                let over = if alone.hung_up { ", from the end of the call on" } else { "" };
                let text = sentence!(
                    "{packets}, {seconds:.1} s of them without any from the other side{over}"
                );
                (text, None)
            })
            .most(ALONE, u64::try_from(alone.lasted.nanos() / 1_000_000).unwrap_or(0))
            .stream(way.key)
            .call(Some(call));
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let milliseconds = entry.tally(ALONE);
        Words {
            summary: sentence!(
                "In {} between {} only one side sends, for up to {}.{} seconds.",
                plural(entry.count, "call"),
                entry.subject.spoken(),
                milliseconds / 1_000,
                milliseconds % 1_000 / 100,
            ),
            parameters: vec![
                ("one_way_packets", Figure::Count(self.packets)),
                (
                    "one_way_ms",
                    Figure::Count(u64::try_from(self.alone.nanos() / 1_000_000).unwrap_or(0)),
                ),
                ("calls", Figure::Count(entry.count)),
                ("longest_ms", Figure::Count(milliseconds)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("one_way_calls", self.evicted)
    }
}
