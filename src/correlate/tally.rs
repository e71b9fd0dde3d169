//! Totals over finished records, kept while they are archived, so that a summary costs no reading.
//!
//! Sums are integers in the order the records finish; nothing here is joined.

use std::collections::BTreeMap;

use crate::model::frame::FrameId;
use crate::model::handshake::HandshakeRecord;
use crate::model::record::{
    CallRecord, CallState, HandshakeKind, Protection, RegistrationRecord, RegistrationState,
    StreamRecord,
};

/// Frames named as examples for each kind of stream.
const EXAMPLES: usize = 5;

/// Distinct codec names counted; names come from the wire.
const CODECS: usize = 64;

/// What was archived, in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls by state.
    pub call_states: BTreeMap<&'static str, u64>,
    /// Calls that failed, by final status.
    pub failures: BTreeMap<u16, u64>,
    /// Calls whose signalling was readable.
    pub signalling_clear: u64,
    /// Calls an SRTP key of which was readable.
    pub key_exposed: u64,
    /// First frames of such calls.
    pub key_exposed_at: Examples,
    /// Registrations by state.
    pub registration_states: BTreeMap<&'static str, u64>,
    /// Streams by protection.
    pub streams: BTreeMap<Protection, Streams>,
    /// Streams that look encrypted and were in clear for a part of the time.
    pub partly: u64,
    /// First frames of some of them.
    pub partly_at: Examples,
    /// Streams by the codec of their first payload type; `None` where it is not known, or beyond
    /// 64 different names.
    pub codecs: BTreeMap<Option<String>, u64>,
    /// Packets expected by all streams.
    pub expected: u64,
    /// Those never seen.
    pub lost: u64,
    /// TLS handshakes.
    pub tls: u64,
    /// DTLS handshakes.
    pub dtls: u64,
}

/// Streams of one protection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    /// How many.
    pub streams: u64,
    /// Their packets.
    pub packets: u64,
    /// The sum of their durations, nanoseconds.
    pub nanos: u64,
    /// Those that belong to no call.
    pub unbound: u64,
    /// First frames of some of them.
    pub at: Examples,
}

/// The earliest few frames of those offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examples(Vec<FrameId>);

impl Examples {
    /// The frames, the earliest first.
    pub fn frames(&self) -> &[FrameId] {
        &self.0
    }

    fn offer(&mut self, frame: FrameId) {
        if self.0.len() >= EXAMPLES && self.0.last().is_some_and(|last| *last <= frame) {
            return;
        }
        if let Err(place) = self.0.binary_search(&frame) {
            self.0.insert(place, frame);
            self.0.truncate(EXAMPLES);
        }
    }
}

impl Tally {
    pub(super) fn call(&mut self, call: &CallRecord<'_>) {
        bump(&mut self.call_states, call.state.word());
        if let (CallState::Failed, Some(status)) = (call.state, call.final_status) {
            bump(&mut self.failures, status);
        }
        self.signalling_clear = self.signalling_clear.saturating_add(call.signalling_clear.into());
        if call.key_exposed {
            self.key_exposed = self.key_exposed.saturating_add(1);
            self.key_exposed_at.offer(call.key().first);
        }
    }

    pub(super) fn registration(&mut self, registration: &RegistrationRecord<'_>) {
        bump(&mut self.registration_states, registration_word(registration.state));
    }

    pub(super) fn stream(&mut self, stream: &StreamRecord<'_>) {
        let kind = self.streams.entry(stream.protection).or_default();
        kind.streams = kind.streams.saturating_add(1);
        kind.packets = kind.packets.saturating_add(stream.packets);
        let nanos = stream.last.since(stream.first).nanos();
        kind.nanos = kind.nanos.saturating_add(u64::try_from(nanos).unwrap_or(0));
        kind.unbound = kind.unbound.saturating_add(stream.call.is_none().into());
        kind.at.offer(stream.key().first);
        if stream.is_partly_clear() {
            self.partly = self.partly.saturating_add(1);
            self.partly_at.offer(stream.key().first);
        }
        self.expected = self.expected.saturating_add(stream.expected);
        self.lost = self.lost.saturating_add(stream.lost);
        self.codec(stream.payload_types.first().and_then(|first| first.codec.as_deref()));
    }

    pub(super) fn handshake(&mut self, handshake: &HandshakeRecord<'_>) {
        let count = match handshake.kind {
            HandshakeKind::Tls => &mut self.tls,
            HandshakeKind::Dtls => &mut self.dtls,
        };
        *count = count.saturating_add(1);
    }

    fn codec(&mut self, name: Option<&str>) {
        // A few names at most: looking through them costs less than a name to look up.
        let room = self.codecs.len() < CODECS;
        match self.codecs.iter_mut().find(|(known, _)| known.as_deref() == name) {
            Some((_, count)) => *count = count.saturating_add(1),
            None if room => bump(&mut self.codecs, name.map(str::to_owned)),
            None => bump(&mut self.codecs, None),
        }
    }
}

/// The word used in every output.
pub fn registration_word(state: RegistrationState) -> &'static str {
    match state {
        RegistrationState::Ok => "ok",
        RegistrationState::Failed => "failed",
        RegistrationState::Challenged => "challenged",
        RegistrationState::Expired => "expired",
        RegistrationState::Unknown => "unknown",
    }
}

fn bump<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_the_earliest_whatever_the_order() {
        let mut examples = Examples::default();
        for number in [9, 3, 7, 3, 1, 8, 2, 5] {
            examples.offer(FrameId { source: 0, number });
        }
        let numbers: Vec<u64> = examples.frames().iter().map(|frame| frame.number).collect();
        assert_eq!(numbers, [1, 2, 3, 5, 7]);
    }
}
