//! `MEDIA-SRTP-REPLAY`: packets of SRTP that are sent again (RFC 3711 §3.3.2).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::sighting::{described, streams_between};
use crate::model::finding::{Confidence, Figure};
use crate::model::record::Protection;
use crate::policy::Policy;
use crate::policy::media::REPLAY_AFTER;

rule! {
    /// ## What it detects
    /// A packet of an encrypted stream that comes a second time between the same sockets, octet for octet,
    /// more than two seconds after the first. One packet in 128 is compared, by its sequence number, with
    /// those of the last 41 seconds or so.
    ///
    /// ## Why it matters
    /// Somebody recorded packets and sends them again: the receiver hears what was said before, unless it
    /// keeps a list of what it has had. The key need not be known for that.
    ///
    /// ## Evidence
    /// The packet that came again, with the number of the frame in which it came first and the time between.
    ///
    /// ## False positives
    /// What a network doubles arrives within a second and is not counted. Two captures of one stream that
    /// were put together with wrong clocks.
    ///
    /// ## Fix
    /// Have endpoints keep replay lists of at least 64 packets, as SRTP demands, and accept packets from
    /// the latched source only.
    id: "MEDIA-SRTP-REPLAY",
    name: "media-srtp-replay",
    title: "Encrypted packets are sent again",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [NOTED],
    references: ["RFC 3711 §3.3.2", "RFC 3711 §9.5.2"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["replay_after_s"],
    since: "0.1.0",
}

/// Tally: packets of the sample that came again.
const AGAIN: usize = 0;

/// The rule at work.
pub(crate) struct SrtpReplay;

pub(crate) const fn new(_: &Policy) -> SrtpReplay {
    SrtpReplay
}

impl Detector for SrtpReplay {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let notes = seen.around.ended.and_then(|ended| ended.notes.as_ref());
        let Some(replay) = notes.and_then(|notes| notes.replay) else { return };
        let record = seen.record;
        let sure = match record.protection {
            Protection::SrtpProven => Confidence::Certain,
            Protection::EncryptedLike => Confidence::High,
            _ => return,
        };
        let subject = Subject::pair(record.src.addr, record.dst.addr);
        let sighting = Sighting::new(&META, subject, replay.first)
            .confidence(sure)
            .kind(u32::from(record.src.addr <= record.dst.addr));
        let what = |_: &mut _| {
            let seconds = f64::from(replay.after_ms) / 1_000.0;
            let original = replay.original;
            let text = sentence!(
                "{}: the packet of frame {original} again, {seconds:.1} s later",
                described(seen)
            );
            (text, None)
        };
        sink.sighting(sighting, what)
            .until(replay.last)
            .add(AGAIN, replay.packets.into())
            .stream(seen.key)
            .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let again = entry.tally(AGAIN);
        Words {
            summary: sentence!(
                "{}: {} of those compared came again later.",
                streams_between(entry),
                plural(again, "packet"),
            ),
            parameters: vec![
                ("replay_after_s", Figure::Number(REPLAY_AFTER.secs_f64())),
                ("streams", Figure::Count(entry.streams)),
                ("packets", Figure::Count(again)),
            ],
        }
    }
}
