//! Which certificates were announced for which media address: `a=fingerprint` (RFC 8122 §5) with the
//! address of its m-line and of its ICE candidates, for rules that see the DTLS handshake there.

use std::sync::Arc;

use overhear_parsers::sdp::{Fingerprint, Media, Setup};

use super::lately::Lately;
use crate::correlate::exchange::Statement;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::id::RecordKey;
use crate::model::record::Side;
use crate::policy::Limits;

/// Name of the table in `evicted`.
pub(super) const TABLE: &str = "announced_fingerprints";

/// Fingerprints kept of one m-line, and candidates that they are kept for.
const KEPT: usize = 8;

/// One announced fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The call.
    pub call: RecordKey,
    /// The message.
    pub at: FrameRef,
    /// Whose certificate it is.
    pub side: Side,
    /// What it says of who opens the handshake (RFC 4145 §4).
    pub setup: Option<Setup>,
    /// The hash's name in lower case: `sha-256`.
    pub hash: String,
    /// The hash; empty if it is not written as hexadecimal octets with colons.
    pub digest: Vec<u8>,
}

/// Fingerprints by the media address they were announced for, the latest of each.
#[derive(Debug)]
pub struct Fingerprints {
    by_endpoint: Lately<Endpoint, Arc<[Announced]>>,
}

impl Fingerprints {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { by_endpoint: Lately::new(limits.calls / 4) }
    }

    /// What was announced for the media address `endpoint`; empty if nothing was seen.
    pub fn at(&self, endpoint: Endpoint) -> Arc<[Announced]> {
        self.by_endpoint.get(&endpoint).unwrap_or_default()
    }

    /// Addresses that were forgotten for want of room.
    pub(super) const fn evicted(&self) -> u64 {
        self.by_endpoint.evicted()
    }

    /// Takes in one m-line of a description.
    pub(super) fn note(
        &mut self,
        call: RecordKey,
        statement: &Statement,
        media: &Media<'_>,
        fingerprints: &[Fingerprint<'_>],
    ) {
        if fingerprints.is_empty() || media.port == 0 {
            return;
        }
        let announced: Arc<[Announced]> = fingerprints
            .iter()
            .take(KEPT)
            .map(|of| Announced {
                call,
                at: statement.at,
                side: statement.side,
                setup: media.setup(),
                hash: String::from_utf8_lossy(of.hash).to_ascii_lowercase(),
                digest: octets(of.value),
            })
            .collect();
        let own = media.connection().and_then(|of| of.ip()).map(|ip| (ip, media.port));
        let candidates = media.candidates().filter_map(|of| Some((of.ip()?, of.port)));
        for (ip, port) in own.into_iter().chain(candidates.take(KEPT)) {
            self.by_endpoint.put(Endpoint::new(ip.into(), port), Arc::clone(&announced));
        }
    }
}

/// The fingerprints that a certificate is compared with: those of the strongest hash that was announced
/// and is known here (RFC 8122 §5.1); none if no known one was.
pub(super) fn comparable(all: &[Announced]) -> impl Iterator<Item = &Announced> {
    const STRONGEST_FIRST: [(&str, usize); 4] =
        [("sha-512", 64), ("sha-384", 48), ("sha-256", 32), ("sha-1", 20)];
    let is = |of: &Announced, (hash, octets): (&str, usize)| {
        of.hash == hash && of.digest.len() == octets
    };
    let best = STRONGEST_FIRST.into_iter().find(|known| all.iter().any(|of| is(of, *known)));
    all.iter().filter(move |of| best.is_some_and(|best| is(of, best)))
}

/// `4A:AD:B9` as octets; empty if it is anything else.
fn octets(text: &[u8]) -> Vec<u8> {
    let octet = |pair: &[u8]| match pair {
        [_, _] => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
        _ => None,
    };
    text.split(|octet| *octet == b':').map(octet).collect::<Option<_>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::frame::FrameId;
    use crate::model::id::{Kind, RecordId};

    #[test]
    fn the_strongest_known_hash_is_compared() {
        let first = FrameId { source: 0, number: 1 };
        let call = RecordKey { first, id: RecordId::new(Kind::Call, 1 << 8) };
        let of = |hash: &str, octets: usize| Announced {
            call,
            at: FrameRef::default(),
            side: Side::Caller,
            setup: None,
            hash: hash.to_owned(),
            digest: vec![7; octets],
        };
        let names = |all: &[Announced]| {
            comparable(all).map(|of| of.hash.clone()).collect::<Vec<_>>().join(" ")
        };
        let (sha1, sha256) = (of("sha-1", 20), of("sha-256", 32));
        let short = of("sha-512", 32);
        assert_eq!(names(&[sha1.clone(), sha256.clone(), short, sha256]), "sha-256 sha-256");
        assert_eq!(names(&[of("md5", 16), sha1]), "sha-1");
        assert_eq!(names(&[of("md5", 16)]), "");
    }

    #[test]
    fn fingerprints_are_hexadecimal_octets() {
        assert_eq!(octets(b"4A:ad:09"), [0x4a, 0xad, 9]);
        assert!(
            octets(b"4A:AD:").is_empty() && octets(b"").is_empty() && octets(b"4AAD").is_empty()
        );
    }
}
