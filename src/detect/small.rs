//! Rules that remember nothing: each message, exchange, stream or handshake is judged by itself, and what
//! is sighted is put together by pair of peers. Such a rule is its documentation and one function.

use super::negotiation::NegotiationSeen;
use super::redact::Labels;
use super::rule::{Detector, Meta, Words};
use super::seen::{HandshakeSeen, SipSeen, StreamSeen};
use super::shows::Shows;
use super::sink::{Entry, Sighting, Sink, Subject};
use super::text::{at_least, plural, sentence};
use crate::correlate::exchange::Statement;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::id::RecordKey;
use crate::policy::Policy;
use crate::policy::media::MediaThresholds;

/// A rule that remembers nothing.
pub(crate) struct Small {
    meta: &'static Meta,
    /// What is counted: `crypto line`.
    noun: &'static str,
    /// What that means, after a colon.
    meaning: &'static str,
    sip: fn(&SipSeen<'_>, &mut Report<'_>),
    negotiation: fn(&NegotiationSeen<'_>, &mut Report<'_>),
    stream: fn(&StreamSeen<'_>, &mut Report<'_>),
    handshake: fn(&HandshakeSeen<'_>, &mut Report<'_>),
    looks_at: fn(&HandshakeSeen<'_>) -> bool,
}

/// A rule that remembers nothing but the thresholds that it judges streams by.
pub(crate) struct Weighing {
    small: Small,
    thresholds: MediaThresholds,
    weigh: Weigh,
}

/// Judges a stream by thresholds.
type Weigh = fn(&StreamSeen<'_>, &MediaThresholds, &mut Report<'_>);

impl Small {
    /// A rule that is never called; one of the following says for what it is.
    pub(super) const fn new(
        meta: &'static Meta,
        noun: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self {
            meta,
            noun,
            meaning,
            sip: |_, _| (),
            negotiation: |_, _| (),
            stream: |_, _| (),
            handshake: |_, _| (),
            looks_at: |_| true,
        }
    }

    /// Judges SIP messages of the kinds that the rule wants, repeated ones excepted.
    pub(super) const fn of_sip(self, sip: fn(&SipSeen<'_>, &mut Report<'_>)) -> Self {
        Self { sip, ..self }
    }

    /// Judges offers about security with what became of them.
    pub(super) const fn of_negotiations(
        self,
        negotiation: fn(&NegotiationSeen<'_>, &mut Report<'_>),
    ) -> Self {
        Self { negotiation, ..self }
    }

    /// Judges finished streams, look-alikes excepted.
    pub(super) const fn of_streams(self, stream: fn(&StreamSeen<'_>, &mut Report<'_>)) -> Self {
        Self { stream, ..self }
    }

    /// Judges finished streams by the thresholds that the rule names, look-alikes excepted.
    pub(super) fn of_streams_by(self, policy: &Policy, weigh: Weigh) -> Weighing {
        Weighing { small: self, thresholds: policy.thresholds.media.clone(), weigh }
    }

    /// Judges handshakes.
    pub(super) const fn of_handshakes(
        self,
        handshake: fn(&HandshakeSeen<'_>, &mut Report<'_>),
    ) -> Self {
        Self { handshake, ..self }
    }

    /// Judges of the handshakes only such, by what [`Detector::looks_at`] may go by.
    pub(super) const fn of_such(self, looks_at: fn(&HandshakeSeen<'_>) -> bool) -> Self {
        Self { looks_at, ..self }
    }
}

impl Detector for Small {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if seen.placement.retransmission {
            return;
        }
        let mut report = Report::new(self.meta, seen.pair, seen.event.at, sink);
        report.call = seen.placement.call;
        report.record = seen.placement.registration;
        (self.sip)(seen, &mut report);
    }

    fn negotiation(&mut self, seen: &NegotiationSeen<'_>, sink: &mut Sink) {
        let mut report = Report::new(self.meta, seen.pair, seen.at, sink);
        report.call = Some(seen.exchange.call);
        (self.negotiation)(seen, &mut report);
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        if let Some(mut report) = Report::of_stream(self.meta, seen, sink) {
            (self.stream)(seen, &mut report);
        }
    }

