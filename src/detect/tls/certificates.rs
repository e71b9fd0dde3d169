//! Certificates that were sent in clear, up to TLS 1.2: keys, signatures, times and names (RFC 9325 §4.5,
//! RFC 5280, RFC 5922 §7). Those of DTLS media sign themselves, live briefly and name nobody (RFC 8122);
//! only their keys are judged.

use std::sync::Arc;

use overhear_parsers::tls::certificate::Key;
use overhear_parsers::tls::registry::Hash;

use super::{Detail, HandshakeSeen, Place, Sight, rows};
use crate::correlate::certificates::Known;
use crate::correlate::sip_identity::{Fit, has_wildcards_only};
use crate::correlate::trust::{Chain, Fault};
use crate::detect::shows::Shows;
use crate::model::finding::Severity;
use crate::model::handshake::Outcome;

const DAY: i64 = 86_400;

rows! {
    cert_sig_sha1 {
        id: "TLS-CERT-SIG-SHA1",
        name: "tls-cert-sig-sha1",
        title: "A certificate signed with SHA-1",
        severity: High ..= High,
        detects: "SHA-1 in the signature of a peer's own certificate, or of one behind it that is no root.",
        matters: "Collisions of SHA-1 are affordable: somebody could hold a certificate for the same name.",
        false_positives: "Roots that came along sign themselves and do not count.",
        fix: "Have the certificate issued again with SHA-256.",
        references: ["RFC 9155 §2", "RFC 9325 §4.5"],
        thresholds: [],
        looks_for: Shows::CERTIFICATES,
        test: |seen, _| signed_with(seen, Hash::Sha1, Severity::High, "signed with SHA-1"),
    }
    cert_sig_md5 {
        id: "TLS-CERT-SIG-MD5",
        name: "tls-cert-sig-md5",
        title: "A certificate signed with MD5",
        severity: Critical ..= Critical,
        detects: "MD5 or MD2 in the signature of a peer's own certificate, or of one behind it that is no root.",
        matters: "Forged authorities have been made from such signatures.",
        false_positives: "Roots that came along sign themselves and do not count.",
        fix: "Have the certificate issued again with SHA-256.",
        references: ["RFC 6151 §2", "RFC 9325 §4.5"],
        thresholds: [],
        looks_for: Shows::CERTIFICATES,
        test: |seen, _| signed_with(seen, Hash::Md5, Severity::Critical, "signed with MD5"),
    }
    cert_rsa_small {
        id: "TLS-CERT-RSA-SMALL",
        name: "tls-cert-rsa-small",
        title: "A certificate with a short RSA key",
        severity: High ..= Critical,
        detects: "An RSA key of fewer than 2,048 bits in a peer's own certificate, or in one behind it that is no root; critical below 1,024.",
        matters: "Keys to 829 bits have been factored in public; 1,024 is in reach of a state. Who has the key is the server.",
        false_positives: "None known.",
        fix: "Make a new key of at least 2,048 bits, or on P-256.",
        references: ["RFC 9325 §4.5"],
        thresholds: ["tls_key_bits", "tls_broken_bits"],
        looks_for: Shows::CERTIFICATES,
        test: |seen, thresholds| relied_on(seen).find_map(|known| {
            let Key::Rsa { bits, .. } = known.says.key else { return None };
            let [key, broken] = [thresholds.tls.tls_key_bits, thresholds.tls.tls_broken_bits];
            let severity = if u64::from(bits) < broken { Severity::Critical } else { Severity::High };
            let what = Detail::Key("an RSA key", bits, known);
            (u64::from(bits) < key).then(|| Sight::agreed(severity, what).at(place(seen, known)))
        }),
    }
    cert_ec_small {
        id: "TLS-CERT-EC-SMALL",
        name: "tls-cert-ec-small",
        title: "A certificate with a key on a weak curve",
        severity: High ..= High,
        detects: "A key on a curve of fewer than 224 bits in a peer's own certificate, or in one behind it that is no root.",
        matters: "Curves of 160 to 193 bits are within reach.",
        false_positives: "None known.",
        fix: "Make a new key on P-256.",
        references: ["RFC 9325 §4.5"],
        thresholds: ["tls_curve_bits"],
        looks_for: Shows::CERTIFICATES,
        test: |seen, thresholds| relied_on(seen).find_map(|known| {
            let Key::Ec { bits } = known.says.key else { return None };
            let weak = (1..thresholds.tls.tls_curve_bits).contains(&bits.into());
            let what = Detail::Key("a key on a curve", bits.into(), known);
            weak.then(|| Sight::agreed(Severity::High, what).at(place(seen, known)))
        }),
    }
    cert_rsa_exp {
        id: "TLS-CERT-RSA-EXP",
        name: "tls-cert-rsa-exp",
        title: "A certificate with an odd RSA exponent",
        severity: Low ..= Critical,
        detects: "An RSA exponent of 1 (critical), an even one (high), or one below 65,537 (low), in a peer's own certificate or in one behind it that is no root.",
        matters: "With 1 there is no encryption and any signature verifies; even ones are no RSA; small ones forgive no mistakes in padding.",
        false_positives: "3 and 17 are legal and were usual.",
        fix: "Make a new key with the exponent 65,537.",
        references: ["RFC 8017 §3.1"],
        thresholds: ["tls_exponent"],
        looks_for: Shows::CERTIFICATES,
        test: |seen, thresholds| relied_on(seen).find_map(|known| {
            let Key::Rsa { exponent: Some(exponent), .. } = known.says.key else { return None };
            let severity = match exponent {
                1 => Severity::Critical,
                _ if exponent % 2 == 0 => Severity::High,
                _ if exponent < thresholds.tls.tls_exponent => Severity::Low,
                _ => return None,
            };
            Some(about(seen, severity, "odd exponent", known))
        }),
    }
    cert_expired {
        id: "TLS-CERT-EXPIRED",
        name: "tls-cert-expired",
        title: "A certificate that has expired",
        severity: High ..= High,
        detects: "A capture time more than an hour after the end of a certificate's validity.",
        matters: "A peer that goes on with it checks nothing, and accepts a forged one as well.",
        false_positives: "A sensor whose clock is wrong.",
        fix: "Renew the certificate; let the peer refuse expired ones.",
        references: ["RFC 5280 §4.1.2.5"],
        thresholds: ["tls_skew_s"],
        looks_for: Shows::CERTIFICATES,
        test: |seen, thresholds| {
            let now = seconds(seen).saturating_sub(signed(thresholds.tls.tls_skew_s));
            let old = named(seen).find(|known| now > known.says.not_after)?;
            Some(about(seen, Severity::High, "expired", old))
        },
        timed: true,
    }
    cert_not_yet {
        id: "TLS-CERT-NOT-YET",
        name: "tls-cert-not-yet",
        title: "A certificate that is not valid yet",
        severity: High ..= High,
        detects: "A capture time more than an hour before the beginning of a certificate's validity.",
        matters: "A peer that goes on with it checks nothing.",
        false_positives: "A sensor whose clock is wrong.",
        fix: "Set the clocks; use the certificate when it is valid.",
        references: ["RFC 5280 §4.1.2.5"],
        thresholds: ["tls_skew_s"],
        looks_for: Shows::CERTIFICATES,
        test: |seen, thresholds| {
            let now = seconds(seen).saturating_add(signed(thresholds.tls.tls_skew_s));
            let new = named(seen).find(|known| now < known.says.not_before)?;
            Some(about(seen, Severity::High, "not valid yet", new))
        },
        timed: true,
    }
    cert_expires_soon {
        id: "TLS-CERT-EXPIRES-SOON",
        name: "tls-cert-expires-soon",
        title: "A certificate that expires soon",
        severity: Low ..= Low,
        detects: "A capture time within the last days of a certificate's validity.",
        matters: "On that day the trunk goes down, or somebody switches the check off.",
        false_positives: "Certificates that are renewed by themselves, shortly before their end.",
        fix: "Renew the certificate.",
        references: ["RFC 5280 §4.1.2.5"],
        thresholds: ["tls_expiry_days"],
        looks_for: Shows::CERTIFICATES,
        test: |seen, thresholds| {
            let (now, days) = (seconds(seen), thresholds.tls_expiry_days.saturating_mul(DAY));
            let soon = named(seen).find(|known| {
                let left = known.says.not_after.saturating_sub(now);
                let whole = known.says.not_after.saturating_sub(known.says.not_before);
                (0..days).contains(&left) && whole > days
            })?;
            Some(about(seen, Severity::Low, "expires soon", soon))
        },
        timed: true,
    }
    cert_long {
        id: "TLS-CERT-LONG",
        name: "tls-cert-long",
        title: "A certificate that is valid for years",
        severity: Low ..= Low,
        detects: "A validity of more than 825 days in the peer's own certificate, or of more than 398 days in one of a public authority.",
        matters: "A key that leaks stays useful for as long.",
        false_positives: "Usual with private authorities. A public one is known by the policies of the CA/Browser Forum.",
        fix: "Issue for a year at most, and renew automatically.",
        references: ["RFC 5280 §4.1.2.5"],
        thresholds: ["tls_private_days", "tls_public_days"],
        looks_for: Shows::CERTIFICATES,
        test: |seen, thresholds| leaves(seen).find_map(|known| {
            let length = known.says.not_after.saturating_sub(known.says.not_before);
            let [public, private] = [thresholds.tls.tls_public_days, thresholds.tls.tls_private_days];
            let most = signed(if known.says.is_public { public } else { private });
            let long = is_signalling(seen) && length > most.saturating_mul(DAY);
            long.then(|| about(seen, Severity::Low, "valid for years", known))
        }),
    }
    cert_self_signed {
        id: "TLS-CERT-SELF-SIGNED",
        name: "tls-cert-self-signed",
        title: "A peer that vouches for itself",
        severity: Info ..= High,
        detects: "A server's own certificate, or that of a client which the server took, whose subject and issuer are the same and whose own key made the signature: high over TCP; info for DTLS, where a fingerprint in the signalling vouches for it.",
        matters: "Anybody can make one like it; a peer that accepts it without comparing its fingerprint accepts everybody's.",
        false_positives: "Peers that compare the certificate itself are safe; it cannot be seen. A DTLS certificate is as good as the protection of its fingerprint.",
        fix: "Use a certificate of an authority that the peer knows, or pin this one on the other side.",
        references: ["RFC 5922 §7.1", "RFC 9325 §6.1"],
        thresholds: [],
        looks_for: Shows::CERTIFICATES,
        test: |seen, _| {
            let own = shown(seen).find(|(own, _)| own.self_signed)?.0;
            let severity = if is_signalling(seen) { Severity::High } else { Severity::Info };
            Some(about(seen, severity, "self-signed", own))
        },
    }
    cert_no_san {
        id: "TLS-CERT-NO-SAN",
        name: "tls-cert-no-san",
        title: "A certificate without subjectAltName",
        severity: Medium ..= Medium,
        detects: "A server's own certificate over TCP without the extension subjectAltName.",
        matters: "SIP identities stand there; the common name alone is ambiguous and current software does not look at it.",
        false_positives: "None known.",
        fix: "Have it issued with the SIP domain as a URI and as a DNS name.",
        references: ["RFC 5922 §7.1"],
        thresholds: [],
        looks_for: Shows::CERTIFICATES,
        test: |seen, _| {
            let own = seen.read.chain.first().filter(|own| is_signalling(seen) && own.says.names.is_none())?;
            Some(about(seen, Severity::Medium, "no subjectAltName", own))
        },
    }
    cert_untrusted {
        id: "TLS-CERT-UNTRUSTED",
        name: "tls-cert-untrusted",
        title: "A certificate of no authority that is trusted",
        severity: Info ..= High,
        detects: "A server over TCP, or a client that the server took, whose certificates do not lead to one of the authorities given with --ca. Without that option nothing is judged, which is said (info) of a peer that shows a certificate of some authority.",
        matters: "A client that goes on with it checks nothing, and accepts a forged one as well.",
        false_positives: "Authorities that the client knows and that were not given. Signatures of algorithms that cannot be verified here are taken at their word.",
        fix: "Use a certificate of an authority that the peer knows; let clients check.",
        references: ["RFC 5922 §7.1", "RFC 5280 §6.1"],
        thresholds: [],
        looks_for: Shows::CERTIFICATES,
        test: |seen, _| {
            let mut both = shown(seen).filter(|_| is_signalling(seen));
            both.find_map(|(own, chain)| {
                let (severity, word) = match chain.anchored {
                    Some(true) => return None,
                    Some(false) => (Severity::High, "no trusted authority"),
                    None if own.self_signed => return None,
                    None => (Severity::Info, "not evaluated: no authorities were given"),
                };
                Some(about(seen, severity, word, own))
            })
        },
    }
    cert_chain_incomplete {
        id: "TLS-CERT-CHAIN-INCOMPLETE",
        name: "tls-cert-chain-incomplete",
        title: "Certificates are missing or out of order",
        severity: Low ..= Low,
        detects: "A server over TCP, or a client that the server took, that sends certificates of which one does not certify the one before it; or, where authorities were given with --ca, whose last one was issued by somebody who is neither sent nor given.",
        matters: "Peers that do not fetch or sort certificates refuse these, and somebody switches the check off.",
        false_positives: "TLS 1.3 and current clients put up with another order.",
        fix: "Send the peer's own certificate first, then each issuer's in turn, up to the one below the root.",
        references: ["RFC 5246 §7.4.2", "RFC 8446 §4.4.2"],
        thresholds: [],
        looks_for: Shows::CERTIFICATES,
        test: |seen, _| {
            shown(seen).filter(|_| is_signalling(seen)).find_map(|(own, chain)| {
                let what = match chain.fault? {
                    Fault::Order => "issuers out of order",
                    Fault::Missing => "an issuer is missing",
                };
                Some(about(seen, Severity::Low, what, own))
            })
        },
    }
    cert_wildcard {
        id: "TLS-CERT-WILDCARD",
        name: "tls-cert-wildcard",
        title: "A certificate that matches by a wildcard only",
        severity: Medium ..= Medium,
        detects: "A server's own certificate of which only a name with an asterisk fits the name that the client asked for; where it asked for none, one that has no names but those with an asterisk.",
        matters: "SIP does not allow it: a server of one subdomain could stand in for all.",
        false_positives: "Web software accepts it.",
        fix: "Have it issued for the SIP domain itself.",
        references: ["RFC 5922 §7.2"],
        thresholds: [],
        looks_for: Shows::CERTIFICATES,
        test: |seen, _| {
            let own = seen.read.chain.first().filter(|_| is_signalling(seen))?;
            let only = seen.read.fit.map_or_else(|| has_wildcards_only(own), |fit| fit == Fit::Wildcard);
            only.then(|| about(seen, Severity::Medium, "a wildcard", own))
        },
    }
    cert_eku {
        id: "TLS-CERT-EKU",
        name: "tls-cert-eku",
        title: "A certificate made for another purpose",
        severity: Low ..= Low,
        detects: "A server's own certificate over TCP whose extKeyUsage holds neither serverAuth, nor any, nor id-kp-sipDomain; a client's without clientAuth likewise.",
        matters: "Peers that check the purpose will refuse it; those that do not check little else.",
        false_positives: "None known.",
        fix: "Have it issued for serverAuth and, between servers, clientAuth.",
        references: ["RFC 5922 §7.1", "RFC 5924 §5"],
        thresholds: [],
        looks_for: Shows::CERTIFICATES,
        test: |seen, _| {
            let ends = [(seen.read.chain.first(), true), (seen.read.client_chain.first(), false)];
            let mut ends = ends.into_iter().filter(|_| is_signalling(seen));
            ends.find_map(|(own, serves)| {
                let (own, usage) = (own?, own?.says.usage?);
                let meant = if serves { usage.server } else { usage.client };
                let other = !(meant || usage.any || usage.sip_domain);
                other.then(|| about(seen, Severity::Low, "another purpose", own))
            })
        },
    }
}

