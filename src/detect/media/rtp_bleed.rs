//! `MEDIA-RTP-BLEED`: a media server that answers whoever sends to its port.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::sighting::{companion, millis};
use crate::correlate::company::Companion;
use crate::model::finding::{Confidence, Figure};
use crate::model::stream::Standing;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A media server sends a call's media from the call's socket to an address that neither SDP nor ICE
    /// named and that sent packets to this socket before, while the call's real peer is there too.
    ///
    /// ## Why it matters
    /// Whoever sends a few packets to a port of the server gets the call: no key and no position on the
    /// path is needed.
    ///
    /// ## Evidence
    /// The packets that provoked it, and the first packet that the server sent there.
    ///
    /// ## False positives
    /// A client behind NAT is served at the address it sends from: it is then the only peer. A client that
    /// changes its address while the old one is still answered for more than a second.
    ///
    /// ## Fix
    /// Update the media server and turn on strict source checking; authenticate media with SRTP.
    id: "MEDIA-RTP-BLEED",
    name: "media-rtp-bleed",
    title: "A media server sends a call to whoever asks",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3550 §9", "RFC 7362 §5"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["foreign_overlap_ms"],
    since: "0.1.0",
}

/// Tally: packets that went astray.
const PACKETS: usize = 0;

/// The rule at work.
pub(crate) struct RtpBleed {
    overlap_ms: u64,
}

pub(crate) const fn new(policy: &Policy) -> RtpBleed {
    RtpBleed { overlap_ms: policy.thresholds.media.foreign_overlap_ms }
}

/// The server's stream to the stranger, and the packets that provoked it.
type Leak<'a> = (&'a Companion, &'a Companion);

impl RtpBleed {
    fn leak<'a>(&self, streams: &[&'a Companion]) -> Option<Leak<'a>> {
        let leaks = streams.iter().filter(|out| out.known_sender && !out.known_receiver);
        leaks.copied().find_map(|out| {
            let probe = streams.iter().copied().find(|probe| {
                (probe.src, probe.dst) == (out.dst, out.src) && probe.first.time <= out.first.time
            })?;
            let peer = |other: &&Companion| {
                let served = other.src == out.src && other.dst.addr != out.dst.addr;
                let serves = other.dst == out.src && other.src.addr != out.dst.addr;
                (served || serves)
                    && other.call == out.call
                    && other.standing > Standing::Candidate
                    && other.first.time <= out.last.time
                    && other.last.time.since(out.first.time) > millis(self.overlap_ms)
            };
            streams.iter().copied().any(|other| peer(&other)).then_some((out, probe))
        })
    }
}

impl Detector for RtpBleed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some(own) = seen.around.own.filter(|_| !seen.around.company.is_empty()) else { return };
        let mut streams: Vec<&Companion> = seen.around.company.iter().collect();
        // What those that ended before show by themselves has been told.
        if self.leak(&streams).is_some() {
            return;
        }
        streams.push(own);
        let Some((out, probe)) = self.leak(&streams) else { return };
        let subject = Subject::pair(out.src.addr, out.dst.addr);
        let sighting = Sighting::new(&META, subject, out.first).confidence(Confidence::High);
        let what = |_: &mut _| {
            let (out, probe) = (companion(out), companion(probe));
            (sentence!("{out}; before it {probe}"), None)
        };
        sink.sighting(sighting, what)
            .until(out.last)
            .add(PACKETS, u64::from(out.packets))
            .stream(out.record)
            .stream(probe.record)
            .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "Of {}, {} went to somebody who had only sent a packet there; between {}.",
                plural(entry.calls, "call"),
                plural(entry.tally(PACKETS), "packet"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("foreign_overlap_ms", Figure::Count(self.overlap_ms)),
                ("calls", Figure::Count(entry.calls)),
                ("packets", Figure::Count(entry.tally(PACKETS))),
            ],
        }
    }
}
