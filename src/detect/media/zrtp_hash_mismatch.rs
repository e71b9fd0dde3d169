//! `MEDIA-ZRTP-HASH-MISMATCH`: another Hello than the one announced (RFC 6189 §8.1).

use super::super::rule::rule;
use super::zrtp_hello::Hellos;
use crate::correlate::zrtp::HelloHash;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// The SHA-256 of a ZRTP Hello is none of those that the SDP of its sender announced.
    ///
    /// ## Why it matters
    /// Somebody between the parties answers in their place, or replaced the SDP: the keys may be shared
    /// with him.
    ///
    /// ## Evidence
    /// The first such Hello of each side.
    ///
    /// ## False positives
    /// A gateway that ends ZRTP and passes the SDP on unchanged. Only 64 bits are compared; they differ
    /// only if the hashes do.
    ///
    /// ## Fix
    /// Compare the spoken authentication string, and find out what stands between the parties.
    id: "MEDIA-ZRTP-HASH-MISMATCH",
    name: "media-zrtp-hash-mismatch",
    title: "Somebody may sit between two ZRTP parties",
    severity: Critical ..= Critical,
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
        hash: HelloHash::Differs,
        says: "its hash is not that of a=zrtp-hash",
        summary: "ZRTP Hello and a=zrtp-hash differ",
    }
}
