//! `SIG-CLEARTEXT`: SIP that anyone on the path can read (RFC 3261 §26).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{at_least, plural};
use crate::model::finding::{Figure, Severity};
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
    /// The first requests and responses, with their transport.
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

/// Tally: requests; messages over UDP; over TCP; a public end.
const REQUESTS: usize = 0;
const UDP: usize = 1;
const TCP: usize = 2;
const PUBLIC: usize = 3;

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
        let sighting =
            Sighting::new(&META, seen.pair, event.at).severity(severity).kind(u32::from(!request));
        sink.sighting(sighting, |_| {
            (format!("{} in clear over {}", seen.describe(), event.transport.name()), None)
        })
        .add(REQUESTS, u64::from(request))
        .add(if event.transport == Transport::Tcp { TCP } else { UDP }, 1)
        .mark(PUBLIC, u64::from(public))
        .call(seen.placement.call)
        .record(seen.placement.registration);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (udp, tcp) = (entry.tally(UDP), entry.tally(TCP));
        let over = match (udp, tcp) {
            (_, 0) => "UDP",
            (0, _) => "TCP",
            _ => "UDP and TCP",
        };
        Words {
            summary: format!(
                "{} of {}{} between {} travelled in clear over {over}.",
                plural(entry.count, "SIP message"),
                at_least(entry.exhausted),
                plural(entry.calls, "call"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("messages", Figure::Count(entry.count)),
                ("requests", Figure::Count(entry.tally(REQUESTS))),
                ("calls", Figure::Count(entry.calls)),
                ("udp", Figure::Count(udp)),
                ("tcp", Figure::Count(tcp)),
                ("public", Figure::Flag(entry.tally(PUBLIC) != 0)),
            ],
        }
    }
}
