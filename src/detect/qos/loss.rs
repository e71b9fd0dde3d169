//! `QOS-LOSS`: streams of which much never arrived (RFC 3550 appendix A.3).

use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen, TapSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::plural;
use super::{about, heard_better, hundredths, of_one, spoken};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::record::StreamRecord;
use crate::model::stream::{Hole, StreamKey};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// RTP streams in which more than one in a hundred sequence numbers never came: low; more than
    /// three, medium; more than ten, high. Duplicates do not lower the figure. Streams with fewer
    /// numbers than a few seconds of speech are left out. Where all of it is the tap's loss, low:
    /// half of the seconds in which a stream lost are seconds in which many streams did
    /// (`SENSOR-DROP`), or its receiver's report knows of less than half.
    ///
    /// What is missing in a hole of two seconds and more does not count if most of the hole lies in a time
    /// when signalling lets the call's audio pause, on hold or while it runs T.38: the sender counted on.
    /// `lost` of the stream has it, as RFC 3550 wants; `lost_in_pauses` says how much it is.
    ///
    /// ## Why it matters
    /// One per cent of loss is heard, ten per cent is no conversation. In bursts it is worse: the
    /// stream's `quality` says how it clustered.
    ///
    /// ## Evidence
    /// The first packet of each stream, with its loss and its bursts, and the receiver's own count
    /// where RTCP told it; and the longest hole, if most of the loss lies in it.
    ///
    /// ## False positives
    /// A hole of seconds that signalling does not explain: an outage, a way that the tap does not see, a
    /// sender that pauses and counts on. The evidence says that it is one hole.
    ///
    /// The tap lost what the receiver got, and too few streams or reports show it: see
    /// `SENSOR-DROP`, and the receiver's report beside. Loss behind the tap is not in this figure.
    ///
    /// ## Fix
    /// Find the hop: compare the same stream at two taps, or with the receiver's RTCP.
    id: "QOS-LOSS",
    name: "qos-loss",
    title: "Media packets were lost",
    severity: Low ..= High,
    status: Stable,
    wants: [STREAM, TAP],
    references: ["RFC 3550 §A.3", "RFC 3611 §4.7"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["loss_min_packets", "loss_low_pct", "loss_medium_pct", "loss_high_pct", "hole_s"],
    since: "0.1.0",
}

/// Tally: numbers lost; the worst share, hundredths of a percent; streams of which the receiver
/// reported less loss than the tap saw.
const LOST: usize = 0;
const WORST: usize = 1;
const BETTER_HEARD: usize = 2;
/// Tally: streams whose loss is the tap's; numbers missing in pauses; streams of which most is missing in one
/// hole.
const TAP: usize = 3;
const PAUSED: usize = 4;
const HOLED: usize = 5;

/// Seconds with loss that are remembered of one stream.
const SECONDS: usize = 256;

/// A stream whose loss was sighted, until the end tells whose it was.
#[derive(Clone, Debug)]
struct Sighted {
    severity: Severity,
    /// The receiver's report shows that the tap lost most of it.
    heard: bool,
    /// In which seconds it lost.
    seconds: Vec<i64>,
}

/// What a stream lost, but for what its sender let pass in pauses.
#[derive(Copy, Clone, Debug)]
pub(super) struct Loses {
    lost: u64,
    expected: u64,
    /// Percent, three decimals.
    pub(super) pct: f64,
}

/// The rule at work.
pub(crate) struct Loss {
    least: u64,
    steps: [(f64, Severity); 3],
    /// In which seconds streams lost that have not ended, by [`StreamKey::hash64`].
    open: HashMap<u64, Vec<i64>, foldhash::fast::FixedState>,
    sighted: HashMap<Subject, Vec<Sighted>, foldhash::fast::FixedState>,
    kept: usize,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> Loss {
    let of = &policy.thresholds;
    Loss {
        open: HashMap::default(),
        sighted: HashMap::default(),
        kept: 0,
        cap: policy.limits.peers,
        evicted: 0,
        least: of.loss_min_packets,
        steps: [
            (of.loss_high_pct, Severity::High),
            (of.loss_medium_pct, Severity::Medium),
            (of.loss_low_pct, Severity::Low),
        ],
    }
}

impl Loss {
    /// In which seconds the stream lost, which is forgotten now.
    fn take_seconds(&mut self, seen: &StreamSeen<'_>) -> Vec<i64> {
        if self.open.is_empty() {
            return Vec::new();
        }
        let record = seen.record;
        let key = StreamKey { src: record.src, dst: record.dst, ssrc: record.ssrc };
        self.open.remove(&key.hash64()).unwrap_or_default()
    }

    /// Keeps a sighting until the end, if there is room.
    fn keep(&mut self, subject: Subject, sighted: Sighted) {
        if self.kept < self.cap {
            self.kept += 1;
            self.sighted.entry(subject).or_default().push(sighted);
        }
    }
}

impl Loses {
    #[expect(clippy::cast_precision_loss, reason = "output; counts stay far below 2^53")]
    pub(super) fn of(record: &StreamRecord<'_>) -> Self {
        let paused = record.lost_in_pauses;
        let (lost, expected) =
            (record.lost.saturating_sub(paused), record.expected.saturating_sub(paused));
        let share = || (lost as f64 / expected.max(1) as f64 * 1e5).round() / 1e3;
        Self { lost, expected, pct: if paused == 0 { record.loss_pct } else { share() } }
    }
}

/// The longest hole of a stream that no pause explains.
fn longest_hole<'a>(seen: &StreamSeen<'a>) -> Option<&'a Hole> {
    let holes = seen.around.ended?.holes.as_deref().filter(|_| seen.record.lost_in_pauses == 0)?;
    holes.iter().max_by_key(|hole| hole.missing)
}

