//! Which headers a message has, where the first of those stands that every reader asks for, and
//! which of the necessary ones are missing or doubled (RFC 3261 §8.1.1). Noted line by line during
//! the scan, so that nobody walks over the spans again. Reads no value but `CSeq` and Content-Length.

use super::{HeaderName, HeaderSpan, Method, Part, StartLine};
use crate::anomaly::Anomalies;
use crate::cursor::{is_lws, leading_number, number, offset, word};

/// A set of header names.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct HeaderSet(u64, u64);

/// Header names of a message, and the places of some.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Names of all headers that have a span.
    pub present: HeaderSet,
    /// Number and method of the first `CSeq`; `None` without one that can be read.
    pub cseq: Option<CSeq>,
    via: u16,
    from: u16,
    to: u16,
    call_id: u16,
    cseq_at: u16,
    content_type: u16,
}

/// A `CSeq` value (RFC 3261 §20.16).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// The sequence number.
    pub number: u32,
    /// The method.
    pub method: Method,
    /// The method as written, by its place in the message.
    pub text: Part,
}

/// The first Content-Length.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum ContentLength {
    Missing,
    Bad,
    Octets(usize),
}

/// What the lines so far have shown.
pub(super) struct Seen {
    /// Names so far, and those that came more than once.
    present: HeaderSet,
    repeated: HeaderSet,
    /// Where the first header of each [`slot`] stands.
    firsts: [u16; 8],
}

/// Headers that every message needs, and what it is called when one is missing.
const NEEDED: [(HeaderName, Anomalies); 5] = [
    (HeaderName::Via, Anomalies::MISSING_VIA),
    (HeaderName::From, Anomalies::MISSING_FROM),
    (HeaderName::To, Anomalies::MISSING_TO),
    (HeaderName::CallId, Anomalies::MISSING_CALL_ID),
    (HeaderName::CSeq, Anomalies::MISSING_CSEQ),
];

const ALL_NEEDED: HeaderSet = HeaderSet::of(&[
    HeaderName::Via,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
]);

/// Headers that may stand in a message once, and what it is called when one comes again.
const ONCE: [(HeaderName, Anomalies); 5] = [
    (HeaderName::From, Anomalies::DUPLICATE_FROM),
    (HeaderName::To, Anomalies::DUPLICATE_TO),
    (HeaderName::CallId, Anomalies::DUPLICATE_CALL_ID),
    (HeaderName::CSeq, Anomalies::DUPLICATE_CSEQ),
    (HeaderName::MaxForwards, Anomalies::DUPLICATE_MAX_FORWARDS),
];

/// Others that stand once in a message (RFC 3261 §7.3.1 and their own RFCs).
const SINGLE: HeaderSet = HeaderSet::of(&[
    HeaderName::ContentDisposition,
    HeaderName::ContentType,
    HeaderName::Date,
    HeaderName::Event,
    HeaderName::Expires,
    HeaderName::IdentityInfo,
    HeaderName::Join,
    HeaderName::MaxBreadth,
    HeaderName::MimeVersion,
    HeaderName::MinExpires,
    HeaderName::MinSe,
    HeaderName::Organization,
    HeaderName::PCalledPartyId,
    HeaderName::PChargingVector,
    HeaderName::Priority,
    HeaderName::RAck,
    HeaderName::ReferTo,
    HeaderName::ReferredBy,
    HeaderName::Replaces,
    HeaderName::RetryAfter,
    HeaderName::RSeq,
    HeaderName::Server,
    HeaderName::SessionExpires,
    HeaderName::SessionId,
    HeaderName::Subject,
    HeaderName::SubscriptionState,
    HeaderName::TargetDialog,
    HeaderName::Timestamp,
    HeaderName::UserAgent,
]);

/// No such header.
const NOWHERE: u16 = u16::MAX;

impl HeaderSet {
    /// The set of these names.
    pub const fn of(mut names: &[HeaderName]) -> Self {
        let mut set = Self(0, 0);
        while let [name, rest @ ..] = names {
            set.insert(*name);
            names = rest;
        }
        set
    }

