//! `MEDIA-RTCP-BYE-FORGED`: a goodbye that the source knows nothing of (RFC 3550 §6.6).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::sighting::companion;
use crate::model::finding::{Confidence, Figure};
use crate::model::stream::Standing;
use crate::model::time::Span;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An RTCP BYE says that a source leaves, and for more than a second packets of that source follow, from
    /// the same socket as before: more than 50, or any number if it was another host that said goodbye.
    ///
    /// ## Why it matters
    /// RTCP in clear can be forged. A receiver that believes the BYE stops playing: a call can be silenced by
    /// one packet, while its sender notices nothing.
    ///
    /// ## Evidence
    /// The BYE, who sent it, and the stream that went on.
    ///
    /// ## False positives
    /// A sender that says goodbye when a call is held and goes on under the same SSRC: where a new offer or
    /// answer follows the BYE nothing is reported. How many packets followed is worked out from the stream's
    /// rate.
    ///
    /// ## Fix
    /// Protect RTCP with SRTCP, and let receivers ignore a BYE while packets arrive.
    id: "MEDIA-RTCP-BYE-FORGED",
    name: "media-rtcp-bye-forged",
    title: "An RTCP BYE for a source that goes on sending",
    severity: High ..= High,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3550 §6.6", "RFC 3711 §3.4"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["forged_bye_packets"],
    since: "0.1.0",
}

/// Tally: goodbyes of another host than the source's.
const BY_OTHERS: usize = 0;

/// What follows a BYE within this is still on its way.
const ON_ITS_WAY: Span = Span::from_secs(1);

/// The rule at work.
pub(crate) struct RtcpByeForged {
    packets: u64,
}

pub(crate) const fn new(policy: &Policy) -> RtcpByeForged {
    RtcpByeForged { packets: policy.thresholds.media.forged_bye_packets }
}

impl Detector for RtcpByeForged {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some(own) = seen.around.own.filter(|own| own.standing > Standing::Candidate) else {
            return;
        };
        for (by, at) in seen.around.byes.from.into_iter().flatten() {
            let after = own.packets_after(at.time);
            let other = by != own.src.addr;
            let explained =
                seen.around.announced.is_some_and(|told| told.any(|told| told > at.time));
            if at.time < own.first.time
                || own.last.time.since(at.time) <= ON_ITS_WAY
                || !other && whole(after) <= self.packets
                || explained
            {
                continue;
            }
            let confidence = if other { Confidence::High } else { Confidence::Medium };
            let subject = Subject::pair(own.src.addr, own.dst.addr);
            let sighting =
                Sighting::new(&META, subject, at).confidence(confidence).kind(u32::from(other));
            let what = |_: &mut _| {
                (
                    sentence!(
                        "BYE by {by}, after it about {after:.0} packets of {}",
                        companion(own)
                    ),
                    None,
                )
            };
            sink.sighting(sighting, what)
                .until(own.last)
                .add(BY_OTHERS, u64::from(other))
                .stream(seen.key)
                .call(seen.call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} between {} about media that went on, {} of them by another host.",
                plural(entry.count, "RTCP BYE"),
                entry.subject.spoken(),
                entry.tally(BY_OTHERS),
            ),
            parameters: vec![
                ("forged_bye_packets", Figure::Count(self.packets)),
                ("byes", Figure::Count(entry.count)),
                ("by_others", Figure::Count(entry.tally(BY_OTHERS))),
            ],
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}
