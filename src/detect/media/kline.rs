//! `MEDIA-KLINE`: media keys in `k=` lines (RFC 4566 §5.12; removed by RFC 8866 §5.12).

use overhear_parsers::sdp::{self, Part};

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, printable, sentence};
use crate::model::finding::{Figure, Severity};
use crate::model::revealed::Kind;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A `k=` line with `clear:`, `base64:` or `uri:` in a session description that could be read, or
    /// that was opened: a media key as it is, or where to fetch it.
    ///
    /// ## Why it matters
    /// The line is the key. It was made for networks without eavesdroppers, has been obsolete for
    /// many years and must not be used; whoever sends it protects nothing.
    ///
    /// ## Evidence
    /// The message, the method of the line, and the key's length and label.
    ///
    /// ## False positives
    /// Old equipment sends a fixed line that nothing uses; the media then shows what is true.
    ///
    /// ## Fix
    /// Remove `k=` lines; use DTLS-SRTP, or SDES inside TLS.
    id: "MEDIA-KLINE",
    name: "media-kline",
    title: "Media keys are sent in k= lines",
    severity: High ..= High,
    status: Stable,
    wants: [CRYPTO],
    references: ["RFC 8866 §5.12", "RFC 4566 §5.12"],
    remediation: "Announce the ZRTP hello hash in SDP over protected signalling and compare the SAS; remove MIKEY-NULL and k= lines.",
    question: Some("SDES"),
    thresholds: [],
    since: "0.1.0",
}

/// The methods that give a key away; `prompt` asks a person for it.
const METHODS: [&[u8]; 3] = [b"clear", b"base64", b"uri"];

/// The rule at work.
pub(crate) struct KLine;

pub(crate) const fn new(_: &Policy) -> KLine {
    KLine
}

impl Detector for KLine {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if seen.placement.retransmission {
            return;
        }
        let Some(body) = seen.event.message.sdp() else { return };
        let mut lines = Vec::new();
        sdp::walk(body, |part| match part {
            Part::Session(field) | Part::Line(field) if field.kind == b'k' => {
                lines.extend(given_away(field.value));
            }
            _ => {}
        });
        for (method, key) in lines {
            let sighting = Sighting::new(&META, seen.pair, seen.event.at).severity(Severity::High);
            sink.sighting(sighting, |labels| {
                let (method, label) = (printable(method, 16), labels.label(Kind::MediaKey, key));
                let what = sentence!("{} with a k= line, {method}: {label}", seen.describe());
                (what, Some(sentence!("k={method}:<{label}>")))
            })
            .call(seen.placement.call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} with a media key between {}.",
                plural(entry.count, "k= line"),
                entry.subject.spoken(),
            ),
            parameters: vec![("lines", Figure::Count(entry.count))],
        }
    }
}

/// The method of a line and its key, if it gives one away.
fn given_away(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', value)?;
    let (method, key) = (value.get(..colon)?, value.get(colon.saturating_add(1)..)?);
    let known = METHODS.iter().any(|known| known.eq_ignore_ascii_case(method));
    (known && !key.is_empty()).then_some((method, key))
}
