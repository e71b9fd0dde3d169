//! The rules at work: what the collector hands on goes to those that want it, and everything they sight
//! into one [`Sink`].

use super::CATALOGUE;
use super::agreements::{self, Agreements};
use super::ahead::Coming;
use super::alike::Alike;
use super::announced::{self, Fingerprints};
use super::calls::CallSeen;
use super::hop::HopSeen;
use super::negotiation::NegotiationSeen;
use super::rule::{Detector, Interest, Words};
use super::seen::{
    CaptureSeen, HandshakeSeen, KeySeen, Looked, MediaSeen, SipSeen, StreamSeen, TapSeen,
};
use super::sink::{Entry, Outcome, Sink};
use super::tap_loss::{self, TapLoss};
use crate::correlate::event::SipEvent;
use crate::correlate::exchange::Exchange;
use crate::correlate::placement::Placement;
use crate::model::addr::Addr;
use crate::model::finding::Finding;
use crate::model::id::RecordKey;
use crate::model::record::Protection;
use crate::policy::{Policy, Thresholds};

/// Every rule at work.
pub struct Detectors {
    rules: Vec<Box<dyn Detector + Send>>,
    /// For each combination of what is in a SIP message: the rules to call.
    by_sip_kind: Vec<Vec<usize>>,
    /// The same for what is particular about a stream.
    by_stream_kind: Vec<Vec<usize>>,
    for_calls: Vec<usize>,
    for_handshakes: Vec<usize>,
    alike: Alike,
    for_tap: Vec<usize>,
    for_hops: Vec<usize>,
    for_keys: Vec<usize>,
    for_copies: Vec<usize>,
    for_negotiations: Vec<usize>,
    agreements: Agreements,
    for_media: Vec<usize>,
    announced: Fingerprints,
    tap_loss: TapLoss,
    sink: Sink,
    thresholds: Thresholds,
}

impl Detectors {
    /// Every rule of the catalogue, at these thresholds and limits.
    pub fn new(policy: &Policy) -> Self {
        let wanting = |what: Interest| -> Vec<usize> {
            let rules = CATALOGUE.iter().enumerate();
            rules.filter(|(_, r)| r.meta.wants.meets(what)).map(|(index, _)| index).collect()
        };
        Self {
            rules: CATALOGUE.iter().map(|registered| (registered.make)(policy)).collect(),
            by_sip_kind: (0..Interest::SIP_KINDS)
                .map(|kind| wanting(Interest::of_sip_kind(kind)))
                .collect(),
            by_stream_kind: (0..Interest::STREAM_KINDS)
                .map(|kind| wanting(Interest::of_stream_kind(kind)))
                .collect(),
            for_calls: wanting(Interest::CALL),
            for_handshakes: wanting(Interest::HANDSHAKE),
            alike: Alike::default(),
            for_tap: wanting(Interest::TAP),
            for_hops: wanting(Interest::HOP),
            for_keys: wanting(Interest::KEY),
            for_copies: wanting(Interest::COPY),
            for_negotiations: wanting(Interest::NEGOTIATION),
            agreements: Agreements::new(&policy.limits),
            for_media: wanting(Interest::MEDIA),
            announced: Fingerprints::new(&policy.limits),
            tap_loss: TapLoss::new(policy),
            sink: Sink::new(&policy.limits).revealing(policy.reveals.secrets),
            thresholds: policy.thresholds.clone(),
        }
    }

    /// One SIP message, after correlation has placed it: what was found at the first look.
    pub fn sip(&mut self, event: &SipEvent<'_>, placement: &Placement) -> Looked {
        let seen = SipSeen::new(event, placement);
        let Self { rules, by_sip_kind, sink, .. } = self;
        let wanting = by_sip_kind.get(seen.kind.sip_kind());
        each(rules, wanting.map_or(&[], Vec::as_slice), |rule| rule.sip(&seen, sink));
        seen.looked()
    }

    /// One SRTP key of a call.
    pub fn key(&mut self, seen: &KeySeen<'_>) {
        let Self { rules, for_keys, sink, .. } = self;
        each(rules, for_keys, |rule| rule.key(seen, sink));
    }

    /// One SIP message of which a capture agent sent a copy; tells whether it names servers for TLS.
    pub fn copy(&mut self, event: &SipEvent<'_>, placement: &Placement) -> bool {
        let seen = SipSeen::new(event, placement);
        let Self { rules, for_copies, sink, .. } = self;
        each(rules, for_copies, |rule| rule.copy(&seen, sink));
        seen.looked().names_tls
    }

    /// One finished stream.
    pub fn stream(&mut self, mut seen: StreamSeen<'_>) {
        let Self { rules, by_stream_kind, sink, agreements, tap_loss, .. } = self;
        if !seen.lookalike {
            tap_loss.stream(seen.record);
        }
        seen.agreement = seen.call.and_then(|call| agreements.of(call));
        let wanting = by_stream_kind.get(kind(&seen).stream_kind());
        each(rules, wanting.map_or(&[], Vec::as_slice), |rule| rule.stream(&seen, sink));
    }

    /// One call that is over.
    pub fn call(&mut self, seen: &CallSeen<'_>) {
        let Self { rules, for_calls, sink, .. } = self;
        each(rules, for_calls, |rule| rule.call(seen, sink));
    }

    /// One offer about security that has met its answer.
    pub fn exchange(&mut self, exchange: &Exchange) {
        let seen = NegotiationSeen::new(exchange);
        let Self { rules, for_negotiations, sink, agreements, announced, .. } = self;
        agreements.note(&seen);
        if exchange.repeats {
            return;
        }
        for (statement, media) in seen.media() {
            announced.note(exchange.call, statement, &media.media, &media.fingerprints);
        }
        each(rules, for_negotiations, |rule| rule.negotiation(&seen, sink));
    }

