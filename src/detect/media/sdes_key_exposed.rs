//! `MEDIA-SDES-KEY-EXPOSED`: SRTP keys in signalling that anyone on the path can read
//! (RFC 4568 §8.3).

use hashbrown::HashMap;
use overhear_parsers::sdp::{self, Crypto, MAX_KEY};

use super::super::redact::Labels;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{SipSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{at_least, plural, printable, sentence};
use crate::correlate::placement::SdpRole;
use crate::model::addr::stable_hash;
use crate::model::finding::{Figure, Severity};
use crate::model::id::RecordKey;
use crate::model::record::Protection;
use crate::model::revealed::Kind;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An `a=crypto` line with a key of the length that its suite asks for, in the body of any SIP
    /// message that could be read without a key itself: requests, provisional and final responses,
    /// ACK, PRACK, UPDATE, multipart bodies too.
    ///
    /// ## Why it matters
    /// Whoever captured this signalling can decrypt the media that the key protects, now and
    /// later. Critical when an answer chose the line or a stream followed; high while the key was
    /// only offered.
    ///
    /// ## Evidence
    /// The message, the line's tag and suite, the key's length and a label in its place: equal
    /// labels are equal keys.
    ///
    /// ## False positives
    /// A capture taken where TLS ends, behind the proxy, sees in clear what the network does not: with
    /// `tap_inside_tls` set to 1 it is no more than worth knowing. Lines that were offered and never chosen stay at high.
    ///
    /// ## Fix
    /// Carry SDES only inside TLS 1.2 or newer, or use DTLS-SRTP, whose keys are never in
    /// signalling.
    id: "MEDIA-SDES-KEY-EXPOSED",
    name: "media-sdes-key-exposed",
    title: "SRTP keys can be read in the signalling",
    severity: Info ..= Critical,
    status: Stable,
    wants: [CRYPTO, STREAM],
    references: ["RFC 4568 §8.3", "RFC 8643 §4", "RFC 3711"],
    remediation: "SRTP keys were visible in signalling. Move this signalling leg to TLS 1.2+ and rotate; keys already captured stay compromised. Use unique random keys per direction, stream and call; prefer AEAD_AES_256_GCM or AES_CM_128_HMAC_SHA1_80.",
    question: Some("SDES"),
    thresholds: ["tap_inside_tls"],
    since: "0.1.0",
}

/// Tally: key lines in answers; streams of calls whose keys were readable.
const CHOSEN: usize = 0;
const STREAMS: usize = 1;
/// Distinct: keys.
const KEYS: usize = 0;

/// The rule at work.
pub(crate) struct SdesKeyExposed {
    recent: Recent,
    inside_tls: bool,
}

pub(crate) fn new(policy: &Policy) -> SdesKeyExposed {
    let inside_tls = policy.thresholds.media.tap_inside_tls > 0;
    SdesKeyExposed { recent: Recent::new(policy.limits.peers / 2), inside_tls }
}

impl SdesKeyExposed {
    /// How much a key gives away that a media stream or an answer uses, or is only offered.
    const fn severity(&self, used: bool) -> Severity {
        match (self.inside_tls, used) {
            (true, _) => Severity::Info,
            (false, true) => Severity::Critical,
            (false, false) => Severity::High,
        }
    }
}

