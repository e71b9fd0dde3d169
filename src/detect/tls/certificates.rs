//! Certificates that were sent in clear, up to TLS 1.2: keys, signatures, times and names (RFC 9325 §4.5,
//! RFC 5280, RFC 5922 §7). Those of DTLS media sign themselves, live briefly and name nobody (RFC 8122);
//! only their keys are judged.

use overhear_parsers::tls::certificate::{Key, Name};
use overhear_parsers::tls::registry::Hash;

use super::{Detail, HandshakeSeen, Sight, rows};
use crate::correlate::certificates::Known;
use crate::model::finding::{Confidence, Severity};
use crate::model::record::HandshakeKind;

/// Seconds by which a sensor's clock may be off.
const SKEW: i64 = 3_600;
const DAY: i64 = 86_400;
/// Days for which a public authority may issue; private ones are given more.
const LONG_DAYS: i64 = 825;

rows! {
    cert_sig_sha1 {
        id: "TLS-CERT-SIG-SHA1",
        name: "tls-cert-sig-sha1",
        title: "A certificate signed with SHA-1",
        severity: High ..= High,
        detects: "SHA-1 in the signature of a certificate that did not sign itself.",
        matters: "Collisions of SHA-1 are affordable: somebody could hold a certificate for the same name.",
        false_positives: "Roots that came along sign themselves and do not count.",
        fix: "Have the certificate issued again with SHA-256.",
        references: ["RFC 9155 §2", "RFC 9325 §4.5"],
        thresholds: [],
        test: |seen, _| signed_with(seen, Hash::Sha1, Severity::High, "signed with SHA-1"),
    }
    cert_sig_md5 {
        id: "TLS-CERT-SIG-MD5",
        name: "tls-cert-sig-md5",
        title: "A certificate signed with MD5",
        severity: Critical ..= Critical,
        detects: "MD5 or MD2 in the signature of a certificate that did not sign itself.",
        matters: "Forged authorities have been made from such signatures.",
        false_positives: "Roots that came along sign themselves and do not count.",
        fix: "Have the certificate issued again with SHA-256.",
        references: ["RFC 6151 §2", "RFC 9325 §4.5"],
        thresholds: [],
        test: |seen, _| signed_with(seen, Hash::Md5, Severity::Critical, "signed with MD5"),
    }
    cert_rsa_small {
        id: "TLS-CERT-RSA-SMALL",
        name: "tls-cert-rsa-small",
        title: "A certificate with a short RSA key",
        severity: High ..= Critical,
        detects: "An RSA key of fewer than 2,048 bits in the peer's own certificate; critical below 1,024.",
        matters: "Keys to 829 bits have been factored in public; 1,024 is in reach of a state. Who has the key is the server.",
        false_positives: "None known.",
        fix: "Make a new key of at least 2,048 bits, or on P-256.",
        references: ["RFC 9325 §4.5"],
        thresholds: [],
        test: |seen, _| leaves(seen).find_map(|known| {
            let Key::Rsa { bits, .. } = known.says.key else { return None };
            let severity = if bits < 1_024 { Severity::Critical } else { Severity::High };
            (bits < 2_048).then_some(Sight::agreed(severity, Detail::Bits("an RSA key", bits)))
        }),
    }
    cert_ec_small {
        id: "TLS-CERT-EC-SMALL",
        name: "tls-cert-ec-small",
        title: "A certificate with a key on a weak curve",
        severity: High ..= High,
        detects: "A key on a curve of fewer than 224 bits in the peer's own certificate.",
        matters: "Curves of 160 to 193 bits are within reach.",
        false_positives: "None known.",
        fix: "Make a new key on P-256.",
        references: ["RFC 9325 §4.5"],
        thresholds: [],
        test: |seen, _| leaves(seen).find_map(|known| {
            let Key::Ec { bits: bits @ 1..224 } = known.says.key else { return None };
            Some(Sight::agreed(Severity::High, Detail::Bits("a key on a curve", bits.into())))
        }),
    }
    cert_rsa_exp {
        id: "TLS-CERT-RSA-EXP",
        name: "tls-cert-rsa-exp",
        title: "A certificate with an odd RSA exponent",
        severity: Low ..= Critical,
        detects: "An RSA exponent of 1 (critical), an even one (high), or one below 65,537 (low).",
        matters: "With 1 there is no encryption and any signature verifies; even ones are no RSA; small ones forgive no mistakes in padding.",
        false_positives: "3 and 17 are legal and were usual.",
        fix: "Make a new key with the exponent 65,537.",
        references: ["RFC 8017 §3.1"],
        thresholds: [],
        test: |seen, _| leaves(seen).find_map(|known| {
            let Key::Rsa { exponent: Some(exponent), .. } = known.says.key else { return None };
            let severity = match exponent {
                1 => Severity::Critical,
                _ if exponent % 2 == 0 => Severity::High,
                _ if exponent < 65_537 => Severity::Low,
                _ => return None,
            };
            Some(Sight::agreed(severity, Detail::Certificate("odd exponent", &known.says.subject)))
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
        thresholds: [],
        test: |seen, _| {
            let now = seconds(seen);
            let old = named(seen).find(|known| now > known.says.not_after.saturating_add(SKEW))?;
            Some(Sight::agreed(Severity::High, Detail::Certificate("expired", &old.says.subject)))
        },
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
        thresholds: [],
        test: |seen, _| {
            let now = seconds(seen);
            let new = named(seen).find(|known| now < known.says.not_before.saturating_sub(SKEW))?;
            Some(Sight::agreed(Severity::High, Detail::Certificate("not valid yet", &new.says.subject)))
        },
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
        test: |seen, thresholds| {
            let (now, days) = (seconds(seen), thresholds.tls_expiry_days.saturating_mul(DAY));
            let soon = named(seen).find(|known| {
                let left = known.says.not_after.saturating_sub(now);
                let whole = known.says.not_after.saturating_sub(known.says.not_before);
                (0..days).contains(&left) && whole > days
            })?;
            Some(Sight::agreed(Severity::Low, Detail::Certificate("expires soon", &soon.says.subject)))
        },
    }
    cert_long {
        id: "TLS-CERT-LONG",
        name: "tls-cert-long",
        title: "A certificate that is valid for years",
        severity: Low ..= Low,
        detects: "A validity of more than 825 days in the peer's own certificate.",
        matters: "A key that leaks stays useful for as long.",
        false_positives: "Usual with private authorities; public ones issue for at most 398 days.",
        fix: "Issue for a year at most, and renew automatically.",
        references: ["RFC 5280 §4.1.2.5"],
        thresholds: [],
        test: |seen, _| leaves(seen).find_map(|known| {
            let length = known.says.not_after.saturating_sub(known.says.not_before);
            let long = is_signalling(seen) && length > LONG_DAYS * DAY;
            long.then(|| Sight::agreed(Severity::Low, Detail::Certificate("valid for years", &known.says.subject)))
        }),
    }
    cert_self_signed {
        id: "TLS-CERT-SELF-SIGNED",
        name: "tls-cert-self-signed",
        title: "A server that vouches for itself",
        severity: Info ..= High,
        detects: "A server's own certificate whose subject and issuer are the same and whose own key made the signature: high over TCP; info for DTLS, where a fingerprint in the signalling vouches for it.",
        matters: "Anybody can make one like it; a peer that accepts it without comparing its fingerprint accepts everybody's.",
        false_positives: "Peers that compare the certificate itself are safe; it cannot be seen. A DTLS certificate is as good as the protection of its fingerprint.",
        fix: "Use a certificate of an authority that the peer knows, or pin this one on the other side.",
        references: ["RFC 5922 §7.1", "RFC 9325 §6.1"],
        thresholds: [],
        test: |seen, _| {
            let own = seen.read.chain.first().filter(|own| own.self_signed)?;
            let severity = if is_signalling(seen) { Severity::High } else { Severity::Info };
            Some(Sight::agreed(severity, Detail::Certificate("self-signed", &own.says.subject)))
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
        test: |seen, _| {
            let own = seen.read.chain.first().filter(|own| is_signalling(seen) && own.says.names.is_none())?;
            Some(Sight::agreed(Severity::Medium, Detail::Certificate("no subjectAltName", &own.says.subject)))
        },
    }
    cert_name_mismatch {
        id: "TLS-CERT-NAME-MISMATCH",
        name: "tls-cert-name-mismatch",
        title: "A certificate for somebody else",
        severity: High ..= High,
        detects: "A server's own certificate none of whose identities is the name that the client asked for in server_name, compared as SIP demands: whole names, no wildcards.",
        matters: "A client that goes on with it would go on with anybody's.",
        false_positives: "Without server_name nothing is compared.",
        fix: "Have it issued for the SIP domain; let clients check.",
        references: ["RFC 5922 §7.1", "RFC 5922 §7.2", "RFC 5922 §7.3"],
        thresholds: [],
        test: |seen, _| {
            let (own, wanted) = compared(seen)?;
            let wrong = !identities(own).iter().any(|name| name.eq_ignore_ascii_case(wanted));
            (wrong && !wildcard(own, wanted))
                .then(|| Sight::agreed(Severity::High, Detail::Certificate("another name", &own.says.subject)))
        },
    }
    cert_wildcard {
        id: "TLS-CERT-WILDCARD",
        name: "tls-cert-wildcard",
        title: "A certificate that matches by a wildcard only",
        severity: Medium ..= Medium,
        detects: "A server's own certificate of which only a name with an asterisk fits the name that the client asked for.",
        matters: "SIP does not allow it: a server of one subdomain could stand in for all.",
        false_positives: "Web software accepts it.",
        fix: "Have it issued for the SIP domain itself.",
        references: ["RFC 5922 §7.2"],
        thresholds: [],
        test: |seen, _| {
            let (own, wanted) = compared(seen)?;
            let exact = identities(own).iter().any(|name| name.eq_ignore_ascii_case(wanted));
            (!exact && wildcard(own, wanted))
                .then(|| Sight::agreed(Severity::Medium, Detail::Certificate("a wildcard", &own.says.subject)))
        },
    }
    cert_eku {
        id: "TLS-CERT-EKU",
        name: "tls-cert-eku",
        title: "A certificate made for another purpose",
        severity: Low ..= Low,
        detects: "A server's own certificate over TCP whose extKeyUsage holds neither serverAuth, nor any, nor id-kp-sipDomain.",
        matters: "Peers that check the purpose will refuse it; those that do not check little else.",
        false_positives: "None known.",
        fix: "Have it issued for serverAuth and, between servers, clientAuth.",
        references: ["RFC 5922 §7.1", "RFC 5924 §5"],
        thresholds: [],
        test: |seen, _| {
            let own = seen.read.chain.first().filter(|_| is_signalling(seen))?;
            let usage = own.says.usage?;
            let other = !(usage.server || usage.any || usage.sip_domain);
            other.then(|| Sight::agreed(Severity::Low, Detail::Certificate("another purpose", &own.says.subject)))
        },
    }
}

fn is_signalling(seen: &HandshakeSeen<'_>) -> bool {
    seen.record.kind == HandshakeKind::Tls
}

/// The server's own certificate and the client's.
fn leaves<'a>(seen: &HandshakeSeen<'a>) -> impl Iterator<Item = &'a Known> {
    let read = seen.read;
    read.chain.first().into_iter().chain(read.client_chain.first()).map(AsRef::as_ref)
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
    let weak = |known: &&Known| known.says.signature_hash == hash && !known.says.names_itself;
    let found = named(seen).find(weak)?;
    let sight = Sight::agreed(severity, Detail::Certificate(word, &found.says.subject));
    Some(Sight { confidence: Confidence::Certain, ..sight })
}

/// The server's own certificate and the name that the client asked for.
fn compared<'a>(seen: &HandshakeSeen<'a>) -> Option<(&'a Known, &'a str)> {
    let own = seen.read.chain.first().filter(|_| is_signalling(seen))?;
    Some((own, seen.record.sni.as_deref()?))
}

