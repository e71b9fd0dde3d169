//! L6: facts to findings, one file per rule.
//!
//! [`CATALOGUE`] lists the rules; [`Detectors`] runs them all on what the collector hands on, in
//! the total order of the capture, and puts what they sight into one [`Sink`]. A rule is called
//! only for what it wants ([`Interest`]): a SIP message without credentials, challenge, `a=crypto`
//! or cut reaches only the rules that want every message.
//!
//! Nothing here knows calls, streams or protocols other than through what it is shown
//! ([`seen`]), and nothing else in the program makes findings.

mod book;
mod entry;
pub mod listing;
mod redact;
pub mod rule;
pub mod seen;
pub mod sink;
mod subject;
mod text;

mod auth;
mod media;
mod sensor;
mod sig;

use self::rule::{Detector, Interest, Meta, Words};
use self::seen::{CaptureSeen, MediaSeen, SipSeen, StreamSeen, TapSeen};
use self::sink::{Entry, Outcome, Sink};
use crate::correlate::event::SipEvent;
use crate::correlate::placement::Placement;
use crate::model::finding::Finding;
use crate::model::id::RecordKey;
use crate::policy::Policy;

/// A rule and how it is set to work.
#[derive(Debug)]
pub struct Registered {
    /// The rule.
    pub meta: &'static Meta,
    /// Makes one detector with the thresholds and limits in force.
    pub make: fn(&Policy) -> Box<dyn Detector + Send>,
}

macro_rules! catalogue {
    ($($family:ident :: $name:ident),+ $(,)?) => {
        &[$(Registered {
            meta: &$family::$name::META,
            make: |policy| Box::new($family::$name::new(policy)),
        }),+]
    };
}

/// Every rule, in the order of their ids.
pub static CATALOGUE: &[Registered] = catalogue![
    auth::basic,
    auth::md5_only,
    auth::no_qop,
    media::cleartext_rtp,
    media::rtcp_cleartext,
    media::sdes_key_exposed,
    media::srtcp_e0,
    sensor::drop,
    sensor::duplicate,
    sensor::midstream_tls,
    sensor::one_sided,
    sensor::rtp_lookalike,
    sensor::snaplen,
    sensor::state_evicted,
    sensor::time,
    sig::cleartext,
    sig::digest_cleartext,
];

/// The rule of this id, in any case of letters, or of this name.
pub fn rule(id: &str) -> Option<&'static Meta> {
    let mut all = CATALOGUE.iter().map(|registered| registered.meta);
    all.find(|meta| meta.id.eq_ignore_ascii_case(id) || meta.name.eq_ignore_ascii_case(id))
}

/// Every rule at work.
pub struct Detectors {
    rules: Vec<Box<dyn Detector + Send>>,
    /// For each combination of what is in a SIP message: the rules to call.
    by_sip_kind: Vec<Vec<usize>>,
    for_streams: Vec<usize>,
    for_tap: Vec<usize>,
    for_media: Vec<usize>,
    sink: Sink,
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
            for_streams: wanting(Interest::STREAM),
            for_tap: wanting(Interest::TAP),
            for_media: wanting(Interest::MEDIA),
            sink: Sink::new(&policy.limits),
        }
    }

    /// One SIP message, after correlation has placed it.
    pub fn sip(&mut self, event: &SipEvent<'_>, placement: &Placement) {
        let seen = SipSeen::new(event, placement);
        let Self { rules, by_sip_kind, sink, .. } = self;
        for index in by_sip_kind.get(seen.kind.sip_kind()).into_iter().flatten() {
            if let Some(rule) = rules.get_mut(*index) {
                rule.sip(&seen, sink);
            }
        }
    }

    /// One finished stream.
    pub fn stream(&mut self, seen: &StreamSeen<'_>) {
        let Self { rules, for_streams, sink, .. } = self;
        for index in for_streams {
            if let Some(rule) = rules.get_mut(*index) {
                rule.stream(seen, sink);
            }
        }
    }

    /// One thing the tap tells about itself.
    pub fn tap(&mut self, seen: &TapSeen) {
        let Self { rules, for_tap, sink, .. } = self;
        for index in for_tap {
            if let Some(rule) = rules.get_mut(*index) {
                rule.tap(seen, sink);
            }
        }
    }

    /// One thing that went beside RTP.
    pub fn media(&mut self, seen: &MediaSeen<'_>) {
        let Self { rules, for_media, sink, .. } = self;
        for index in for_media {
            if let Some(rule) = rules.get_mut(*index) {
                rule.media(seen, sink);
            }
        }
    }

    /// Entries that the rules' own tables had no room for so far, by table; to be added to the
    /// capture's `evicted` before [`Self::finish`].
    pub fn evicted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.rules.iter().map(|rule| rule.evicted()).filter(|(_, evicted)| *evicted > 0)
    }

    /// The links made since the last call, for a collector that spools them: see
    /// [`Outcome::places`].
    pub fn take_links(&mut self) -> Vec<(RecordKey, u32)> {
        self.sink.take_links()
    }

    /// Findings raised so far. Their numbers count from 0, in the order in which they were raised.
    pub fn raised(&self) -> usize {
        self.sink.len()
    }

    /// A finding as it stands now.
    pub fn preview(&self, number: usize) -> Option<Finding> {
        self.sink.preview(number, |entry| words(&self.rules, entry))
    }

    /// The end of the capture: what only the whole can tell, then every finding.
    pub fn finish(self, capture: &CaptureSeen<'_>) -> Outcome {
        let Self { mut rules, mut sink, .. } = self;
        for rule in &mut rules {
            rule.end(capture, &mut sink);
        }
        sink.finish(|entry| words(&rules, entry))
    }
}

/// What the rule of a finding says about it.
fn words(rules: &[Box<dyn Detector + Send>], entry: &Entry) -> Words {
    let rule = rules.iter().find(|rule| std::ptr::eq(rule.meta(), entry.meta));
    rule.map(|rule| rule.summarise(entry)).unwrap_or_default()
}

impl std::fmt::Debug for Detectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detectors").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod testing;
