//! What a rule is: its documentation and limits as data ([`Meta`]), and its behaviour
//! ([`Detector`]). The macro `rule!` turns a doc comment into both the documentation of the
//! code and the text of `overhear explain` and `docs/rules/<ID>.md`.

use std::ops::BitOr;

use super::ahead::Coming;
use super::calls::CallSeen;
use super::hop::HopSeen;
use super::negotiation::NegotiationSeen;
use super::seen::{CaptureSeen, HandshakeSeen, KeySeen, MediaSeen, SipSeen, StreamSeen, TapSeen};
use super::shows::Shows;
use super::sink::{Entry, Sink};
use crate::model::finding::{Figure, Severity};

/// The headings that every rule's documentation has, in this order.
pub const HEADINGS: [&str; 5] =
    ["What it detects", "Why it matters", "Evidence", "False positives", "Fix"];

/// How settled a rule is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Identifier, meaning and severities stay.
    Stable,
    /// Everything but the identifier may change.
    Preview,
}

impl Status {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Preview => "preview",
        }
    }
}

/// What a rule wants to be called for: a set of bits. The end of the capture calls every rule.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Interest(u32);

impl Interest {
    /// Only the end of the capture.
    pub const END: Self = Self(0);
    /// SIP requests with credentials: Authorization or Proxy-Authorization.
    pub const CREDENTIALS: Self = Self(1);
    /// SIP responses with a challenge: WWW-Authenticate or Proxy-Authenticate.
    pub const CHALLENGE: Self = Self(1 << 1);
    /// SIP messages with a line for media keys somewhere in the body: `a=crypto`, `a=key-mgmt`, `k=`.
    pub const CRYPTO: Self = Self(1 << 2);
    /// SIP messages of which the snap length cut something off.
    pub const CLIPPED: Self = Self(1 << 3);
    /// Requests that begin something: INVITE, re-INVITE, REGISTER, MESSAGE.
    pub const OPENS: Self = Self(1 << 4);
    /// SIP messages that speak of security for signalling: a `sips` URI or `transport=tls` in the
    /// Request-URI, Contact, Route, History-Info or Diversion, or port 5061 without TLS.
    pub const SIPS: Self = Self(1 << 5);
    /// Responses that may refuse a `sips` URI: 403, 416, 480.
    pub const REFUSED: Self = Self(1 << 6);
    /// INFO and NOTIFY with a body.
    pub const DIGITS: Self = Self(1 << 7);
    /// SIP messages that break the grammar somewhere, are large, or came in IP fragments.
    pub const ODD: Self = Self(1 << 8);
    /// Every SIP message.
    pub const SIP: Self = Self(1 << 9);
    /// Finished RTP streams.
    pub const STREAM: Self = Self(1 << 10);
    /// What the tap itself tells: loss, cuts, duplicates, jumps of the clock.
    pub const TAP: Self = Self(1 << 11);
    /// Offers about security that have met their answers.
    pub const NEGOTIATION: Self = Self(1 << 12);
    /// TLS and DTLS handshakes.
    pub const HANDSHAKE: Self = Self(1 << 13);
    /// Copies of SIP messages that capture agents sent.
    pub const COPY: Self = Self(1 << 14);
    /// What goes beside RTP: RTCP in clear, MSRP, T.38, ZRTP.
    pub const MEDIA: Self = Self(1 << 15);
    /// SRTP keys that stood in the signalling of a call.
    pub const KEY: Self = Self(1 << 16);
    /// Calls that are over.
    pub const CALL: Self = Self(1 << 17);

    /// What shows of a TLS connection outside its first handshake.
    pub const HOP: Self = Self(1 << 18);