    /// True if the name is in the set.
    #[inline]
    pub const fn contains(self, name: HeaderName) -> bool {
        let (number, bit) = place(name);
        (if number < 64 { self.0 } else { self.1 }) & bit != 0
    }

    /// True if all names of `other` are in this set.
    #[inline]
    const fn has_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0 && self.1 & other.1 == other.1
    }

    /// True if one of the names of `other` is in this set.
    #[inline]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 | self.1 & other.1 != 0
    }

    /// Adds a name, and says whether it was there already.
    #[inline]
    const fn insert(&mut self, name: HeaderName) -> bool {
        let (number, bit) = place(name);
        let set = if number < 64 { &mut self.0 } else { &mut self.1 };
        let before = *set;
        *set = before | bit;
        before & bit != 0
    }
}

impl Places {
    /// The first span of this name, among the spans of the same message.
    #[inline]
    pub(super) fn first(self, name: HeaderName, spans: &[HeaderSpan]) -> Option<&HeaderSpan> {
        let place = match name {
            HeaderName::Via => self.via,
            HeaderName::From => self.from,
            HeaderName::To => self.to,
            HeaderName::CallId => self.call_id,
            HeaderName::CSeq => self.cseq_at,
            HeaderName::ContentType => self.content_type,
            _ if self.present.contains(name) => return spans.iter().find(|span| span.name == name),
            _ => return None,
        };
        spans.get(usize::from(place))
    }
}

impl Seen {
    /// Nothing yet.
    #[inline]
    pub(super) const fn new() -> Self {
        let (present, repeated) = (HeaderSet(0, 0), HeaderSet(0, 0));
        Self { present, repeated, firsts: [NOWHERE; 8] }
    }

    /// Notes the header whose span is the message's `place`th, from 0.
    #[inline]
    pub(super) fn note(&mut self, name: HeaderName, place: u32) {
        if self.present.insert(name) {
            self.repeated.insert(name);
        } else if let Some(first) = self.firsts.get_mut(slot(name)) {
            *first = u16::try_from(place).unwrap_or(NOWHERE);
        }
    }

    /// What is off, the Content-Length that counts, and the places; `spans` are those of the message.
    pub(super) fn finish(
        self,
        octets: &[u8],
        spans: &[HeaderSpan],
        start: StartLine,
    ) -> (Anomalies, ContentLength, Places) {
        let mut found = amiss(self.present, self.repeated);
        let mut places = self.places();
        if let Some(span) = spans.get(usize::from(places.cseq_at)) {
            places.cseq = read_cseq(octets, *span);
            found |= cseq_anomaly(octets, places.cseq, start);
        }
        let mut length = ContentLength::Missing;
        if self.present.contains(HeaderName::ContentLength) {
            let first = usize::from(self.first(HeaderName::ContentLength));
            let lengths = spans.get(first..).unwrap_or_default();
            let again = self.repeated.contains(HeaderName::ContentLength);
            let looked_at = if again { lengths } else { lengths.get(..1).unwrap_or_default() };
            for span in looked_at.iter().filter(|span| span.name == HeaderName::ContentLength) {
                found |= add_length(&mut length, span.value(octets));
            }
        }
        (found, length, places)
    }

    fn places(&self) -> Places {
        Places {
            present: self.present,
            cseq: None,
            via: self.first(HeaderName::Via),
            from: self.first(HeaderName::From),
            to: self.first(HeaderName::To),
            call_id: self.first(HeaderName::CallId),
            cseq_at: self.first(HeaderName::CSeq),
            content_type: self.first(HeaderName::ContentType),
        }
    }

    /// Where the first header of a name stands that has a [`slot`] of its own.
    #[inline]
    fn first(&self, name: HeaderName) -> u16 {
        self.firsts.get(slot(name)).copied().unwrap_or(NOWHERE)
    }
}

/// Where the place of a name is kept; those that nobody asks for share one.
#[inline]
fn slot(name: HeaderName) -> usize {
    let (number, _) = place(name);
    usize::from(SLOTS.get(number).copied().unwrap_or_default())
}

