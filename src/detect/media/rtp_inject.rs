//! `MEDIA-RTP-INJECT`: packets with the SSRC and the numbers of somebody else's stream.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::company::{Rivals, rivals};
use super::sighting::{companion, described};
use crate::model::finding::{Confidence, Figure};
use crate::policy::Policy;
use crate::policy::media::MediaThresholds;

rule! {
    /// ## What it detects
    /// Packets that pass themselves off as those of a stream. Either a foreign source (see
    /// MEDIA-RTP-FOREIGN-SOURCE) uses the SSRC of the stream and sequence numbers near it; or, under one
    /// pair of sockets, two TTLs take turns and packets of one sequence number have different payloads:
    /// the sender's address was forged.
    ///
    /// ## Why it matters
    /// The receiver cannot tell these packets from the real ones and plays them: words can be put into a
    /// caller's mouth, or the call made unusable.
    ///
    /// ## Evidence
    /// The first packet that contradicts another, with both TTLs and how many did; or the foreign stream
    /// and the real one.
    ///
    /// ## False positives
    /// Packets that a faulty tap or network delivers twice are equal. A sender behind two routes of
    /// different length alternates its TTL, but its packets do not contradict each other. Only packets
    /// near a repeated number or a change of the TTL are compared, so an injection with another TTL than
    /// the victim's is found when the two sequences meet; one with the same TTL is not claimed.
    ///
    /// ## Fix
    /// Authenticate media with SRTP; drop packets of foreign sources at the SBC; filter forged addresses at
    /// the edge of the network.
    id: "MEDIA-RTP-INJECT",
    name: "media-rtp-inject",
    title: "Somebody else's packets are mixed into a call's media",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3550 §8.2", "RFC 3711 §9.5", "RFC 2827"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["inject_distance", "inject_ttl_switches", "inject_conflicts", "foreign_overlap_ms", "latch_ms", "handover_ms"],
    since: "0.1.0",
}

/// Tally: packets that contradict another; packets of foreign sources.
const CONFLICTS: usize = 0;
const FOREIGN: usize = 1;

/// The rule at work.
pub(crate) struct RtpInject {
    thresholds: MediaThresholds,
}

pub(crate) fn new(policy: &Policy) -> RtpInject {
    RtpInject { thresholds: policy.thresholds.media.clone() }
}

impl RtpInject {
    /// Two senders under one pair of sockets.
    fn forged(&self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let notes = seen.around.ended.and_then(|ended| ended.notes.as_ref());
        let Some(contest) = notes.map(|notes| notes.contest) else { return };
        let switches = u64::from(contest.switches);
        if switches < self.thresholds.inject_ttl_switches
            || u64::from(contest.conflicts) < self.thresholds.inject_conflicts
        {
            return;
        }
        let subject = Subject::pair(seen.record.src.addr, seen.record.dst.addr);
        let sighting = Sighting::new(&META, subject, contest.first).confidence(Confidence::High);
        let what = |_: &mut _| {
            let (one, other) = contest.ttls;
            let text = sentence!(
                "{}: {} with the number of another one and another payload, TTL {one} and {other}, \
                 which changed {switches} times or more",
                described(seen),
                plural(u64::from(contest.conflicts), "packet"),
            );
            (text, None)
        };
        sink.sighting(sighting, what)
            .until(contest.last)
            .add(CONFLICTS, u64::from(contest.conflicts))
            .stream(seen.key)
            .call(seen.call);
    }
}

impl Detector for RtpInject {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        self.forged(seen, sink);
        for Rivals { foreign, rightful } in rivals(seen, &self.thresholds) {
            let near = u64::from(rightful.distance(foreign)) <= self.thresholds.inject_distance;
            if foreign.ssrc != rightful.ssrc || !near {
                continue;
            }
            let subject = Subject::pair(rightful.src.addr, rightful.dst.addr);
            let sighting =
                Sighting::new(&META, subject, foreign.first).confidence(Confidence::High).kind(2);
            let what = |_: &mut _| {
                let (foreign, rightful) = (companion(foreign), companion(rightful));
                (sentence!("{foreign}, in the sequence of {rightful}"), None)
            };
            sink.sighting(sighting, what)
                .until(foreign.last)
                .add(FOREIGN, u64::from(foreign.packets))
                .stream(foreign.record)
                .call(seen.call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let thresholds = &self.thresholds;
        Words {
            summary: sentence!(
                "Media between {} holds packets of somebody else: {} that contradict others, {} from a foreign source.",
                entry.subject.spoken(),
                entry.tally(CONFLICTS),
                entry.tally(FOREIGN),
            ),
            parameters: vec![
                ("inject_distance", Figure::Count(thresholds.inject_distance)),
                ("inject_ttl_switches", Figure::Count(thresholds.inject_ttl_switches)),
                ("inject_conflicts", Figure::Count(thresholds.inject_conflicts)),
                ("conflicts", Figure::Count(entry.tally(CONFLICTS))),
                ("foreign_packets_seen", Figure::Count(entry.tally(FOREIGN))),
                ("streams", Figure::Count(entry.streams)),
            ],
        }
    }
}
