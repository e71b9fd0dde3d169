//! What the rules about ZRTP Hello packets share: whether what SDP announced is what came
//! (RFC 6189 §8.1).

use super::super::rule::{Detector, Meta, Words};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::correlate::zrtp::HelloHash;
use crate::model::finding::Figure;

/// A rule about Hello packets at work.
pub(crate) struct Hellos {
    pub(super) meta: &'static Meta,
    /// What has to be so of a Hello.
    pub(super) hash: HelloHash,
    /// What a piece of evidence says of it.
    pub(super) says: &'static str,
    /// What the finding says, before the number of calls.
    pub(super) summary: &'static str,
}

impl Detector for Hellos {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let &MediaSeen::Hello { src, dst, at, call, announced } = seen else { return };
        if announced != self.hash {
            return;
        }
        let sighting = Sighting::new(self.meta, Subject::pair(src.addr, dst.addr), at)
            .kind(u32::from(src.addr <= dst.addr));
        let evidence = || sentence!("ZRTP Hello {src} to {dst}; {}", self.says);
        sink.sighting(sighting, |_| (evidence(), None)).call(Some(call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (calls, of) = (plural(entry.calls, "call"), entry.subject.spoken());
        Words {
            summary: sentence!("{} in {calls} between {of}.", self.summary),
            parameters: vec![
                ("calls", Figure::Count(entry.calls)),
                ("hellos", Figure::Count(entry.count)),
            ],
        }
    }
}
