//! `TLS-CERT-CHANGED`: a server that shows another key than before (RFC 9325 §6).

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::{Named, Place};
use crate::model::addr::stable_hash;
use crate::model::finding::{Figure, Severity};
use crate::model::time::{Span, Ts};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A server over TCP whose own certificate holds a public key that it has not shown lately to
    /// clients that asked for the same name: not one of its last four keys of the past 30 days. High
    /// when the one before came from an authority and this one signed itself.
    ///
    /// ## Why it matters
    /// Certificates are renewed, often with a new key. Somebody who stands in between shows another
    /// one, too, and mostly one that signed itself.
    ///
    /// ## Evidence
    /// The handshake with the new certificate, and whose it is.
    ///
    /// ## False positives
    /// Renewal. Servers that have a key for each algorithm, and several machines behind one address,
    /// each with a key of its own: each key counts once. TLS 1.3 hides certificates.
    ///
    /// ## Fix
    /// Ask the operator of the server whether the change was theirs.
    id: "TLS-CERT-CHANGED",
    name: "tls-cert-changed",
    title: "A server shows another certificate than before",
    severity: Info ..= High,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 9325 §6.1", "RFC 5922 §7.1"],
    remediation: "Ask the operator of the server whether the change was theirs.",
    question: None,
    thresholds: ["tls_changed_days"],
    since: "0.2.0",
}

/// Keys of a server that are remembered.
const KEPT: usize = 4;

/// A key that a server showed.
#[derive(Copy, Clone)]
struct Shown {
    key: u64,
    self_signed: bool,
    at: Ts,
}

/// What a server showed lately to those who asked for one name, the last first.
#[derive(Default)]
struct Server([Option<Shown>; KEPT]);

impl Server {
    /// Notes a key; the one shown last before, if this one is new to a server that has shown others.
    fn show(&mut self, shown: Shown, lately: Span) -> Option<Shown> {
        let is_old = |before: &Shown| shown.at.since(before.at) > lately;
        let before = self.0.iter().flatten().find(|before| !is_old(before)).copied();
        let same = |place: &Option<Shown>| place.is_some_and(|known| known.key == shown.key);
        let place = self.0.iter().position(same);
        let known =
            place.and_then(|place| self.0.get(place)?.as_ref()).is_some_and(|it| !is_old(it));
        let end = place.map_or(KEPT, |place| place.saturating_add(1));
        if let Some(places) = self.0.get_mut(..end) {
            places.rotate_right(1);
        }
        let [first, ..] = &mut self.0;
        *first = Some(shown);
        before.filter(|_| !known)
    }
}

/// The rule at work.
pub(crate) struct CertChanged {
    /// By a hash of the server and the name that it was asked for by.
    servers: HashMap<u64, Server, FixedState>,
    /// For how long keys are remembered.
    lately: Span,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> CertChanged {
    let days = i64::try_from(policy.thresholds.tls.tls_changed_days).unwrap_or(i64::MAX);
    let lately = Span::from_secs(days.saturating_mul(86_400));
    CertChanged { servers: HashMap::default(), lately, cap: policy.limits.peers, evicted: 0 }
}

impl Detector for CertChanged {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let signalling = !seen.is_for_media();
        let Some(own) = seen.read.chain.first().filter(|_| signalling) else { return };
        let server = seen.record.server;
        let name = seen.record.sni.as_deref().map(str::to_ascii_lowercase);
        let asked = stable_hash(&(server, name));
        if self.servers.len() >= self.cap && !self.servers.contains_key(&asked) {
            self.evicted = self.evicted.saturating_add(1);
            return;
        }
        let (key, self_signed) = (own.key_hash, own.self_signed);
        let shown = Shown { key, self_signed, at: seen.record.start };
        let known = self.servers.entry(asked).or_default().show(shown, self.lately);
        let Some(before) = known else { return };
        let worse = own.self_signed && !before.self_signed;
        let severity = if worse { Severity::High } else { Severity::Info };
        let sighting =
            Sighting::new(&META, seen.pair, Place::Certificate.of(seen)).severity(severity);
        sink.sighting(sighting, |_| {
            let how = if worse { ", which signed itself" } else { "" };
            (sentence!("{server} shows another key, {}{how}", Named(own)), None)
        })
        .handshake(seen.key);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "change"));
        Words {
            summary: sentence!("{count} of a server's key between {of}."),
            parameters: vec![("changes", Figure::Count(entry.count))],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_keys", self.evicted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows keys at days, and says which of them were news.
    fn news(shown: &[(u64, i64)]) -> Vec<u64> {
        let mut server = Server::default();
        let news = shown.iter().filter(|(key, day)| {
            let at = Ts::from_nanos(day * 86_400 * 1_000_000_000);
            let shown = Shown { key: *key, self_signed: false, at };
            server.show(shown, Span::from_secs(30 * 86_400)).is_some()
        });
        news.map(|(key, _)| *key).collect()
    }

    #[test]
    fn keys_that_take_turns_are_news_once() {
        assert_eq!(news(&[(1, 0), (2, 0), (1, 1), (2, 1), (1, 2)]), [2]);
        assert_eq!(
            news(&[(1, 0), (2, 0), (3, 0), (4, 0), (1, 1), (5, 1), (2, 1)]),
            [2, 3, 4, 5, 2]
        );
    }

    #[test]
    fn what_was_shown_long_ago_is_forgotten() {
        assert!(news(&[(1, 0), (2, 40)]).is_empty(), "nothing of the last 30 days");
        assert_eq!(news(&[(1, 0), (2, 20), (1, 40)]), [2, 1]);
    }
}
