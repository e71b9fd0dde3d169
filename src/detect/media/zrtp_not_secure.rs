//! `MEDIA-ZRTP-NOT-SECURE`: both could encrypt, and do not (RFC 6189).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::sentence;
use super::sighting::{described, millis, streams_between};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::model::record::Protection;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Both parties sent a ZRTP Hello, and ten seconds later no keys were confirmed and the media is in
    /// clear; or a party sent GoClear.
    ///
    /// ## Why it matters
    /// Both could have encrypted and did not. Users may believe that they are protected.
    ///
    /// ## Evidence
    /// The later of the two Hellos, or the GoClear, and the stream.
    ///
    /// ## False positives
    /// Messages of the exchange that were not captured, while the media is in clear all the same.
    ///
    /// ## Fix
    /// Let endpoints refuse calls that are not confirmed, and never accept GoClear.
    id: "MEDIA-ZRTP-NOT-SECURE",
    name: "media-zrtp-not-secure",
    title: "ZRTP was possible and the call is in clear",
    severity: High ..= High,
    status: Stable,
    wants: [KEYED],
    references: ["RFC 6189 §4.7.2", "RFC 6189 §5.11"],
    remediation: super::FIX_ZRTP,
    question: None,
    thresholds: ["zrtp_confirm_ms"],
    since: "0.1.0",
}

/// Tally: calls in which a party went back to clear.
const GO_CLEAR: usize = 0;

/// The rule at work.
pub(crate) struct ZrtpNotSecure {
    confirm_ms: u64,
}

pub(crate) const fn new(policy: &Policy) -> ZrtpNotSecure {
    ZrtpNotSecure { confirm_ms: policy.thresholds.media.zrtp_confirm_ms }
}

impl Detector for ZrtpNotSecure {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some(exchange) = seen.around.zrtp else { return };
        let record = seen.record;
        let confirmed = exchange.confirmed.is_some();
        let waited = |hello: &FrameRef| record.last.since(hello.time) > millis(self.confirm_ms);
        let clear = record.protection == Protection::Cleartext && !confirmed;
        let ignored = exchange.both_hellos().filter(waited).filter(|_| clear);
        let Some(at) = exchange.go_clear.or(ignored) else { return };
        let back = exchange.go_clear.is_some();
        let subject = Subject::pair(record.src.addr, record.dst.addr);
        let sighting = Sighting::new(&META, subject, at)
            .confidence(Confidence::High)
            .kind(u32::from(back) << 1 | u32::from(record.src.addr <= record.dst.addr));
        let what = |_: &mut _| {
            let why = if back { "GoClear" } else { "Hello both ways, no keys confirmed" };
            (sentence!("{why}; {}", described(seen)), None)
        };
        sink.sighting(sighting, what)
            .until(seen.last())
            .add(GO_CLEAR, u64::from(back))
            .stream(seen.key)
            .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!("{}: in clear although ZRTP was offered.", streams_between(entry)),
            parameters: vec![
                ("zrtp_confirm_ms", Figure::Count(self.confirm_ms)),
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(entry.calls)),
                ("go_clear", Figure::Count(entry.tally(GO_CLEAR))),
            ],
        }
    }
}
