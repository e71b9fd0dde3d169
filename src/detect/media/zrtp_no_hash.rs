//! `MEDIA-ZRTP-NO-HASH`: a ZRTP Hello that nothing announced (RFC 6189 §8.1).

use super::super::rule::rule;
use super::zrtp_hello::Hellos;
use crate::correlate::zrtp::HelloHash;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A party of a call sends ZRTP Hello packets, and its SDP has no `a=zrtp-hash`.
    ///
    /// ## Why it matters
    /// Nothing ties the Hello to the signalling: whoever stands in the path can answer with a Hello of his
    /// own, and only the comparison of the spoken authentication string would show it.
    ///
    /// ## Evidence
    /// The first Hello of each side.
    ///
    /// ## False positives
    /// An answer with the hash that was not captured.
    ///
    /// ## Fix
    /// Let endpoints put the hash of their Hello into every offer and answer (RFC 6189 §8.1).
    id: "MEDIA-ZRTP-NO-HASH",
    name: "media-zrtp-no-hash",
    title: "ZRTP is not tied to the signalling",
    severity: Low ..= Low,
    status: Stable,
    wants: [MEDIA],
    references: ["RFC 6189 §8.1"],
    remediation: super::FIX_ZRTP,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

pub(crate) const fn new(_: &Policy) -> Hellos {
    Hellos {
        meta: &META,
        hash: HelloHash::Absent,
        says: "no a=zrtp-hash in the SDP of its sender",
        summary: "ZRTP without a=zrtp-hash",
    }
}
