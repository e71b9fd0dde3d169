//! `MEDIA-RTP-FOREIGN-SOURCE`: a host that the call does not know sends media into it.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::company::{Rivals, rivals};
use super::sighting::companion;
use crate::correlate::company::Companion;
use crate::model::finding::{Confidence, Figure};
use crate::policy::Policy;
use crate::policy::media::MediaThresholds;

rule! {
    /// ## What it detects
    /// RTP to a socket of a call from a host that neither SDP nor ICE of the call named and that was not
    /// the source so far, while the source so far goes on: ten packets within five seconds, or fewer if
    /// the receiver passes them on to somebody.
    ///
    /// ## Why it matters
    /// Somebody else speaks into the call, or tries to. A receiver that does not check where packets come
    /// from plays them, and may send its own media there.
    ///
    /// ## Evidence
    /// The first packet of the foreign source, with its packets, and the stream beside which it sends.
    ///
    /// ## False positives
    /// A client behind NAT whose address changes: then the old source falls silent within a second, and
    /// nothing is said. Nor is anything said of what a new offer or answer within five seconds explains.
    /// A mixer or announcement server that sends from a host of its own without saying so.
    ///
    /// ## Fix
    /// Let media servers and SBCs accept packets from the announced or latched source only, and
    /// authenticate media with SRTP.
    id: "MEDIA-RTP-FOREIGN-SOURCE",
    name: "media-rtp-foreign-source",
    title: "Media of a call comes from a host that does not belong to it",
    severity: High ..= High,
    status: Stable,
    wants: [ACCOMPANIED],
    references: ["RFC 3550 §8.2", "RFC 7362", "RFC 8445 §14"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["foreign_packets", "foreign_seconds", "foreign_overlap_ms", "latch_ms", "handover_ms"],
    since: "0.1.0",
}

/// Tally: packets of foreign sources; those that were passed on.
const PACKETS: usize = 0;
const PASSED_ON: usize = 1;

/// The rule at work.
pub(crate) struct RtpForeignSource {
    thresholds: MediaThresholds,
}

pub(crate) fn new(policy: &Policy) -> RtpForeignSource {
    RtpForeignSource { thresholds: policy.thresholds.media.clone() }
}

impl RtpForeignSource {
    /// As many packets in as short a time as the thresholds say.
    fn is_dense(&self, foreign: &Companion) -> bool {
        let lived = foreign.last.time.since(foreign.first.time).secs_f64();
        let seconds = lived.max(float(self.thresholds.foreign_seconds));
        let within = f64::from(foreign.packets) * float(self.thresholds.foreign_seconds) / seconds;
        u64::from(foreign.packets) >= self.thresholds.foreign_packets
            && within >= float(self.thresholds.foreign_packets)
    }
}

impl Detector for RtpForeignSource {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some(own) = seen.around.own else { return };
        for Rivals { foreign, rightful } in rivals(seen, &self.thresholds) {
            let passed_on = passed_on(foreign, own, seen.around.company);
            if !passed_on && !self.is_dense(foreign) {
                continue;
            }
            let subject = Subject::pair(foreign.src.addr, foreign.dst.addr);
            let confidence = if passed_on { Confidence::High } else { Confidence::Medium };
            let sighting = Sighting::new(&META, subject, foreign.first).confidence(confidence);
            let what = |_: &mut _| {
                let passed = if passed_on { ", passed on by its receiver" } else { "" };
                let text =
                    sentence!("{}{passed}; beside {}", companion(foreign), companion(rightful));
                (text, None)
            };
            sink.sighting(sighting, what)
                .until(foreign.last)
                .add(PACKETS, u64::from(foreign.packets))
                .add(PASSED_ON, u64::from(passed_on))
                .stream(foreign.record)
                .call(seen.call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let thresholds = &self.thresholds;
        Words {
            summary: sentence!(
                "{} from or to a host that the call did not name, between {}, beside media that went on: {}.",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
                plural(entry.tally(PACKETS), "packet"),
            ),
            parameters: vec![
                ("foreign_packets", Figure::Count(thresholds.foreign_packets)),
                ("foreign_seconds", Figure::Count(thresholds.foreign_seconds)),
                ("foreign_overlap_ms", Figure::Count(thresholds.foreign_overlap_ms)),
                ("latch_ms", Figure::Count(thresholds.latch_ms)),
                ("handover_ms", Figure::Count(thresholds.handover_ms)),
                ("streams", Figure::Count(entry.streams)),
                ("packets", Figure::Count(entry.tally(PACKETS))),
                ("passed_on", Figure::Count(entry.tally(PASSED_ON))),
            ],
        }
    }
}

/// Whether the host that gets these packets sends some of the same SSRC itself.
fn passed_on(foreign: &Companion, own: &Companion, company: &[Companion]) -> bool {
    company.iter().chain([own]).any(|other| {
        other.src.addr == foreign.dst.addr
            && other.dst.addr != foreign.src.addr
            && other.ssrc == foreign.ssrc
            && other.call == foreign.call
            && other.first.time >= foreign.first.time
    })
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn float(count: u64) -> f64 {
    count as f64
}
