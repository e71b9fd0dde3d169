//! `MEDIA-DTLS-NOT-COMPLETED`: DTLS-SRTP was agreed on, and no handshake came to its end (RFC 5763 §5).

use std::collections::VecDeque;

use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, HandshakeSeen, StreamSeen};
use super::super::shows::Shows;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{at_least, plural, sentence};
use super::secured::settled_packets;
use super::sighting::{described, millis};
use crate::correlate::handshake::alert_name;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::model::handshake::{Ending, Outcome};
use crate::model::id::RecordKey;
use crate::model::time::{Span, Ts};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A DTLS handshake between media sockets of a call that is not finished ten seconds after its
    /// ClientHello: unanswered, given up, or ended by an alert, and no other one that was. And fifty packets or
    /// more of RTP, later than two seconds after the answer, in a call that agreed on DTLS-SRTP, without any
    /// handshake of that call.
    ///
    /// ## Why it matters
    /// Without the handshake there are no keys: the call is silent, or its media goes in clear, or is
    /// protected with keys that nobody agreed on here. Handshakes that fail by the dozen are an attack on
    /// them, or a firewall that lets RTP pass and drops DTLS.
    ///
    /// ## Evidence
    /// The ClientHello, or the stream that has no handshake.
    ///
    /// ## False positives
    /// A capture that begins in the call or lacks one direction: a handshake of which one side sent
    /// encrypted records counts as completed, and streams that began before the answer was seen are left
    /// out. Media that another host of the same call relays.
    ///
    /// ## Fix
    /// Look at the alert, at the roles of both sides (MEDIA-DTLS-SETUP-BAD), and at what the path drops:
    /// flights with certificates are large and fragmented.
    id: "MEDIA-DTLS-NOT-COMPLETED",
    name: "media-dtls-not-completed",
    title: "No DTLS handshake was completed for the media",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [HANDSHAKE, STREAM],
    references: ["RFC 5763 §5", "RFC 8842 §5.5"],
    remediation: super::DTLS_FIX,
    question: Some("DTLS"),
    thresholds: ["dtls_complete_ms", "dtls_packets", "settled_after_ms"],
    since: "0.1.0",
}

/// How long before the answer a stream may begin whose handshake should have been seen.
const BEFORE: Span = Span::from_secs(5);

/// Tally: handshakes; streams without any.
const HANDSHAKES: usize = 0;
const STREAMS: usize = 1;

/// What was seen of handshakes at a socket, or of a call: when the last one was completed, if one was.
type Known = Option<Ts>;

/// A handshake that was not completed, and may still be followed by one that is.
struct Attempt {
    first: FrameRef,
    last: FrameRef,
    client: Endpoint,
    server: Endpoint,
    /// The call did not name the client's host.
    stranger: bool,
    handshake: RecordKey,
    call: RecordKey,
    why: String,
}

/// The rule at work.
pub(crate) struct DtlsNotCompleted {
    wait: Span,
    wait_ms: u64,
    packets: u64,
    /// After the answer.
    grace: Span,
    sockets: Lately<Endpoint, Known>,
    calls: Lately<RecordKey, Known>,
    attempts: VecDeque<Attempt>,
    cap: usize,
    refused: u64,
}

pub(crate) fn new(policy: &Policy) -> DtlsNotCompleted {
    let (media, cap) = (&policy.thresholds.media, policy.limits.peers);
    DtlsNotCompleted {
        wait: millis(media.dtls_complete_ms),
        wait_ms: media.dtls_complete_ms,
        packets: media.dtls_packets,
        grace: millis(media.settled_after_ms),
        sockets: Lately::new(cap),
        calls: Lately::new(cap),
        attempts: VecDeque::new(),
        cap,
        refused: 0,
    }
}

impl DtlsNotCompleted {
    /// Tells of the attempts that no completed handshake followed in time; `now` is a time up to which
    /// everything was seen.
    fn settle(&mut self, now: Ts, sink: &mut Sink) {
        while let Some(attempt) = self.attempts.front() {
            if now.since(attempt.first.time) < self.wait {
                return;
            }
            let Some(attempt) = self.attempts.pop_front() else { return };
            let completed = self
                .known(attempt.client, attempt.server, Some(attempt.call))
                .flatten()
                .any(|at| attempt.stranger || at >= attempt.first.time);
            if !completed {
                tell(&attempt, sink);
            }
        }
    }

    /// What is known of these sockets and this call; nothing where no handshake was seen.
    fn known(
        &self,
        one: Endpoint,
        other: Endpoint,
        call: Option<RecordKey>,
    ) -> impl Iterator<Item = Known> {
        let sockets = [one, other].map(|socket| self.sockets.get(&socket));
        sockets.into_iter().flatten().chain(call.and_then(|call| self.calls.get(&call)))
    }
}

