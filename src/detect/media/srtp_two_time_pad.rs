//! `MEDIA-SRTP-TWO-TIME-PAD`: two contents under one keystream (RFC 3711 §9.1, RFC 4568 §8.2).

use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::finding::Figure;
use crate::model::id::RecordKey;
use crate::model::time::Ts;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Two streams that were proven to be protected with the same SRTP key, have the same SSRC and
    /// share packet indices (rollover counter and sequence number), and are not one stream seen
    /// twice: they run in opposite directions, or one after the other.
    ///
    /// ## Why it matters
    /// Key, SSRC and index make the keystream. Where all three repeat, the two ciphertexts differ by
    /// exactly what the two contents differ by: both can be recovered without the key. With GCM the
    /// authentication falls as well.
    ///
    /// ## Evidence
    /// The packets of both streams that verify with the key, and the indices that they share.
    ///
    /// ## False positives
    /// One stream captured before and after a relay is recognised by running at the same time in the
    /// same direction and not counted. A sender that sends the same recording again under the same
    /// keystream repeats itself and gives away less.
    ///
    /// ## Fix
    /// Never use a master key for two streams: a new one for each direction, m-line and call.
    id: "MEDIA-SRTP-TWO-TIME-PAD",
    name: "media-srtp-two-time-pad",
    title: "Two streams are encrypted with the same keystream",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [KEYED],
    references: ["RFC 3711 §9.1", "RFC 4568 §8.2", "RFC 7714 §8.4"],
    remediation: super::keys::FIX,
    question: Some("SDES"),
    thresholds: [],
    since: "0.1.0",
}

/// Packets that a sample may be away from the beginning of its stream.
const SLACK: u64 = 64;

/// Tally: packet indices that two streams share.
const SHARED: usize = 0;

/// A stream under a key.
#[derive(Copy, Clone)]
struct Ran {
    src: Endpoint,
    dst: Endpoint,
    /// Packet indices, the first and the one behind the last.
    indices: (u64, u64),
    times: (Ts, Ts),
    first: FrameRef,
    stream: RecordKey,
    call: Option<RecordKey>,
}

/// The rule at work.
pub(crate) struct SrtpTwoTimePad {
    /// By key and SSRC the first stream.
    seen: HashMap<(u64, u32), Ran, foldhash::fast::FixedState>,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> SrtpTwoTimePad {
    SrtpTwoTimePad { seen: HashMap::default(), cap: policy.limits.srtp_keys, evicted: 0 }
}

impl Ran {
    fn of(seen: &StreamSeen<'_>) -> Option<((u64, u32), Self)> {
        let (proof, record) = (seen.proof?, seen.record);
        let index = u64::from(proof.roc) << 16 | u64::from(proof.sequence);
        let end = index.saturating_add(record.expected.saturating_sub(SLACK));
        let [first, ..] = proof.frames;
        let ran = Self {
            src: record.src,
            dst: record.dst,
            indices: (index, end),
            times: (record.first, record.last),
            first: FrameRef { frame: first, time: record.first },
            stream: seen.key,
            call: seen.call,
        };
        Some(((proof.key, record.ssrc), ran))
    }

    /// Packet indices that both have for certain, unless they are one stream seen twice.
    fn shared(&self, other: &Self) -> u64 {
        let from = self.indices.0.max(other.indices.0);
        let shared = self.indices.1.min(other.indices.1).saturating_sub(from);
        let together = self.times.0 <= other.times.1 && other.times.0 <= self.times.1;
        let opposite = (self.src.addr, self.dst.addr) == (other.dst.addr, other.src.addr);
        if together && !opposite { 0 } else { shared }
    }
}

impl Detector for SrtpTwoTimePad {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some((key, ran)) = Ran::of(seen) else { return };
        let Some(before) = self.seen.get(&key).copied() else {
            if self.seen.len() < self.cap {
                self.seen.insert(key, ran);
            } else {
                self.evicted = self.evicted.saturating_add(1);
            }
            return;
        };
        let shared = ran.shared(&before);
        if shared == 0 {
            return;
        }
        let subject = Subject::pair(ran.src.addr, ran.dst.addr);
        sink.sighting(Sighting::new(&META, subject, ran.first), |_| {
            let what = sentence!(
                "{} to {} and {} to {} have one key and SSRC 0x{:08x}, and share {}; the first \
                 packets that prove it are frames {} and {}",
                before.src,
                before.dst,
                ran.src,
                ran.dst,
                key.1,
                plural(shared, "packet index"),
                before.first.frame.number,
                ran.first.frame.number
            );
            (what, None)
        })
        .add(SHARED, shared)
        .call(before.call)
        .call(ran.call)
        .stream(before.stream)
        .stream(ran.stream);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} between {}: {} packets are encrypted with the keystream of another stream; both \
                 contents can be recovered without the key.",
                plural(entry.count, "pair of streams"),
                entry.subject.spoken(),
                entry.tally(SHARED),
            ),
            parameters: vec![
                ("pairs", Figure::Count(entry.count)),
                ("shared_indices", Figure::Count(entry.tally(SHARED))),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("srtp_keys", self.evicted)
    }
}