    /// Finished streams that look encrypted, or are proven to be.
    pub const HIDDEN: Self = Self(1 << 19);
    /// Finished streams with [`Notes`](crate::model::notes::Notes).
    pub const NOTED: Self = Self(1 << 20);
    /// Finished streams of calls that agreed on something about security.
    pub const AGREED: Self = Self(1 << 21);
    /// Finished streams that shared a socket with others.
    pub const ACCOMPANIED: Self = Self(1 << 22);
    /// Finished streams that a key was proven to open, and those with ZRTP between their sockets.
    pub const KEYED: Self = Self(1 << 23);
    /// Finished streams of which RTCP was seen.
    pub const REPORTED: Self = Self(1 << 24);
    /// Finished streams of no call, those whose numbers or timestamps jumped, of which packets were cut, or
    /// which only look like streams.
    pub const STRANGE: Self = Self(1 << 25);

    /// The bits that depend on the SIP message at hand, lowest first.
    pub(super) const SIP_KINDS: usize = 1 << 9;

    /// The lowest bit that depends on the stream at hand, and how many combinations of them there are.
    const OF_STREAMS: u32 = 19;
    pub(super) const STREAM_KINDS: usize = 1 << 7;

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets have a bit in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The set as an index into a table of [`Self::SIP_KINDS`] entries.
    pub(super) fn sip_kind(self) -> usize {
        usize::try_from(self.0).unwrap_or(0) % Self::SIP_KINDS
    }

    /// The set whose [`Self::sip_kind`] is `kind`, as a message has it: with [`Self::SIP`].
    pub(super) fn of_sip_kind(kind: usize) -> Self {
        Self(u32::try_from(kind % Self::SIP_KINDS).unwrap_or(0)) | Self::SIP
    }

    /// The set as an index into a table of [`Self::STREAM_KINDS`] entries.
    pub(super) fn stream_kind(self) -> usize {
        usize::try_from(self.0 >> Self::OF_STREAMS).unwrap_or(0) % Self::STREAM_KINDS
    }

    /// The set whose [`Self::stream_kind`] is `kind`, as a stream has it: with [`Self::STREAM`].
    pub(super) fn of_stream_kind(kind: usize) -> Self {
        let kind = u32::try_from(kind % Self::STREAM_KINDS).unwrap_or(0);
        Self(kind << Self::OF_STREAMS) | Self::STREAM
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

/// Everything about a rule that is not code.
#[derive(Debug)]
pub struct Meta {
    /// `[A-Z0-9-]+`, as in the catalogue; never reused.
    pub id: &'static str,
    /// For people and configuration, in lower case.
    pub name: &'static str,
    /// One line naming the bad thing; the title of its findings.
    pub title: &'static str,
    /// The lowest severity a finding of it has.
    pub lowest: Severity,
    /// The highest severity a finding of it can reach.
    pub highest: Severity,
    /// How settled it is.
    pub status: Status,
    /// What it is called for.
    pub wants: Interest,
    /// Standards, `RFC 3550 §9.1`.
    pub references: &'static [&'static str],
    /// What to do, for the report.
    pub remediation: &'static str,
    /// The question of the posture questionnaire that it helps to answer.
    pub question: Option<&'static str>,
    /// Names of the thresholds it uses, as `policy::Thresholds` has them.
    pub thresholds: &'static [&'static str],
    /// The version that brought it.
    pub since: &'static str,
    /// The doc comment: Markdown with the five [`HEADINGS`].
    pub docs: &'static str,
    /// The file that holds it.
    pub file: &'static str,
}

impl PartialEq for Meta {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Meta {}

impl Meta {
    /// One section of the documentation, without its heading; empty if there is none.
    pub fn section(&self, heading: &str) -> String {
        let mut lines = Vec::new();
        let mut inside = false;
        for line in self.docs.lines().map(str::trim) {
            match line.strip_prefix("## ") {
                Some(found) => inside = found == heading,
                None if inside => lines.push(line),
                None => {}
            }
        }
        lines.join("\n").trim().to_owned()
    }