    /// One handshake.
    pub fn handshake(&mut self, seen: &HandshakeSeen<'_>) {
        let Self { rules, for_handshakes, alike, sink, announced, .. } = self;
        let seen = HandshakeSeen { announced: Some(announced), ..*seen };
        let looking = alike.looking(&seen, rules, for_handshakes);
        each(rules, looking, |rule| rule.handshake(&seen, sink));
    }

    /// One thing the tap tells about itself.
    pub fn tap(&mut self, seen: &TapSeen) {
        let Self { rules, for_tap, sink, tap_loss, .. } = self;
        if let TapSeen::StreamLoss { second, at, .. } = *seen {
            tap_loss.loss(second, at);
        }
        each(rules, for_tap, |rule| rule.tap(seen, sink));
    }

    /// One thing that showed of a TLS connection outside its first handshake.
    pub fn hop(&mut self, seen: &HopSeen) {
        let Self { rules, for_hops, sink, .. } = self;
        each(rules, for_hops, |rule| rule.hop(seen, sink));
    }

    /// One thing that went beside RTP.
    pub fn media(&mut self, seen: &MediaSeen<'_>) {
        let Self { rules, for_media, sink, .. } = self;
        each(rules, for_media, |rule| rule.media(seen, sink));
    }

    /// Entries that the rules' own tables had no room for so far, by table; to be added to the
    /// capture's `evicted` before [`Self::finish`].
    pub fn evicted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let rules = self.rules.iter().map(|rule| rule.evicted());
        let all = rules.chain([
            (agreements::TABLE, self.agreements.evicted()),
            (announced::TABLE, self.announced.evicted()),
            (tap_loss::TABLE, self.tap_loss.evicted()),
        ]);
        all.filter(|(_, evicted)| *evicted > 0)
    }

    /// The links made since the last call, for a collector that spools them: see
    /// [`Outcome::places`].
    pub fn take_links(&mut self) -> Vec<(RecordKey, u32)> {
        self.sink.take_links()
    }

    /// Counts everything that was left to be counted together.
    pub fn settle(&mut self) {
        self.sink.settle();
    }

    /// Asks for what will be looked up for a message from `src` to `dst`, a response or not, by rules that
    /// want every one and by the sink.
    #[inline]
    pub fn fetch(&self, src: Addr, dst: Addr, response: bool) {
        let coming = Coming::new(src, dst, response);
        self.sink.fetch(coming.pair);
        let every = self.by_sip_kind.get(Interest::SIP.sip_kind()).into_iter().flatten();
        every.filter_map(|index| self.rules.get(*index)).for_each(|rule| rule.fetch(&coming));
    }

    /// Findings raised so far. Their numbers count from 0, in the order in which they were raised.
    pub fn raised(&self) -> usize {
        self.sink.len()
    }

    /// A finding as it stands now, once [`Self::settle`] has been called.
    pub fn preview(&self, number: usize) -> Option<Finding> {
        self.sink.preview(number, |entry| words(&self.rules, &self.thresholds, entry))
    }

    /// The end of the capture: what only the whole can tell, then every finding.
    pub fn finish(self, capture: &CaptureSeen<'_>) -> Outcome {
        let Self { mut rules, mut sink, tap_loss, thresholds, .. } = self;
        let lossy_seconds = &tap_loss.seconds();
        let capture = &CaptureSeen { lossy_seconds, ..*capture };
        for rule in &mut rules {
            rule.end(capture, &mut sink);
        }
        sink.finish(|entry| words(&rules, &thresholds, entry))
    }
}

/// What is particular about a stream: rules that look for it need not be asked about any other.
fn kind(seen: &StreamSeen<'_>) -> Interest {
    let hidden =
        matches!(seen.record.protection, Protection::EncryptedLike | Protection::SrtpProven);
    let ended = seen.around.ended;
    let jumped = ended.is_some_and(|ended| ended.jumps > 0 || ended.leapt);
    let parts = [
        (Interest::HIDDEN, hidden),
        (Interest::NOTED, ended.is_some_and(|ended| ended.notes.is_some())),
        (Interest::AGREED, seen.agreement.is_some()),
        (Interest::ACCOMPANIED, !seen.around.company.is_empty()),
        (Interest::KEYED, seen.proof.is_some() || seen.around.zrtp.is_some()),
        (Interest::REPORTED, seen.record.rtcp.is_some()),
        (Interest::STRANGE, seen.call.is_none() || jumped || seen.clipped > 0 || seen.lookalike),
    ];
    let there = parts.into_iter().filter(|(_, there)| *there).map(|(part, _)| part);
    there.fold(Interest::STREAM, Interest::or)
}

/// Shows something to the rules of these places.
#[inline]
fn each(
    rules: &mut [Box<dyn Detector + Send>],
    which: &[usize],
    mut show: impl FnMut(&mut dyn Detector),
) {
    for index in which {
        if let Some(rule) = rules.get_mut(*index) {
            show(rule.as_mut());
        }
    }
}

/// What the rule of a finding says about it, and all thresholds that it went by.
fn words(rules: &[Box<dyn Detector + Send>], thresholds: &Thresholds, entry: &Entry) -> Words {
    let rule = rules.iter().find(|rule| std::ptr::eq(rule.meta(), entry.meta));
    let mut words = rule.map(|rule| rule.summarise(entry)).unwrap_or_default();
    for &name in entry.meta.thresholds {
        let told = words.parameters.iter().any(|(known, _)| *known == name);
        let value = thresholds.named(name).filter(|_| !told);
        words.parameters.extend(value.map(|value| (name, value)));
    }
    words
}

impl std::fmt::Debug for Detectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detectors").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}
