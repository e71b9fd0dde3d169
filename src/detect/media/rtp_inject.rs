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
    /// pair of sockets, packets of one sequence number have different payloads, and either two TTLs take
    /// turns (high confidence), or such packets come one by one among others (medium): the sender's
    /// address was forged.
    ///
    /// Where the limits come from. Tools that insert or mix audio send with the victim's SSRC, at its
    /// rate, at its number or some ahead of it: from the time on at which the victim reaches those
    /// numbers each of its packets contradicts one of theirs, and packets that contradict take turns with
    /// packets that do not. In generated calls, 1 to 100 numbers ahead, all but the first of 250
    /// inserted packets are found with another TTL and with the same one: a number repeated is known up to
    /// 64 back, and what comes later than that is looked at, too. The nearest that is genuine: a sender that starts anew
    /// up to 100 numbers back contradicts itself up to 100 times, but in one run; one that sends every
    /// fiftieth packet again with another timestamp does so one by one, but far apart; and networks that
    /// reorder or double packets cause none at all. Ten in a row, hardly more than one other packet
    /// between two of them, is what none of these makes.
    ///
    /// Further ahead, up to a thousand numbers, there are two counters in the stream that take turns. Their first
    /// packets are remembered until the one behind gets to their numbers: ten turns, and other payloads under
    /// these numbers, are two senders. A sender that starts anew has one counter at a time, and of packets that
    /// drain from a slower route the last comes before those numbers, or is a copy.
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
    /// near a repeated number, a jump or a change of the TTL are compared, so an injection is found when the two
    /// sequences meet: one that stays ahead, because it is sent faster than the stream, shows as jumps only
    /// (MEDIA-SEQ-JUMP). Two senders behind one gateway that gives both the same SSRC and socket.
    ///
    /// ## Fix
    /// Authenticate media with SRTP; drop packets of foreign sources at the SBC; filter forged addresses at
    /// the edge of the network.
    id: "MEDIA-RTP-INJECT",
    name: "media-rtp-inject",
    title: "Somebody else's packets are mixed into a call's media",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [NOTED, ACCOMPANIED],
    references: ["RFC 3550 §8.2", "RFC 3711 §9.5", "RFC 2827"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["inject_distance", "inject_ttl_switches", "inject_conflicts", "inject_interleaved", "foreign_overlap_ms", "latch_ms", "handover_ms"],
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
        let (switches, thresholds) = (u64::from(contest.switches), &self.thresholds);
        let two_ttls = switches >= thresholds.inject_ttl_switches
            && u64::from(contest.conflicts) >= thresholds.inject_conflicts;
        let confidence = if two_ttls {
            Confidence::High
        } else if u64::from(contest.interleaved) >= thresholds.inject_interleaved {
            Confidence::Medium
        } else {
            return;
        };
        let subject = seen.pair;
        let sighting = Sighting::new(&META, subject, contest.first).confidence(confidence);
        let what = |_: &mut _| {
            let (one, other) = contest.ttls;
            let text = sentence!(
                "{}: {} with the number of another one and another payload, up to {} one by one; TTL \
                 {one} and {other}, which changed {switches} times{}",
                described(seen),
                plural(u64::from(contest.conflicts), "packet"),
                contest.interleaved,
                if contest.switches == u8::MAX { " or more" } else { "" },
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
        let kinds = [(CONFLICTS, "that contradict others"), (FOREIGN, "from a foreign source")];
        let kinds = kinds.map(|(slot, what)| (entry.tally(slot), what));
        let some = kinds.into_iter().filter(|(count, _)| *count > 0);
        let some: Vec<String> = some.map(|(count, what)| sentence!("{count} {what}")).collect();
        Words {
            summary: sentence!(
                "Media between {} holds packets of somebody else: {}.",
                entry.subject.spoken(),
                some.join(", "),
            ),
            parameters: vec![
                ("inject_distance", Figure::Count(thresholds.inject_distance)),
                ("inject_ttl_switches", Figure::Count(thresholds.inject_ttl_switches)),
                ("inject_conflicts", Figure::Count(thresholds.inject_conflicts)),
                ("inject_interleaved", Figure::Count(thresholds.inject_interleaved)),
                ("conflicts", Figure::Count(entry.tally(CONFLICTS))),
                ("foreign_packets_seen", Figure::Count(entry.tally(FOREIGN))),
                ("streams", Figure::Count(entry.streams)),
            ],
        }
    }
}