    /// `high`, or `high to critical`.
    pub fn severities(&self) -> String {
        if self.lowest == self.highest {
            self.lowest.word().to_owned()
        } else {
            format!("{} to {}", self.lowest.word(), self.highest.word())
        }
    }
}

/// What a rule says of one finding when everything has been seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words {
    /// A sentence or two with the figures.
    pub summary: String,
    /// Thresholds in force and figures reached, in the rule's order.
    pub parameters: Vec<(&'static str, Figure)>,
}

/// A rule at work: looks at what was seen, holds bounded state, and reports sightings.
///
/// It does no I/O, reads no clock, and takes every number that decides something from `policy`.
pub trait Detector {
    /// The rule.
    fn meta(&self) -> &'static Meta;

    /// One SIP message of the kinds that [`Meta::wants`] names, in the total order of the capture.
    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// Asks for what [`Self::sip`] will look up for a message that comes soon, if this rule wants every
    /// message: see [`super::ahead`].
    fn fetch(&self, coming: &Coming) {
        let _ = coming;
    }

    /// One SRTP key that stood in the signalling of a call, once for each place.
    fn key(&mut self, seen: &KeySeen<'_>, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// One SIP message of which a capture agent sent a copy.
    fn copy(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// One finished stream.
    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// One call that is over, refused, or unfinished at the end. Its streams may still be told of:
    /// they end a minute after their last packet.
    fn call(&mut self, seen: &CallSeen<'_>, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// One offer about security and what became of it; not told again when a later response repeats
    /// the answer.
    fn negotiation(&mut self, seen: &NegotiationSeen<'_>, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// Whether [`Self::handshake`] would look at a handshake that shows this; of those that are alike
    /// ([`super::alike`]) it says the same.
    fn looks_at(&self, seen: &HandshakeSeen<'_>, shows: Shows) -> bool {
        let _ = (seen, shows);
        true
    }

    /// One TLS or DTLS handshake that is over.
    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// One thing the tap tells about itself.
    fn tap(&mut self, seen: &TapSeen, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// One thing that showed of a TLS connection outside its first handshake.
    fn hop(&mut self, seen: &HopSeen, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// One thing that went beside RTP.
    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// The end of the capture; once.
    fn end(&mut self, seen: &CaptureSeen<'_>, sink: &mut Sink) {
        let _ = (seen, sink);
    }

    /// The sentence and the figures of one of this rule's findings.
    fn summarise(&self, entry: &Entry) -> Words;

    /// Entries that this rule's own tables had no room for, with the table's name.
    fn evicted(&self) -> (&'static str, u64) {
        ("", 0)
    }
}

/// Declares a rule: a doc comment with the five headings, and its [`Meta`].
///
/// Expands to `pub(crate) static META: Meta`.
macro_rules! rule {
    (
        $(#[doc = $doc:literal])+
        id: $id:literal,
        name: $name:literal,
        title: $title:literal,
        severity: $lowest:ident ..= $highest:ident,
        status: $status:ident,
        wants: [$($wants:ident),* $(,)?],
        references: [$($reference:literal),+ $(,)?],
        remediation: $remediation:expr,
        question: $question:expr,
        thresholds: [$($threshold:literal),* $(,)?],
        since: $since:literal $(,)?
    ) => {
        #[allow(clippy::doc_markdown, reason = "prose for readers of reports, not of the code")]
        $(#[doc = $doc])+
        pub(crate) static META: $crate::detect::rule::Meta = $crate::detect::rule::Meta {
            id: $id,
            name: $name,
            title: $title,
            lowest: $crate::model::finding::Severity::$lowest,
            highest: $crate::model::finding::Severity::$highest,
            status: $crate::detect::rule::Status::$status,
            wants: $crate::detect::rule::Interest::END
                $(.or($crate::detect::rule::Interest::$wants))*,
            references: &[$($reference),+],
            remediation: $remediation,
            question: $question,
            thresholds: &[$($threshold),*],
            since: $since,
            docs: concat!($($doc, "\n"),+),
            file: file!(),
        };
    };
}

pub(crate) use rule;