fn is_signalling(seen: &HandshakeSeen<'_>) -> bool {
    !seen.is_for_media()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Something about one of the certificates.
fn about<'a>(
    seen: &HandshakeSeen<'a>,
    severity: Severity,
    word: &'static str,
    known: &'a Known,
) -> Sight<'a> {
    Sight::agreed(severity, Detail::Certificate(word, known)).at(place(seen, known))
}

/// Whose message a certificate stood in; the server's, if both showed it.
fn place(seen: &HandshakeSeen<'_>, known: &Known) -> Place {
    let served = seen.read.chain.iter().any(|sent| std::ptr::eq(sent.as_ref(), known));
    if served { Place::Certificate } else { Place::ClientCertificate }
}

/// The server's own certificate and the client's.
fn leaves<'a>(seen: &HandshakeSeen<'a>) -> impl Iterator<Item = &'a Known> {
    let read = seen.read;
    read.chain.first().into_iter().chain(read.client_chain.first()).map(AsRef::as_ref)
}

/// The server's own certificate, and the client's if the server took it, each with what is to be said of
/// what was sent with it.
fn shown<'a>(seen: &HandshakeSeen<'a>) -> impl Iterator<Item = (&'a Known, Chain)> {
    let (read, taken) = (seen.read, seen.record.outcome == Outcome::Completed);
    let server = read.chain.first().map(|own| (own.as_ref(), read.chain_says));
    let client = read.client_chain.first().filter(|_| taken);
    server.into_iter().chain(client.map(|own| (own.as_ref(), read.client_chain_says)))
}

