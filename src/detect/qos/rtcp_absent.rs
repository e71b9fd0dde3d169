//! `QOS-RTCP-ABSENT`: streams that nobody reports on (RFC 3550 §6).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::plural;
use super::about;
use crate::model::finding::{Confidence, Figure};
use crate::model::record::Protection;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Streams of half a minute and more for which neither RTCP nor SRTCP was seen, from either side. SRTCP
    /// counts for the stream that has the SSRC of its sender, and for those between its sockets.
    ///
    /// ## Why it matters
    /// Without reports the sender does not know how it is heard, and nobody can tell loss before
    /// the tap from loss behind it.
    ///
    /// ## Evidence
    /// The first packet of each stream.
    ///
    /// ## False positives
    /// RTCP on a way that the tap does not see. What SRTCP reports on cannot be read: that of one stream may
    /// be all there is for several between the same sockets.
    ///
    /// ## Fix
    /// Enable RTCP at the endpoints, and let it through firewalls: usually the next higher port.
    id: "QOS-RTCP-ABSENT",
    name: "qos-rtcp-absent",
    title: "Nobody reports on these streams",
    severity: Info ..= Info,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3550 §6.2", "RFC 3711 §3.4"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["rtcp_absent_s"],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct RtcpAbsent {
    least_s: f64,
}

pub(crate) const fn new(policy: &Policy) -> RtcpAbsent {
    RtcpAbsent { least_s: policy.thresholds.rtcp_absent_s }
}

impl Detector for RtcpAbsent {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let silent = record.rtcp.is_none() && record.srtcp.is_none();
        // SRTCP is known by its end, which the snap length may have cut off.
        let blind = seen.clipped > 0 && record.protection != Protection::Cleartext;
        if seen.lookalike || blind || !silent || record.duration_s < self.least_s {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.first()).confidence(Confidence::Medium);
        let length = record.duration_s;
        sink.sighting(sighting, |_| {
            (about(seen, format_args!("no RTCP in {length:.0} seconds")), None)
        })
        .until(seen.last())
        .stream(seen.key)
        .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: format!(
                "For {} between {} no RTCP was seen.",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("rtcp_absent_s", Figure::Number(self.least_s)),
                ("streams", Figure::Count(entry.streams)),
            ],
        }
    }
}
