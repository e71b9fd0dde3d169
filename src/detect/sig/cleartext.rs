//! `SIG-CLEARTEXT`: SIP that anyone on the path can read (RFC 3261 §26).

use overhear_parsers::sip::Method;

use super::super::rule::{Detector, Interest, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{at_least, plural, sentence};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Figure, Severity};
use crate::model::revealed::Kind;
use crate::model::transport::Transport;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// SIP requests and responses that could be read straight from UDP or TCP between two hosts,
    /// without any key.
    ///
    /// ## Why it matters
    /// Whoever is on the path learns who calls whom, when and for how long, and can change, add
    /// or remove messages: redirect a call, end it, or strip its encryption. High; critical when
    /// one end is a public address, because then the path is the Internet.
    ///
    /// ## Evidence
    /// The first requests and responses, with their transport; of a MESSAGE a label for its text.
    ///
    /// ## False positives
    /// A tap inside an IPsec or TLS tunnel, behind its end, sees in clear what the network in
    /// between does not. SIP on a loopback interface never leaves the host.
    ///
    /// ## Fix
    /// Use TLS on every hop, with certificates that are checked, and close the clear ports.
    id: "SIG-CLEARTEXT",
    name: "sig-cleartext",
    title: "Call signalling can be read and changed on the way",
    severity: High ..= Critical,
    status: Stable,
    wants: [SIP],
    references: ["RFC 3261 §26", "RFC 9325"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// Tally: requests; transports, one bit each; a public end; requests that begin something.
const REQUESTS: usize = 0;
const TRANSPORTS: usize = 1;
const PUBLIC: usize = 2;
const OPENING: usize = 3;

/// When a pair of peers last exchanged messages in clear, if one of them began something: a call, a
/// registration, a text.
pub(super) fn opened(entry: &Entry) -> Option<FrameRef> {
    (entry.tally(OPENING) > 0).then_some(entry.last)
}

/// The rule at work.
pub(crate) struct Cleartext;

pub(crate) const fn new(_: &Policy) -> Cleartext {
    Cleartext
}

impl Detector for Cleartext {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let event = seen.event;
        if event.encrypted {
            return;
        }
        let public = seen.public();
        let severity = if public { Severity::Critical } else { Severity::High };
        let request = event.message.is_request();
        let text = request && event.message.method() == Method::Message;
        let body = Some(event.message.body()).filter(|body| text && !body.is_empty());
        let kind = if body.is_some() { 2 } else { u32::from(!request) };
        let sighting = Sighting::new(&META, seen.pair, event.at).severity(severity).kind(kind);
        sink.sighting(sighting, |labels| {
            let body = body.map(|body| labels.label(Kind::Body, body));
            let body = body.map_or_else(String::new, |label| sentence!(", body {label}"));
            let what =
                sentence!("{} in clear over {}{body}", seen.describe(), event.transport.name());
            (what, None)
        })
        .add(REQUESTS, u64::from(request))
        .mark(TRANSPORTS, u64::from(event.transport.bit()))
        .mark(PUBLIC, u64::from(public))
        .add(OPENING, u64::from(seen.kind.meets(Interest::OPENS)))
        .call(seen.placement.call)
        .record(seen.placement.registration);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let used = Transport::ALL.iter();
        let used = used.filter(|t| u64::from(t.bit()) & entry.tally(TRANSPORTS) != 0);
        let over = used.map(|transport| transport.name()).collect::<Vec<_>>().join(" and ");
        let calls = match entry.calls {
            0 => String::new(),
            n => format!(" of {}{}", at_least(entry.exhausted), plural(n, "call")),
        };
        Words {
            summary: sentence!(
                "{}{calls} between {} travelled in clear over {over}.",
                plural(entry.count, "SIP message"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("messages", Figure::Count(entry.count)),
                ("requests", Figure::Count(entry.tally(REQUESTS))),
                ("beginnings", Figure::Count(entry.tally(OPENING))),
                ("calls", Figure::Count(entry.calls)),
                ("transports", Figure::Text(over)),
                ("public", Figure::Flag(entry.tally(PUBLIC) != 0)),
            ],
        }
    }
}