/// [`slot`] of every name, by its number.
static SLOTS: [u8; 128] = {
    let mut slots = [0; 128];
    let mut names: &[HeaderName] = &[
        HeaderName::Via,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
        HeaderName::ContentType,
        HeaderName::ContentLength,
    ];
    let mut number = 1_u8;
    while let [name, rest @ ..] = names {
        let (at, _) = place(*name);
        if let Some((_, [slot, ..])) = slots.split_at_mut_checked(at) {
            *slot = number;
        }
        number = number.wrapping_add(1);
        names = rest;
    }
    slots
};

/// Necessary headers that are missing, and others that came more than once.
fn amiss(present: HeaderSet, repeated: HeaderSet) -> Anomalies {
    let mut found = Anomalies::NONE;
    if !present.has_all(ALL_NEEDED) {
        for (name, missing) in NEEDED {
            if !present.contains(name) {
                found |= missing;
            }
        }
    }
    if repeated != HeaderSet::default() {
        for (name, doubled) in ONCE {
            if repeated.contains(name) {
                found |= doubled;
            }
        }
        if repeated.meets(SINGLE) {
            found |= Anomalies::DUPLICATE_SINGLE;
        }
    }
    found
}

/// The number of a name, and its bit in its half of a set: the second one from 64 on.
#[inline]
#[allow(clippy::as_conversions, reason = "the discriminant of an enum of one octet")]
const fn place(name: HeaderName) -> (usize, u64) {
    let number = name as u8;
    (number as usize, 1 << (number & 63))
}

/// `1*DIGIT LWS Method`.
fn read_cseq(octets: &[u8], span: HeaderSpan) -> Option<CSeq> {
    let value = span.value(octets);
    let (number, method, text) = if let Some(plain) = plain_cseq(value) {
        plain
    } else {
        let (sequence, text) = word(value);
        let number = u32::try_from(number(sequence)?).ok()?;
        let valid = !text.is_empty() && !text.iter().any(|&octet| is_lws(octet));
        valid.then(|| (number, Method::from(text), text))?
    };
    // Trimmed at both ends, the value ends with the method.
    let at = index_of_last(span, text.len());
    Some(CSeq { number, method, text: Part { at, len: offset(text.len()) } })
}

/// Up to nine digits, a blank, and a method that nearly every message has, as its RFC writes it.
#[inline]
fn plain_cseq(value: &[u8]) -> Option<(u32, Method, &[u8])> {
    let (number, rest) = leading_number(value)?;
    let text = rest.strip_prefix(b" ")?;
    let method = Method::as_usual(text)?;
    Some((number, method, text))
}

/// Where the last `len` octets of a value begin.
fn index_of_last(span: HeaderSpan, len: usize) -> u32 {
    span.value_at.saturating_add(span.value_len).saturating_sub(offset(len))
}

/// `CSeq` must be readable, and in a request name the method of the start line.
fn cseq_anomaly(octets: &[u8], cseq: Option<CSeq>, start: StartLine) -> Anomalies {
    match (cseq, start) {
        (None, _) => Anomalies::CSEQ_BAD,
        (Some(cseq), StartLine::Request { method_text, .. })
            if cseq.text.of(octets) != method_text.of(octets) =>
        {
            Anomalies::CSEQ_METHOD_MISMATCH
        }
        _ => Anomalies::NONE,
    }
}

/// The first Content-Length counts; later ones are compared with it.
fn add_length(length: &mut ContentLength, value: &[u8]) -> Anomalies {
    let read = match number(value).map(usize::try_from) {
        Some(Ok(octets)) => ContentLength::Octets(octets),
        _ => ContentLength::Bad,
    };
    let bad =
        if read == ContentLength::Bad { Anomalies::CONTENT_LENGTH_BAD } else { Anomalies::NONE };
    match *length {
        ContentLength::Missing => {
            *length = read;
            bad
        }
        first if first == read => bad | Anomalies::CONTENT_LENGTH_DUPLICATE,
        _ => bad | Anomalies::CONTENT_LENGTH_DUPLICATE_DIFFERING,
    }
}
