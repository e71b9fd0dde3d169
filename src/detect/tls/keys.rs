//! Key exchanges: primes, curves and signatures up to TLS 1.2, groups in all versions (RFC 9325 §4.5).

use overhear_parsers::tls::client_hello::rank;
use overhear_parsers::tls::extension::SIGNATURE_ALGORITHMS;
use overhear_parsers::tls::key_exchange::{KeyGroup, common_prime};
use overhear_parsers::tls::registry::{self, Hash};

use super::{Detail, HandshakeSeen, Place, Sight, rows};
use crate::detect::shows::Shows;
use crate::model::finding::Severity;

rows! {
    dh_small {
        id: "TLS-DH-SMALL",
        name: "tls-dh-small",
        title: "Diffie-Hellman with a short prime",
        severity: High ..= Critical,
        detects: "A prime of fewer than 2,048 bits in a ServerKeyExchange; critical below 1,024.",
        matters: "Discrete logarithms to 512 bits take minutes and to 1,024 are in reach of a state; a recording opens without any key of the server (Logjam).",
        false_positives: "None known: the bits are counted.",
        fix: "Use elliptic curves, or primes of at least 2,048 bits (ffdhe2048 and up).",
        references: ["RFC 9325 §4.5", "RFC 7919 §5.1"],
        thresholds: ["tls_key_bits", "tls_broken_bits"],
        looks_for: Shows::EXCHANGE,
        test: |seen, thresholds| {
            let bits = seen.read.exchange?.prime_bits()?;
            let [key, broken] = [thresholds.tls.tls_key_bits, thresholds.tls.tls_broken_bits];
            let severity = if u64::from(bits) < broken { Severity::Critical } else { Severity::High };
            let sight = Sight::agreed(severity, Detail::Bits("a prime", bits)).at(Place::Exchange);
            (u64::from(bits) < key).then_some(sight)
        },
    }
    dh_common_prime {
        id: "TLS-DH-COMMON-PRIME",
        name: "tls-dh-common-prime",
        title: "Diffie-Hellman with a short prime that everybody uses",
        severity: Low ..= Low,
        detects: "A prime of at most 1,536 bits that is one of those of RFC 2409 and RFC 3526, or one that came with a web server.",
        matters: "The costly part of breaking such a prime is done once for all servers that use it.",
        false_positives: "The prime is recognised by its length and its first 16 octets.",
        fix: "Use elliptic curves, or primes of at least 2,048 bits.",
        references: ["RFC 9325 §4.5"],
        thresholds: [],
        looks_for: Shows::EXCHANGE,
        test: |seen, _| {
            let KeyGroup::Prime(prime) = seen.read.exchange?.group else { return None };
            let name = common_prime(prime)?;
            Some(Sight::agreed(Severity::Low, Detail::Word(name)).at(Place::Exchange))
        },
    }
    curve_weak {
        id: "TLS-CURVE-WEAK",
        name: "tls-curve-weak",
        title: "A key exchange over a weak curve",
        severity: Medium ..= High,
        detects: "A group with fewer than 224 bits, or a curve that the server describes itself; agreed on, or offered.",
        matters: "Curves of 160 to 193 bits are within reach; a curve of the server's own making can be one with a back door.",
        false_positives: "None known.",
        fix: "Offer and accept x25519, secp256r1 and secp384r1.",
        references: ["RFC 9325 §4.5", "RFC 8422 §5.1.1"],
        thresholds: ["tls_curve_bits"],
        test: |seen, thresholds| {
            let least = thresholds.tls.tls_curve_bits;
            let weak =
                |group: u16| registry::group_bits(group).is_some_and(|bits| u64::from(bits) < least);
            let explicit = seen.read.exchange.is_some_and(|it| it.group == KeyGroup::Explicit);
            if explicit {
                let what = Detail::Word("a curve of its own");
                return Some(Sight::agreed(Severity::High, what).at(Place::Exchange));
            }
            if let Some(group) = seen.read.group().filter(|group| weak(*group)) {
                let sight = Sight::agreed(Severity::High, Detail::Group(group));
                return Some(sight.at(Place::Exchange));
            }
            let group = seen.read.hello?.groups.meant().find(|group| weak(*group))?;
            Some(Sight::offered(Severity::High, Detail::Group(group)))
        },
    }
    point_format {
        id: "TLS-POINT-FORMAT",
        name: "tls-point-format",
        title: "Compressed points of elliptic curves are offered",
        severity: Info ..= Info,
        detects: "ec_point_formats with anything but uncompressed.",
        matters: "Withdrawn; it shows old software.",
        false_positives: "OpenSSL offered them until version 3.",
        fix: "Nothing by itself; update the software.",
        references: ["RFC 8422 §5.1.2"],
        thresholds: [],
        test: |seen, _| {
            let other = seen.read.hello?.point_formats.iter().any(|format| *format != 0);
            other.then_some(Sight::offered(Severity::Info, Detail::Word("compressed points")))
        },
    }
    ske_sha1 {
        id: "TLS-SKE-SHA1",
        name: "tls-ske-sha1",
        title: "A handshake signed with SHA-1",
        severity: High ..= High,
        detects: "SHA-1 as the hash of a signature of TLS 1.2, in ServerKeyExchange or CertificateVerify.",
        matters: "Collisions of SHA-1 are affordable: who is on the path could pass off the other side's key as its own.",
        false_positives: "None known. TLS 1.1 and older sign with SHA-1 always; their own rules speak of them.",
        fix: "Remove SHA-1 from the signature algorithms of both ends.",
        references: ["RFC 9155 §2", "RFC 9325 §4.5"],
        thresholds: [],
        looks_for: Shows::SIGNATURE,
        test: |seen, _| signed_with(seen, Hash::Sha1, Severity::High),
    }
    ske_md5 {
        id: "TLS-SKE-MD5",
        name: "tls-ske-md5",
        title: "A handshake signed with MD5",
        severity: Critical ..= Critical,
        detects: "MD5 as the hash of a signature of TLS 1.2, in ServerKeyExchange or CertificateVerify.",
        matters: "Collisions of MD5 take seconds (SLOTH).",
        false_positives: "None known.",
        fix: "Remove MD5 from the signature algorithms of both ends.",
        references: ["RFC 9155 §2", "RFC 9325 §4.5"],
        thresholds: [],
        looks_for: Shows::SIGNATURE,
        test: |seen, _| signed_with(seen, Hash::Md5, Severity::Critical),
    }
    sigalg_missing {
        id: "TLS-SIGALG-MISSING",
        name: "tls-sigalg-missing",
        title: "A client does not say which signatures it accepts",
        severity: Low ..= Low,
        detects: "A ClientHello of TLS 1.2 without signature_algorithms.",
        matters: "The server then has to sign with SHA-1.",
        false_positives: "None known.",
        fix: "Update the client.",
        references: ["RFC 9325 §4.5", "RFC 5246 §7.4.1.4.1"],
        thresholds: [],
        test: |seen, _| {
            let hello = seen.read.hello.filter(|_| seen.read.ssl2.is_none())?;
            let missing = rank(hello.highest_version()) == 12 && !hello.present.has(SIGNATURE_ALGORITHMS);
            let what = Detail::Word("no signature algorithms");
            missing.then_some(Sight { severity: Severity::Low, ..Sight::offered(Severity::Low, what) })
        },
    }
    sigalg_sha1_offered {
        id: "TLS-SIGALG-SHA1-OFFERED",
        name: "tls-sigalg-sha1-offered",
        title: "A client accepts signatures with SHA-1",
        severity: Low ..= Low,
        detects: "rsa_pkcs1_sha1 or ecdsa_sha1 among the signature_algorithms of a ClientHello.",
        matters: "A server may sign its handshake with SHA-1, or show a certificate that is.",
        false_positives: "Many libraries offer it last, for certificates of old roots only.",
        fix: "Remove SHA-1 from the signature algorithms of the client.",
        references: ["RFC 9155 §2"],
        thresholds: [],
        test: |seen, _| {
            let mut schemes = seen.read.hello.as_ref()?.signatures.iter();
            let scheme = schemes.find(|scheme| matches!(scheme, 0x0201 | 0x0203))?;
            let sight = Sight::offered(Severity::Low, Detail::Scheme(scheme));
            Some(Sight { severity: Severity::Low, ..sight })
        },
    }
    pq_offered_not_chosen {
        id: "TLS-PQ-OFFERED-NOT-CHOSEN",
        name: "tls-pq-offered-not-chosen",
        title: "A client offers post-quantum keys and the server takes others",
        severity: Info ..= Info,
        detects: "A group with ML-KEM among those of the ClientHello, and another one agreed on.",
        matters: "The server is what keeps the recordings readable in future.",
        false_positives: "None: an observation.",
        fix: "Enable X25519MLKEM768 on the server.",
        references: ["RFC 8446 §4.2.7"],
        thresholds: [],
        test: |seen, _| {
            let group = seen.read.group().filter(|group| !registry::is_post_quantum(*group))?;
            let offered = seen.read.hello.as_ref()?.groups.iter().any(registry::is_post_quantum);
            offered.then_some(Sight::agreed(Severity::Info, Detail::Group(group)))
        },
    }
}

fn signed_with<'a>(seen: &HandshakeSeen<'a>, hash: Hash, severity: Severity) -> Option<Sight<'a>> {
    let server = seen.read.exchange.and_then(|exchange| exchange.signature);
    let both = [(server, Place::Exchange), (seen.read.verify, Place::Verify)];
    both.into_iter().find_map(|(signature, place)| {
        let scheme = signature.filter(|signature| signature.hash == hash)?.scheme?;
        Some(Sight::agreed(severity, Detail::Scheme(scheme)).at(place))
    })
}