/// Both sides' own certificates and those behind them, without roots: nobody relies on a root because
/// it came along, nor on its signature of itself.
fn relied_on<'a>(seen: &HandshakeSeen<'a>) -> impl Iterator<Item = &'a Known> {
    let both = [&seen.read.chain, &seen.read.client_chain];
    let all = both.into_iter().flat_map(|chain| chain.iter().enumerate());
    let counts = |(place, known): &(usize, &Arc<Known>)| *place == 0 || !known.says.names_itself;
    all.filter(counts).map(|(_, known)| known.as_ref())
}

/// All certificates over TCP: those that name somebody.
fn named<'a>(seen: &HandshakeSeen<'a>) -> impl Iterator<Item = &'a Known> {
    let (read, counts) = (seen.read, is_signalling(seen));
    read.chain.iter().chain(&read.client_chain).map(AsRef::as_ref).filter(move |_| counts)
}

/// Seconds since 1970 at which the handshake began.
fn seconds(seen: &HandshakeSeen<'_>) -> i64 {
    seen.record.start.nanos().div_euclid(1_000_000_000)
}

fn signed_with<'a>(
    seen: &HandshakeSeen<'a>,
    hash: Hash,
    severity: Severity,
    word: &'static str,
) -> Option<Sight<'a>> {
    let weak = |known: &&Known| known.says.signature_hash == hash && is_signalling(seen);
    relied_on(seen).find(weak).map(|found| about(seen, severity, word, found))
}