impl Detector for SdesKeyExposed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if seen.event.encrypted || seen.placement.retransmission {
            return;
        }
        let Some(body) = seen.event.message.sdp() else { return };
        let answer = seen.placement.sdp == SdpRole::Answer;
        let mut found = false;
        let mut chosen = false;
        for media in sdp::parse(body).media() {
            let selected = answer && media.port != 0;
            for crypto in media.cryptos() {
                if !crypto.has_usable_key() {
                    continue;
                }
                (found, chosen) = (true, chosen || selected);
                let sighting = Sighting::new(&META, seen.pair, seen.event.at)
                    .severity(self.severity(selected))
                    .kind(u32::from(answer));
                sink.sighting(sighting, |labels| describe(seen, answer, &crypto, labels))
                    .add(CHOSEN, u64::from(selected))
                    .distinct(KEYS, stable_hash(&crypto.key_params.expose()))
                    .call(seen.placement.call);
            }
        }
        let Some(call) = seen.placement.call.filter(|_| found) else { return };
        if chosen && let Some(offered) = self.recent.subject(call) {
            let _ = sink.concerns(&META, offered, self.severity(true));
        }
        self.recent.remember(call, seen.pair);
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        if seen.lookalike || seen.record.protection == Protection::Cleartext {
            return;
        }
        let Some(subject) = seen.call.and_then(|call| self.recent.subject(call)) else { return };
        if let Some(hit) = sink.concerns(&META, subject, self.severity(true)) {
            let _ = hit.until(seen.last()).add(STREAMS, 1).stream(seen.key);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (keys, chosen) = (entry.distinct(KEYS), entry.tally(CHOSEN));
        let streams = entry.tally(STREAMS);
        let consequence = match (streams, chosen) {
            (0, 0) => "no answer chose any of them".to_owned(),
            (0, _) => "whoever captured this can decrypt the media".to_owned(),
            _ => format!(
                "whoever captured this can decrypt the media, {} of it in this capture",
                plural(streams, "stream")
            ),
        };
        Words {
            summary: sentence!(
                "{}{} in {} between {} could be read; {consequence}.",
                at_least(entry.exhausted),
                plural(keys, "SRTP key"),
                plural(entry.calls, "call"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("keys", Figure::Count(keys)),
                ("key_lines", Figure::Count(entry.count)),
                ("chosen", Figure::Count(chosen)),
                ("calls", Figure::Count(entry.calls)),
                ("streams", Figure::Count(streams)),
            ],
        }
    }
}

/// The sentence and the line with its keys replaced by labels.
fn describe(
    seen: &SipSeen<'_>,
    answer: bool,
    crypto: &Crypto<'_>,
    labels: &mut Labels,
) -> (String, Option<String>) {
    let keys: Vec<String> = crypto
        .keys()
        .take(4)
        .map(|key| {
            let mut octets = [0; MAX_KEY];
            let length = key.decode(&mut octets);
            let decoded = length.and_then(|length| octets.get(..length));
            labels.label(Kind::MediaKey, decoded.unwrap_or(key.key.expose())).to_string()
        })
        .collect();
    let tag = crypto.tag.map_or_else(|| "?".to_owned(), |tag| tag.to_string());
    let suite = printable(crypto.suite, 48);
    let role = if answer { "answers with" } else { "offers" };
    (
        sentence!("{} {role} crypto tag {tag}, {suite}: {}", seen.describe(), keys.join(", ")),
        Some(sentence!("a=crypto:{tag} {suite} inline:<{}>", keys.join(">;inline:<"))),
    )
}

/// The pair of peers between which a call's keys were readable, for the calls that exposed keys
/// most recently: two generations, of which the older is forgotten when the younger is full.
/// A stream that ends after that is not linked to the finding.
struct Recent {
    half: usize,
    young: HashMap<RecordKey, Subject, foldhash::fast::FixedState>,
    old: HashMap<RecordKey, Subject, foldhash::fast::FixedState>,
}

impl Recent {
    fn new(half: usize) -> Self {
        Self { half: half.max(1), young: HashMap::default(), old: HashMap::default() }
    }

    fn subject(&self, call: RecordKey) -> Option<Subject> {
        self.young.get(&call).or_else(|| self.old.get(&call)).copied()
    }

    /// The first pair stays: on a call that crosses a proxy it is the hop of the offer.
    fn remember(&mut self, call: RecordKey, subject: Subject) {
        if self.young.contains_key(&call) {
            return;
        }
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        let subject = self.old.get(&call).copied().unwrap_or(subject);
        self.young.insert(call, subject);
    }
}
