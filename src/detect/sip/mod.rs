//! How SIP is written: what breaks the grammar, what overruns readers, what two readers would read in
//! two ways (`CATALOGUE.md` E.3).

pub(super) mod fuzzing;
pub(super) mod malformed_framing;
pub(super) mod malformed_header;
pub(super) mod malformed_semantic;
pub(super) mod malformed_start;
pub(super) mod oversize;
pub(super) mod trailing_octets;

use overhear_parsers::sip::Anomalies;

use super::rate::Rates;
use super::rule::{Detector, Meta, Words};
use super::seen::SipSeen;
use super::sink::{Entry, Sighting, Sink, Subject};
use super::text::{plural, sentence};
use crate::model::finding::{Figure, Severity};
use crate::model::time::Span;
use crate::policy::Policy;

/// What every rule about malformed messages advises.
const FIX: &str = "Malformed SIP reached this element: let the border controller refuse what breaks the grammar, and find out who sends it and why; two elements that read one message differently can be played against each other.";

/// In what kind of place something is off: the classes of RFC 4475.
#[derive(Copy, Clone)]
struct Class(Anomalies);

/// The start line.
const START: Class = Class(
    Anomalies::BAD_VERSION
        .union(Anomalies::EXTRA_SPACE_IN_START_LINE)
        .union(Anomalies::BAD_STATUS_CODE)
        .union(Anomalies::BAD_REQUEST_URI)
        .union(Anomalies::METHOD_CASE)
        .union(Anomalies::REQUEST_URI_WITH_HEADERS)
        .union(Anomalies::LEADING_WHITESPACE),
);

/// Where a message and its parts begin and end.
const FRAMING: Class = Class(
    Anomalies::NO_HEADER_END
        .union(Anomalies::BARE_LF)
        .union(Anomalies::BARE_CR)
        .union(Anomalies::MIXED_LINE_ENDS)
        .union(Anomalies::CONTENT_LENGTH_MISSING)
        .union(Anomalies::CONTENT_LENGTH_DUPLICATE_DIFFERING)
        .union(Anomalies::CONTENT_LENGTH_BAD)
        .union(Anomalies::CONTENT_LENGTH_TOO_LARGE)
        .union(Anomalies::START_LINE_IN_HEADERS)
        .union(Anomalies::TOO_MANY_HEADERS)
        .union(Anomalies::BAD_MULTIPART),
);

/// One header.
const HEADER: Class = Class(
    Anomalies::HEADER_WITHOUT_COLON
        .union(Anomalies::BAD_HEADER_NAME)
        .union(Anomalies::CONTROL_OCTET)
        .union(Anomalies::NON_UTF8)
        .union(Anomalies::CSEQ_BAD)
        .union(Anomalies::BAD_VIA)
        .union(Anomalies::BAD_FROM)
        .union(Anomalies::BAD_TO)
        .union(Anomalies::BAD_CONTACT)
        .union(Anomalies::NON_ASCII_TOKEN)
        .union(Anomalies::DISGUISED_HEADER)
        .union(Anomalies::AMBIGUOUS_URI)
        .union(Anomalies::ESCAPED_LINE_END)
        .union(Anomalies::BRANCH_REPEATED)
        .union(Anomalies::BAD_DATE)
        .union(Anomalies::BAD_WARNING)
        .union(Anomalies::BAD_NUMBER),
);

/// What headers mean together.
const SEMANTIC: Class = Class(
    Anomalies::MISSING_VIA
        .union(Anomalies::MISSING_FROM)
        .union(Anomalies::MISSING_TO)
        .union(Anomalies::MISSING_CALL_ID)
        .union(Anomalies::MISSING_CSEQ)
        .union(Anomalies::DUPLICATE_FROM)
        .union(Anomalies::DUPLICATE_TO)
        .union(Anomalies::DUPLICATE_CALL_ID)
        .union(Anomalies::DUPLICATE_CSEQ)
        .union(Anomalies::DUPLICATE_MAX_FORWARDS)
        .union(Anomalies::DUPLICATE_SINGLE)
        .union(Anomalies::CSEQ_METHOD_MISMATCH),
);

impl Class {
    /// What of `found` belongs here.
    fn of(self, found: Anomalies) -> Anomalies {
        found.without(found.without(self.0))
    }
}

/// Tally: the anomalies seen, a bit each; the most messages in one minute.
const SEEN: usize = 0;
const MOST: usize = 1;

/// A rule about one class at work.
pub(crate) struct Malformed {
    meta: &'static Meta,
    class: Class,
    rates: Rates,
    medium: u64,
    high: u64,
}

impl Malformed {
    fn new(meta: &'static Meta, class: Class, policy: &Policy) -> Self {
        let of = &policy.thresholds.sip;
        Self {
            meta,
            class,
            rates: Rates::new(Span::from_secs(60), policy.limits.peers),
            medium: of.malformed_medium_a_minute,
            high: of.malformed_high_a_minute,
        }
    }
}

impl Detector for Malformed {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let found = self.class.of(seen.anomalies());
        if found.is_empty() {
            return;
        }
        let subject = Subject::host(seen.event.src.addr);
        let window = self.rates.book(subject, seen.event.at.time, found.bits());
        let severity = match window.count {
            many if many >= self.high => Severity::High,
            some if some >= self.medium => Severity::Medium,
            _ => Severity::Low,
        };
        let kind = found.iter().next().map_or(0, |(bit, _)| bit);
        let sighting = Sighting::new(self.meta, subject, seen.event.at).severity(severity);
        sink.sighting(sighting.kind(kind), |_| (describe(seen, found), None))
            .mark(SEEN, found.bits())
            .most(MOST, window.count)
            .call(seen.placement.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let seen = Anomalies::from_bits(entry.tally(SEEN));
        Words {
            summary: sentence!(
                "{} from {}: {}.",
                plural(entry.count, "malformed message"),
                entry.subject.spoken(),
                names(seen),
            ),
            parameters: vec![
                ("malformed_medium_a_minute", Figure::Count(self.medium)),
                ("malformed_high_a_minute", Figure::Count(self.high)),
                ("most_a_minute", Figure::Count(entry.tally(MOST))),
                ("anomalies", Figure::Text(names(seen))),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("malformed_sources", self.rates.evicted())
    }
}

/// `INVITE from 192.0.2.1:5060: bad-via, bad-to`.
fn describe(seen: &SipSeen<'_>, found: Anomalies) -> String {
    sentence!("{} from {}: {}", seen.describe(), seen.event.src, names(found))
}

fn names(set: Anomalies) -> String {
    set.iter().map(|(_, name)| name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_a_must_belongs_to_one_class_or_lies_behind_the_body() {
        let behind = Anomalies::CONTENT_LENGTH_TOO_SMALL | Anomalies::MESSAGE_AFTER_BODY;
        for (bit, name) in Anomalies::NAMES {
            let one = Anomalies::from_bits(1 << bit);
            let classes = [START, FRAMING, HEADER, SEMANTIC];
            let homes = classes.into_iter().filter(|class| !class.of(one).is_empty()).count();
            let expected = usize::from(one.is_malformed() && !behind.contains(one));
            assert_eq!(homes, expected, "{name}");
        }
    }
}
