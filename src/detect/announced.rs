//! Which certificates were announced for which media address: `a=fingerprint` (RFC 8122 §5) with the
//! address of its m-line and of its ICE candidates, for rules that see the DTLS handshake there.

use std::sync::Arc;

use overhear_parsers::sdp::{Fingerprint, Media};

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

    #[test]
    fn fingerprints_are_hexadecimal_octets() {
        assert_eq!(octets(b"4A:ad:09"), [0x4a, 0xad, 9]);
        assert!(
            octets(b"4A:AD:").is_empty() && octets(b"").is_empty() && octets(b"4AAD").is_empty()
        );
    }
}