impl Detector for DtlsNotCompleted {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn looks_at(&self, seen: &HandshakeSeen<'_>, _: Shows) -> bool {
        seen.is_for_media()
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let (record, facts) = (seen.record, seen.read.facts);
        if !seen.is_for_media() {
            return;
        }
        // Of the other direction nothing may have been captured.
        let sealed = facts.ending == Ending::Silence && facts.sealed != [false; 2];
        let completed = facts.outcome == Outcome::Completed || sealed;
        let at = completed.then_some(facts.last.time);
        for socket in [record.client, record.server] {
            let before = self.sockets.get(&socket).flatten();
            self.sockets.put(socket, at.or(before));
        }
        if let Some(greeting) = seen.greeting {
            let call = greeting.call;
            let before = self.calls.get(&call).flatten();
            self.calls.put(call, at.or(before));
            if !completed && !facts.clipped && self.attempts.len() < self.cap {
                self.attempts.push_back(Attempt {
                    first: facts.first,
                    last: facts.last,
                    client: record.client,
                    server: record.server,
                    stranger: !greeting.known,
                    handshake: seen.key,
                    call,
                    why: why(seen),
                });
            } else if !completed && !facts.clipped {
                self.refused = self.refused.saturating_add(1);
            }
        }
        self.settle(facts.last.time, sink);
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        self.settle(seen.record.last, sink);
        let Some(agreement) = seen.agreement.filter(|agreement| agreement.dtls) else { return };
        let Some(ended) = seen.around.ended else { return };
        let record = seen.record;
        let over_tls = record.negotiated.as_deref().is_some_and(|profile| profile.contains("TLS/"));
        let whole = record.first.plus(BEFORE) >= agreement.at.time;
        if !over_tls || !whole || settled_packets(seen, self.grace) < self.packets {
            return;
        }
        let (src, dst) = ended.ends();
        let any = self
            .known(ended.key.src, ended.key.dst, seen.call)
            .chain(self.known(src, dst, None))
            .next();
        if any.is_some() {
            return;
        }
        let subject = Subject::pair(record.src.addr, record.dst.addr);
        let sighting = Sighting::new(&META, subject, seen.first())
            .confidence(Confidence::Medium)
            .kind(1 << 1 | u32::from(record.src.addr <= record.dst.addr));
        let what = |_: &mut _| (sentence!("no DTLS handshake for {}", described(seen)), None);
        sink.sighting(sighting, what)
            .until(seen.last())
            .add(STREAMS, 1)
            .stream(seen.key)
            .call(seen.call);
    }

    fn end(&mut self, capture: &CaptureSeen<'_>, sink: &mut Sink) {
        self.settle(capture.last.time, sink);
        // What the capture did not show to its end may have been completed later.
        self.attempts.clear();
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (handshakes, streams) = (entry.tally(HANDSHAKES), entry.tally(STREAMS));
        let what = match (handshakes, streams) {
            (_, 0) => sentence!("{} not completed", plural(handshakes, "DTLS handshake")),
            (0, _) => sentence!("{} without a DTLS handshake", plural(streams, "stream")),
            _ => sentence!(
                "{} not completed and {} without any",
                plural(handshakes, "DTLS handshake"),
                plural(streams, "stream")
            ),
        };
        Words {
            summary: sentence!(
                "{what} in {}{} between {}.",
                at_least(entry.exhausted),
                plural(entry.calls, "call"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("dtls_complete_ms", Figure::Count(self.wait_ms)),
                ("dtls_packets", Figure::Count(self.packets)),
                ("handshakes", Figure::Count(handshakes)),
                ("streams", Figure::Count(streams)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        let lately = self.sockets.evicted().saturating_add(self.calls.evicted());
        ("dtls_handshakes", lately.saturating_add(self.refused))
    }
}

/// How far a handshake came.
fn why(seen: &HandshakeSeen<'_>) -> String {
    let facts = seen.read.facts;
    match (facts.alert, facts.answered) {
        (Some((alert, from)), _) => {
            sentence!("ended by the {}'s alert {}", from.word(), alert_name(alert.description))
        }
        (None, _) if facts.outcome == Outcome::Refused => "ended by an encrypted alert".to_owned(),
        (None, None) => "never answered".to_owned(),
        (None, Some(_)) => "answered and not finished".to_owned(),
    }
}

fn tell(attempt: &Attempt, sink: &mut Sink) {
    let Attempt { first, last, client, server, handshake, call, .. } = *attempt;
    let subject = Subject::pair(client.addr, server.addr);
    let sighting = Sighting::new(&META, subject, first).confidence(Confidence::High);
    let what =
        |_: &mut _| (sentence!("ClientHello of {client} to {server}: {}", attempt.why), None);
    sink.sighting(sighting, what)
        .until(last)
        .add(HANDSHAKES, 1)
        .handshake(handshake)
        .call(Some(call));
}
