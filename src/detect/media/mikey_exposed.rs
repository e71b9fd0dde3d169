//! `MEDIA-MIKEY-EXPOSED`: MIKEY messages that give keys away or prove nobody's identity (RFC 3830).

use overhear_parsers::mikey::{self, DataType, Message, Payload};
use overhear_parsers::sdp;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use crate::model::finding::{Figure, Severity};
use crate::model::revealed::Kind;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An `a=key-mgmt:mikey` line in signalling that could be read without a key. Critical: the message
    /// holds its keys without encryption. Medium: a Diffie-Hellman exchange that nobody signed, or
    /// that only a pre-shared key authenticates. Info: anything else that MIKEY can be.
    ///
    /// ## Why it matters
    /// MIKEY protects its keys by itself only if it is told to. With NULL encryption the line is the
    /// key: whoever captured the signalling can decrypt the media. A Diffie-Hellman value without a
    /// signature can be replaced by anyone on the path.
    ///
    /// ## Evidence
    /// The message, how MIKEY agreed its keys, and the length and label of keys in clear.
    ///
    /// ## False positives
    /// A capture taken where TLS ends sees in clear what the network does not. The keys of a
    /// pre-shared exchange with encryption are as good as the pre-shared key, which cannot be seen.
    ///
    /// ## Fix
    /// Carry MIKEY inside TLS, never with NULL encryption; better, use DTLS-SRTP.
    id: "MEDIA-MIKEY-EXPOSED",
    name: "media-mikey-exposed",
    title: "MIKEY key agreement can be read in the signalling",
    severity: Info ..= Critical,
    status: Stable,
    wants: [CRYPTO],
    references: ["RFC 3830 §6.2", "RFC 4567 §8", "RFC 4650"],
    remediation: "Announce the ZRTP hello hash in SDP over protected signalling and compare the SAS; remove MIKEY-NULL and k= lines.",
    question: Some("SDES"),
    thresholds: [],
    since: "0.1.0",
}

/// Tally: messages with keys in clear; without a signature.
const CLEAR: usize = 0;
const UNSIGNED: usize = 1;

/// The rule at work.
pub(crate) struct MikeyExposed;

pub(crate) const fn new(_: &Policy) -> MikeyExposed {
    MikeyExposed
}

impl Detector for MikeyExposed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if seen.event.encrypted || seen.placement.retransmission {
            return;
        }
        let Some(body) = seen.event.message.sdp() else { return };
        let media = sdp::parse(body).media();
        for line in media.filter_map(|media| media.attribute(b"key-mgmt")) {
            let Some(octets) = mikey::of_attribute(line) else { continue };
            let Ok(message) = Message::parse(&octets) else { continue };
            let (severity, how) = judge(&message);
            let kind = u32::from(severity == Severity::Critical);
            let sighting = Sighting::new(&META, seen.pair, seen.event.at).severity(severity);
            sink.sighting(sighting.kind(kind), |labels| {
                let keys = message.clear_keys().take(4);
                let keys: Vec<String> = keys
                    .map(|key| labels.label(Kind::MediaKey, key.key.expose()).to_string())
                    .collect();
                let with = if keys.is_empty() { "" } else { ": " };
                let what = sentence!("{} with {how}{with}{}", seen.describe(), keys.join(", "));
                (what, None)
            })
            .add(CLEAR, u64::from(severity == Severity::Critical))
            .add(UNSIGNED, u64::from(severity == Severity::Medium))
            .call(seen.placement.call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (clear, unsigned) = (entry.tally(CLEAR), entry.tally(UNSIGNED));
        Words {
            summary: sentence!(
                "{} between {}: {clear} with keys that anyone can read, {unsigned} that nobody \
                 signed.",
                plural(entry.count, "readable MIKEY message"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("messages", Figure::Count(entry.count)),
                ("clear", Figure::Count(clear)),
                ("unsigned", Figure::Count(unsigned)),
            ],
        }
    }
}

fn judge(message: &Message<'_>) -> (Severity, &'static str) {
    let signed = message.payloads().any(|payload| payload == Payload::Sign);
    match message.data_type {
        _ if message.clear_keys().next().is_some() => {
            (Severity::Critical, "MIKEY keys that are not encrypted")
        }
        DataType::DiffieHellman if !signed => {
            (Severity::Medium, "a MIKEY Diffie-Hellman value that nobody signed")
        }
        DataType::DiffieHellmanHmac => {
            (Severity::Medium, "a MIKEY Diffie-Hellman value under a pre-shared key")
        }
        DataType::DiffieHellman => (Severity::Info, "a signed MIKEY Diffie-Hellman value"),
        DataType::PreShared => (Severity::Info, "MIKEY keys under a pre-shared key"),
        DataType::PublicKey => (Severity::Info, "MIKEY keys under a public key"),
        DataType::Other(_) => (Severity::Info, "a MIKEY message without keys"),
    }
}