    fn looks_at(&self, seen: &HandshakeSeen<'_>, _: Shows) -> bool {
        (self.looks_at)(seen)
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let mut report = Report::new(self.meta, seen.pair, seen.offered_at(), sink);
        report.record = Some(seen.key);
        (self.handshake)(seen, &mut report);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let within = match entry.calls {
            0 => String::new(),
            n => sentence!(" in {}{}", at_least(entry.exhausted), plural(n, "call")),
        };
        let mut parameters = vec![("count", Figure::Count(entry.count))];
        if entry.calls > 0 {
            parameters.push(("calls", Figure::Count(entry.calls)));
        }
        Words {
            summary: sentence!(
                "{}{within} between {}: {}.",
                plural(entry.count, self.noun),
                entry.subject.spoken(),
                self.meaning,
            ),
            parameters,
        }
    }
}

impl Detector for Weighing {
    fn meta(&self) -> &'static Meta {
        self.small.meta
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        if let Some(mut report) = Report::of_stream(self.small.meta, seen, sink) {
            (self.weigh)(seen, &self.thresholds, &mut report);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        self.small.summarise(entry)
    }
}

/// Where a rule that remembers nothing says what it saw.
pub(super) struct Report<'s> {
    meta: &'static Meta,
    subject: Subject,
    at: FrameRef,
    confidence: Confidence,
    call: Option<RecordKey>,
    record: Option<RecordKey>,
    stream: Option<(RecordKey, FrameRef)>,
    sink: &'s mut Sink,
}

impl<'s> Report<'s> {
    const fn new(meta: &'static Meta, subject: Subject, at: FrameRef, sink: &'s mut Sink) -> Self {
        let confidence = Confidence::Certain;
        Self { meta, subject, at, confidence, call: None, record: None, stream: None, sink }
    }

    /// About a stream that is no look-alike.
    fn of_stream(meta: &'static Meta, seen: &StreamSeen<'_>, sink: &'s mut Sink) -> Option<Self> {
        let stream = Some((seen.key, seen.last()));
        let report = Self::new(meta, seen.pair, seen.first(), sink);
        (!seen.lookalike).then_some(Self { call: seen.call, stream, ..report })
    }

    /// What another rule holds about the same pair of peers.
    pub(super) fn known(&self, meta: &'static Meta) -> Option<&Entry> {
        self.sink.known(meta, self.subject)
    }

    /// What follows stands in this description.
    pub(super) fn within(&mut self, statement: &Statement) -> &mut Self {
        self.at = statement.at;
        self.subject = Subject::pair(statement.src.addr, statement.dst.addr);
        self
    }

    /// What follows is no more certain than this.
    pub(super) const fn unsure(&mut self, confidence: Confidence) -> &mut Self {
        self.confidence = confidence;
        self
    }

    /// One sighting; `what` is asked for its sentence only if that is kept.
    pub(super) fn saw(&mut self, severity: Severity, what: impl FnOnce() -> String) {
        self.saw_secret(severity, |_| (what(), None));
    }

    /// One sighting whose sentence names secrets by their labels, and may quote a line.
    pub(super) fn saw_secret(
        &mut self,
        severity: Severity,
        what: impl FnOnce(&mut Labels) -> (String, Option<String>),
    ) {
        let sighting = Sighting::new(self.meta, self.subject, self.at)
            .severity(severity)
            .confidence(self.confidence);
        let hit = self.sink.sighting(sighting, what).call(self.call).record(self.record);
        if let Some((stream, last)) = self.stream {
            let _ = hit.until(last).stream(stream);
        }
    }
}

/// `request`, or the status of the response: who says it, for a sentence.
pub(super) fn speaker(statement: &Statement) -> String {
    match statement.status {
        0 => "request".to_owned(),
        status => status.to_string(),
    }
}
