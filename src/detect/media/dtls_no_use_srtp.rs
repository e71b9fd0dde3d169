//! `MEDIA-DTLS-NO-USE-SRTP`: a DTLS handshake between media sockets that agrees on no SRTP (RFC 5764 §4.1).

use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{HandshakeSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::sentence;
use super::sighting::{described, streams_between};
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::model::handshake::Outcome;
use crate::model::id::RecordKey;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A DTLS handshake that was completed without the extension `use_srtp`, in neither hello or only in
    /// the client's, and behind it fifty packets or more of RTP between the same two sockets.
    ///
    /// ## Why it matters
    /// The handshake gives no keys for the media: it goes in clear, or is protected by something that
    /// the handshake did not agree on.
    ///
    /// ## Evidence
    /// The handshake, and the stream that follows it.
    ///
    /// ## False positives
    /// Media keyed otherwise beside a data channel (RFC 8261) on the same sockets; RFC 8843 does not allow
    /// that. The answer to `use_srtp` is hidden in DTLS 1.3: there only the client's hello is judged.
    ///
    /// ## Fix
    /// Have the endpoint refuse handshakes without `use_srtp` where SDP agreed on DTLS-SRTP.
    id: "MEDIA-DTLS-NO-USE-SRTP",
    name: "media-dtls-no-use-srtp",
    title: "A DTLS handshake for media agrees on no SRTP",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [HANDSHAKE, STREAM],
    references: ["RFC 5764 §4.1", "RFC 5763 §5"],
    remediation: super::DTLS_FIX,
    question: Some("DTLS"),
    thresholds: ["dtls_packets"],
    since: "0.1.0",
}

/// A handshake without `use_srtp`.
#[derive(Copy, Clone)]
struct Without {
    first: FrameRef,
    last: FrameRef,
    handshake: RecordKey,
}

/// The rule at work.
pub(crate) struct DtlsNoUseSrtp {
    packets: u64,
    /// By the two sockets, the lower one first.
    seen: Lately<(Endpoint, Endpoint), Without>,
}

pub(crate) fn new(policy: &Policy) -> DtlsNoUseSrtp {
    DtlsNoUseSrtp {
        packets: policy.thresholds.media.dtls_packets,
        seen: Lately::new(policy.limits.peers),
    }
}

/// Whether it was completed, and agreed on no profile for certain.
fn is_without(seen: &HandshakeSeen<'_>) -> bool {
    let (record, read) = (seen.record, seen.read);
    let offered = read.hello.is_some_and(|hello| hello.srtp_profiles.iter().next().is_some());
    let answered = read.answer.is_some() && !read.is_tls13();
    seen.is_for_media()
        && record.outcome == Outcome::Completed
        && read.hello.is_some()
        && record.srtp_profile.is_none()
        && (answered || !offered)
}

impl Detector for DtlsNoUseSrtp {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, _: &mut Sink) {
        if is_without(seen) {
            let (first, last) = (seen.offered_at(), seen.read.facts.last);
            let without = Without { first, last, handshake: seen.key };
            self.seen.put(sorted(seen.record.client, seen.record.server), without);
        }
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        if self.seen.is_empty() {
            return;
        }
        let (Some(own), Some(ended)) = (seen.around.own, seen.around.ended) else { return };
        let Some(without) = self.seen.get(&sorted(ended.key.src, ended.key.dst)) else { return };
        let behind = own.packets_after(without.last.time);
        let enough = u32::try_from(self.packets).map_or(f64::MAX, f64::from);
        if behind < enough {
            return;
        }
        let subject = seen.pair;
        let sighting = Sighting::new(&META, subject, without.first)
            .confidence(Confidence::High)
            .kind(u32::from(seen.record.src.addr <= seen.record.dst.addr));
        let what = |_: &mut _| (sentence!("no use_srtp; then {}", described(seen)), None);
        sink.sighting(sighting, what)
            .until(seen.last())
            .handshake(without.handshake)
            .stream(seen.key)
            .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{}: behind a DTLS handshake that gives no keys for them.",
                streams_between(entry)
            ),
            parameters: vec![
                ("dtls_packets", Figure::Count(self.packets)),
                ("streams", Figure::Count(entry.streams)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("dtls_handshakes", self.seen.evicted())
    }
}

fn sorted(one: Endpoint, other: Endpoint) -> (Endpoint, Endpoint) {
    if one <= other { (one, other) } else { (other, one) }
}