/// Whom a certificate is for (RFC 5922 §7.1): the hosts of SIP URIs without a user, else DNS names,
/// else, without subjectAltName, the common name.
fn identities(known: &Known) -> Vec<&str> {
    let Some(names) = &known.says.names else {
        return known.says.common_name.as_deref().into_iter().collect();
    };
    let uris: Vec<&str> = names.iter().filter_map(sip_host).collect();
    if uris.is_empty() { names.iter().filter_map(host).collect() } else { uris }
}

fn host(name: &Name) -> Option<&str> {
    match name {
        Name::Dns(host) => Some(host),
        _ => None,
    }
}

/// The host of a SIP URI that names a domain.
fn sip_host(name: &Name) -> Option<&str> {
    let Name::Uri(uri) = name else { return None };
    let (scheme, rest) = uri.split_once(':')?;
    let host = rest.split([';', '?', ':']).next()?;
    (scheme.eq_ignore_ascii_case("sip") && !rest.contains('@')).then_some(host)
}

/// Whether a name with an asterisk for its first label fits.
fn wildcard(known: &Known, wanted: &str) -> bool {
    let Some((_, domain)) = wanted.split_once('.') else { return false };
    let common = known.says.common_name.as_deref().filter(|_| known.says.names.is_none());
    let mut names = known.says.names.iter().flatten().filter_map(host).chain(common);
    names.any(|name| name.strip_prefix("*.").is_some_and(|rest| rest.eq_ignore_ascii_case(domain)))
}