/// `, 1712 of them in one hole of 34.2 seconds`.
fn in_one_hole(hole: &Hole) -> String {
    let (missing, seconds) = (hole.missing, hole.lasted().secs_f64());
    format!(", {missing} of them in one hole of {seconds:.1} seconds")
}

impl Detector for Loss {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tap(&mut self, seen: &TapSeen, _: &mut Sink) {
        let &TapSeen::StreamLoss { second, stream, .. } = seen else { return };
        if self.open.len() >= self.cap && !self.open.contains_key(&stream) {
            self.evicted += 1;
            return;
        }
        let seconds = self.open.entry(stream).or_default();
        if seconds.len() < SECONDS {
            seconds.push(second);
        }
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let seconds = self.take_seconds(seen);
        let Loses { lost, expected, pct } = Loses::of(record);
        let Some((_, severity)) = self.steps.iter().find(|(least, _)| pct > *least) else { return };
        if seen.lookalike || expected < self.least {
            return;
        }
        let reported = record.rtcp.and_then(|rtcp| rtcp.reported_lost);
        let better = reported.is_some_and(|of| of < i64::try_from(lost).unwrap_or(0));
        let severity = *severity;
        let hole = longest_hole(seen).filter(|hole| u64::from(hole.missing) * 2 > lost);
        let sighting = Sighting::new(&META, seen.pair, seen.first()).severity(severity);
        sink.sighting(sighting, |_| {
            let said =
                reported.map_or(String::new(), |lost| format!("; the receiver reported {lost}"));
            let bursts = record.quality.map_or(0, |quality| quality.bursts);
            let bursts = plural(bursts, "burst");
            let holed = hole.map_or(String::new(), in_one_hole);
            let what = format_args!("{lost} of {expected} lost ({pct} %), {bursts}{holed}{said}");
            (about(seen, what), None)
        })
        .until(seen.last())
        .add(LOST, lost)
        .most(WORST, hundredths(pct))
        .add(PAUSED, record.lost_in_pauses)
        .add(HOLED, u64::from(hole.is_some()))
        .add(BETTER_HEARD, u64::from(better))
        .stream(seen.key)
        .call(seen.call);
        let heard = heard_better(seen).is_some();
        self.keep(seen.pair, Sighted { severity, heard, seconds });
    }

    fn end(&mut self, seen: &CaptureSeen<'_>, sink: &mut Sink) {
        let common = |second: &&i64| {
            seen.lossy_seconds.binary_search_by_key(*second, |lossy| lossy.second).is_ok()
        };
        for (subject, streams) in &self.sighted {
            let (mut tap, mut worst) = (0, Severity::Low);
            for Sighted { severity, heard, seconds } in streams {
                let shared = seconds.iter().filter(common).count();
                if *heard || shared > 0 && shared * 2 >= seconds.len() {
                    tap += 1;
                } else {
                    worst = worst.max(*severity);
                }
            }
            let all = u64::try_from(streams.len()).unwrap_or(0);
            let known = sink.known(&META, *subject).map_or(0, |entry| entry.streams);
            // What there was no room to keep is nobody's but the network's.
            if tap == 0 || known > all {
                continue;
            }
            let sure = if tap == all { Confidence::Low } else { Confidence::Medium };
            if let Some(hit) = sink.revise(&META, *subject, (worst, sure)) {
                let _ = hit.add(TAP, tap);
            }
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let better = entry.tally(BETTER_HEARD);
        let heard = if better == 0 {
            String::new()
        } else {
            format!(" Of {} the receiver reported less.", plural(better, "stream"))
        };
        let tap = entry.tally(TAP);
        let common = if tap == 0 {
            String::new()
        } else {
            format!(" The loss of {} is the tap's: see SENSOR-DROP.", plural(tap, "stream"))
        };
        let (holed, paused) = (entry.tally(HOLED), entry.tally(PAUSED));
        let holes = match (holed, entry.streams) {
            (0, _) => String::new(),
            (_, 1) => " Most of it is one hole.".to_owned(),
            _ => format!(" Most of the loss of {} is one hole each.", plural(holed, "stream")),
        };
        Words {
            summary: format!(
                "{} between {} lost {}{} % of {} packets.{holes}{heard}{common}",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
                of_one(entry.streams, "", "up to "),
                spoken(entry.tally(WORST)),
                of_one(entry.streams, "its", "their"),
            ),
            parameters: vec![
                ("loss_min_packets", Figure::Count(self.least)),
                ("streams", Figure::Count(entry.streams)),
                ("lost", Figure::Count(entry.tally(LOST))),
                ("worst_hundredths_pct", Figure::Count(entry.tally(WORST))),
                ("receiver_reported_less", Figure::Count(better)),
                ("lost_by_the_tap", Figure::Count(tap)),
                ("lost_in_pauses", Figure::Count(paused)),
                ("lost_in_one_hole", Figure::Count(holed)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("lossy_streams", self.evicted)
    }
}
