//! Grouping of media (RFC 5888) and what stands on it: BUNDLE (RFC 9143), LS and FID of RFC 5888, and
//! others by their name. Which media share a port is said by an answer; an offer only proposes it.

use super::{Media, Session, attributes};
use crate::cursor::{is_lws, word};

/// Groups of one description that are read.
pub const MAX_GROUPS: usize = 32;

/// One `a=group`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// `BUNDLE`, `LS`, `FID` and so on, as written; they are case-sensitive.
    pub semantics: &'a [u8],
    tags: &'a [u8],
}

impl<'a> Group<'a> {
    /// Reads what follows `group:`; `None` without semantics.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (semantics, tags) = word(value);
        (!semantics.is_empty()).then_some(Self { semantics, tags })
    }

    /// The identification tags of its media, in order; in a BUNDLE the first names the port.
    pub fn mids(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let words = self.tags.split(|&octet| is_lws(octet));
        words.filter(|word| !word.is_empty()).take(super::MAX_MEDIA)
    }

    /// True if the media share one transport.
    pub fn is_bundle(&self) -> bool {
        self.semantics == b"BUNDLE"
    }

    /// True if the medium of this tag is in the group.
    pub fn has(&self, mid: &[u8]) -> bool {
        self.mids().any(|other| other == mid)
    }
}

impl<'a> Session<'a> {
    /// The groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = Group<'a>> + use<'a> {
        attributes(self.head, b"group").take(MAX_GROUPS).filter_map(Group::parse)
    }

    /// The group of media that share one transport with the medium of this tag, if there is one.
    pub fn bundle_of(&self, mid: &[u8]) -> Option<Group<'a>> {
        self.groups().find(|group| group.is_bundle() && group.has(mid))
    }
}

impl<'a> Media<'a> {
    /// The identification tag (RFC 5888 §4).
    pub fn mid(&self) -> Option<&'a [u8]> {
        attributes(self.section, b"mid").next().filter(|mid| !mid.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    const TEXT: &[u8] = b"v=0\r\na=group:BUNDLE 0  v1\r\na=group:LS 0 v1 x\r\na=group:\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:v1\r\na=bundle-only\r\n\
        m=application 7 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:\r\n";

    #[test]
    fn media_are_found_in_their_groups() {
        let session = parse(TEXT);
        let groups: Vec<_> = session.groups().collect();
        assert_eq!((groups.len(), groups[0].is_bundle(), groups[1].is_bundle()), (2, true, false));
        assert_eq!(groups[0].mids().collect::<Vec<_>>(), [&b"0"[..], b"v1"]);
        let mids: Vec<_> = session.media().map(|media| media.mid()).collect();
        assert_eq!(mids, [Some(&b"0"[..]), Some(b"v1"), None]);
        assert_eq!(session.bundle_of(b"v1"), Some(groups[0]));
        assert_eq!(session.bundle_of(b"x"), None);
        assert!(!session.media().nth(1).unwrap().is_refused());
    }
}
