//! `QOS-LATE-MEDIA`: sides of a call that send their first packet long after the answer.

use hashbrown::HashMap;

use super::super::lately::{Horizon, Lately};
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::{about, is_audio, of_one};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::model::id::RecordKey;
use crate::model::record::{Protection, Side};
use crate::model::time::{Span, Ts};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Calls in which the first RTP packet of a side comes more than a second after the 200 that
    /// accepted the call. Early media is in time; later streams of the same side do not count.
    ///
    /// ## Why it matters
    /// The first word is cut off, and callers say hello twice.
    ///
    /// ## Evidence
    /// The first packet of each such side, with how late it is and whether it is encrypted: then the
    /// time may have gone into keys (DTLS, ZRTP), which `QOS-SRTP-COST` tells by itself.
    ///
    /// ## False positives
    /// Silence suppression at the beginning; a side that was on hold; a media path that moved to the
    /// tap's way later.
    ///
    /// ## Fix
    /// Look at what the endpoint waits for: ICE checks, a DTLS handshake, the ACK.
    id: "QOS-LATE-MEDIA",
    name: "qos-late-media",
    title: "Media begins long after the answer",
    severity: Low ..= Low,
    status: Preview,
    wants: [STREAM],
    references: ["RFC 3264 §5.1", "RFC 3960"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["late_media_ms"],
    since: "0.1.0",
}

/// Tally: the longest wait, ms; sides that were encrypted.
const LONGEST: usize = 0;
const ENCRYPTED: usize = 1;

/// A side of a call.
type Way = (RecordKey, Side);

/// What a side sent first, if that was late.
#[derive(Clone, Debug)]
struct Late {
    subject: Subject,
    at: FrameRef,
    by: Span,
    key: RecordKey,
    encrypted: bool,
    what: String,
}

/// The rule at work.
pub(crate) struct LateMedia {
    /// When a side sent first, of those that ended lately.
    first: Lately<Way, Ts>,
    horizon: Horizon,
    late: HashMap<Way, Late, foldhash::fast::FixedState>,
    cap: usize,
    after: Span,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> LateMedia {
    let ms = i64::try_from(policy.thresholds.media.late_media_ms).unwrap_or(i64::MAX);
    LateMedia {
        first: Lately::new(policy.limits.peers),
        horizon: Horizon::new(),
        late: HashMap::default(),
        cap: policy.limits.peers,
        after: Span::from_millis(ms),
        evicted: 0,
    }
}

impl Detector for LateMedia {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, _: &mut Sink) {
        let around = &seen.around;
        let way = seen.call.zip(around.sender);
        let (Some(way), Some(answered)) = (way, around.answered) else { return };
        let record = seen.record;
        if seen.lookalike || !is_audio(seen) {
            return;
        }
        if self.first.get(&way).is_some_and(|first| first <= record.first) {
            return;
        }
        let full = self.first.turns(way, record.first);
        self.horizon.put(full, record.last);
        let by = record.first.since(answered);
        if by <= self.after {
            self.late.remove(&way);
            return;
        }
        // The side may have sent before, in a stream that is forgotten by now.
        let forgot = !self.horizon.reaches(answered);
        if forgot || self.late.len() >= self.cap && !self.late.contains_key(&way) {
            self.evicted += 1;
            return;
        }
        let encrypted =
            matches!(record.protection, Protection::EncryptedLike | Protection::SrtpProven);
        let (seconds, kind) = (by.secs_f64(), if encrypted { "encrypted" } else { "in clear" });
        let what = about(seen, format_args!("{kind}, {seconds:.1} s after the answer"));
        let (subject, at, key) = (seen.pair, seen.first(), seen.key);
        self.late.insert(way, Late { subject, at, by, key, encrypted, what });
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        let mut found: Vec<_> = std::mem::take(&mut self.late).into_iter().collect();
        found.sort_by_key(|(_, late)| (late.at.time, late.at.frame, late.key.id));
        for ((call, _), late) in found {
            let sighting =
                Sighting::new(&META, late.subject, late.at).confidence(Confidence::Medium);
            sink.sighting(sighting, |_| (late.what, None))
                .most(LONGEST, u64::try_from(late.by.nanos() / 1_000_000).unwrap_or(0))
                .add(ENCRYPTED, u64::from(late.encrypted))
                .stream(late.key)
                .call(Some(call));
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (longest, encrypted) = (entry.tally(LONGEST), entry.tally(ENCRYPTED));
        let sealed = match encrypted {
            0 => String::new(),
            some => sentence!(", {some} of them encrypted"),
        };
        Words {
            summary: sentence!(
                "{} between {} began {}{}.{} seconds after the answer{sealed}.",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
                of_one(entry.streams, "", "up to "),
                longest / 1_000,
                longest % 1_000 / 100,
            ),
            parameters: vec![
                ("late_media_ms", Figure::Number(self.after.millis_f64())),
                ("streams", Figure::Count(entry.streams)),
                ("encrypted_streams", Figure::Count(encrypted)),
                ("longest_ms", Figure::Count(longest)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("late_sides", self.evicted)
    }
}
