//! Digest authentication: what a server asks for and what a client gives away (RFC 8760, RFC 7616).

pub(super) mod basic;
pub(super) mod md5_only;
pub(super) mod no_qop;

#[cfg(test)]
mod tests;

use overhear_parsers::sip::auth::{Auth, AuthScheme};

use super::rule::Interest;
use super::seen::SipSeen;

/// What every rule of this family advises.
const FIX: &str = "Use TLS, SHA-256 digest with qop=auth, short nonces with nc checking, long random secrets; never Basic.";

/// Every challenge of a response; none for a request.
fn challenges<'s, 'a>(seen: &'s SipSeen<'a>) -> impl Iterator<Item = &'s Auth<'a>> {
    seen.auths().filter(|_| seen.kind.meets(Interest::CHALLENGE))
}

/// Every set of credentials of a request; none for a response.
pub(super) fn credentials<'s, 'a>(seen: &'s SipSeen<'a>) -> impl Iterator<Item = &'s Auth<'a>> {
    seen.auths().filter(|_| seen.kind.meets(Interest::CREDENTIALS))
}

/// Whether all digests of a request are made with SHA-256 or SHA-512-256; `None` without a digest.
pub(super) fn digest_is_strong(seen: &SipSeen<'_>) -> Option<bool> {
    let mut digests = credentials(seen).filter(|auth| is_digest(auth)).map(Algorithm::of);
    let first = digests.next()? == Algorithm::Sha2;
    Some(first && digests.all(|algorithm| algorithm == Algorithm::Sha2))
}

/// The hash of a digest challenge or of digest credentials.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// MD5, said or implied (RFC 7616 §3.3).
    Md5,
    /// MD5-sess.
    Md5Session,
    /// SHA-256 or SHA-512-256, with or without `-sess`.
    Sha2,
    /// Anything else, AKA among them.
    Other,
}

impl Algorithm {
    pub(super) const ALL: [Self; 4] = [Self::Md5, Self::Md5Session, Self::Sha2, Self::Other];

    pub(super) fn of(auth: &Auth<'_>) -> Self {
        let Some(text) = auth.algorithm() else { return Self::Md5 };
        let is = |name: &[u8]| text.eq_ignore_ascii_case(name);
        if is(b"MD5") {
            Self::Md5
        } else if is(b"MD5-sess") {
            Self::Md5Session
        } else if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SHA-")) {
            Self::Sha2
        } else {
            Self::Other
        }
    }

    pub(super) const fn is_md5(self) -> bool {
        matches!(self, Self::Md5 | Self::Md5Session)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Session => "MD5-sess",
            Self::Sha2 => "SHA-2",
            Self::Other => "other",
        }
    }

    /// One bit, for a set of algorithms.
    pub(super) const fn bit(self) -> u64 {
        match self {
            Self::Md5 => 1,
            Self::Md5Session => 2,
            Self::Sha2 => 4,
            Self::Other => 8,
        }
    }
}

/// Whether these are digest credentials or a digest challenge.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what a filter asks for")]
pub(super) fn is_digest(auth: &&Auth<'_>) -> bool {
    auth.scheme == AuthScheme::Digest
}
