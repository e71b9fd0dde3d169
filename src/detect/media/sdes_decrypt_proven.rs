//! `MEDIA-SDES-DECRYPT-PROVEN`: packets verify with a key that stood in signalling (RFC 3711 §4.2).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::evidence::FrameRef;
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A media stream of which three packets in a row carry authentication tags that were made with
    /// an SRTP key that stood in readable signalling.
    ///
    /// ## Why it matters
    /// It is the proof: with this key the stream can be decrypted and played, now and from any
    /// recording. Nothing has to be broken for it.
    ///
    /// ## Evidence
    /// The message with the key, the packets that verify with it, the suite and the rollover counter.
    /// Nothing was decrypted for this finding.
    ///
    /// ## False positives
    /// None by chance: three tags of 32 bits match a wrong key once in 10 to the power of 28. A
    /// capture taken where TLS ends sees keys in clear that the network does not.
    ///
    /// ## Fix
    /// Carry SDES only inside TLS 1.2 or newer, or use DTLS-SRTP; what was captured stays open.
    id: "MEDIA-SDES-DECRYPT-PROVEN",
    name: "media-sdes-decrypt-proven",
    title: "Encrypted media can be decrypted with a key from the signalling",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [KEYED],
    references: ["RFC 3711 §3.3", "RFC 3711 §4.2", "RFC 4568 §8.3", "RFC 7714"],
    remediation: "SRTP keys were visible in signalling. Move this signalling leg to TLS 1.2+ and rotate; keys already captured stay compromised.",
    question: Some("SDES"),
    thresholds: [],
    since: "0.1.0",
}

/// Tally: packets of the streams; seconds of them.
const PACKETS: usize = 0;
const SECONDS: usize = 1;
/// Distinct: keys.
const KEYS: usize = 0;

/// The rule at work.
pub(crate) struct SdesDecryptProven;

pub(crate) const fn new(_: &Policy) -> SdesDecryptProven {
    SdesDecryptProven
}

impl Detector for SdesDecryptProven {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some(proof) = seen.proof.filter(|proof| proof.place.clear) else { return };
        let record = seen.record;
        let subject = Subject::pair(record.src.addr, record.dst.addr);
        let direction = u32::from(record.src > record.dst);
        let [first, second, third] = proof.frames;
        let at = FrameRef { frame: third, time: proof.at };
        sink.sighting(Sighting::new(&META, subject, at).kind(direction), |_| {
            let what = sentence!(
                "{} to {}, SSRC 0x{:08x}: frames {}, {} and {} verify as {} with the key in frame \
                 {}, rollover counter {}",
                record.src,
                record.dst,
                record.ssrc,
                first.number,
                second.number,
                third.number,
                proof.suite,
                proof.place.at.frame.number,
                proof.roc
            );
            (what, None)
        })
        .until(seen.last())
        .add(PACKETS, record.packets)
        .add(SECONDS, whole_seconds(record.duration_s))
        .distinct(KEYS, proof.key)
        .call(seen.call)
        .stream(seen.key);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let seconds = entry.tally(SECONDS);
        Words {
            summary: sentence!(
                "{} between {}, {} s in all, can be decrypted with {} from readable signalling: \
                 packets prove it.",
                plural(entry.streams, "encrypted stream"),
                entry.subject.spoken(),
                seconds,
                plural(entry.distinct(KEYS), "key"),
            ),
            parameters: vec![
                ("streams", Figure::Count(entry.streams)),
                ("keys", Figure::Count(entry.distinct(KEYS))),
                ("packets", Figure::Count(entry.tally(PACKETS))),
                ("seconds", Figure::Count(seconds)),
            ],
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a duration is not negative, and a float saturates"
)]
fn whole_seconds(seconds: f64) -> u64 {
    seconds.round() as u64
}
