//! Cipher suites by what their names say (RFC 9325 §4).

use overhear_parsers::tls::extension::ENCRYPT_THEN_MAC;
use overhear_parsers::tls::{Weak, registry};

use super::{Detail, Sight, before_13, by_suite, rows};
use crate::detect::shows::Shows;
use crate::model::finding::Severity;

rows! {
    null {
        id: "TLS-NULL",
        name: "tls-null",
        title: "TLS without encryption",
        severity: High ..= Critical,
        detects: "A cipher suite with NULL in place of a cipher, or an integrity-only suite of TLS 1.3.",
        matters: "Everything is readable on the wire, though it looks like TLS to whoever counts connections.",
        false_positives: "None known.",
        fix: "Remove every NULL suite from client and server.",
        references: ["RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::NULL),
        test: |seen, _| by_suite(seen, Severity::Critical, Weak::NULL),
    }
    export {
        id: "TLS-EXPORT",
        name: "tls-export",
        title: "TLS with keys short enough to guess",
        severity: High ..= Critical,
        detects: "A suite made for export, or one whose cipher has fewer than 112 secret bits: single DES, RC2 and RC4 with 40 bits.",
        matters: "The key can be found by trying, in minutes to days; offered, it invites FREAK and Logjam.",
        false_positives: "None known.",
        fix: "Remove export suites and single DES from client and server.",
        references: ["RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::SHORT),
        test: |seen, _| by_suite(seen, Severity::Critical, Weak::SHORT),
    }
    anon {
        id: "TLS-ANON",
        name: "tls-anon",
        title: "TLS without authentication of the server",
        severity: High ..= Critical,
        detects: "A suite with anonymous Diffie-Hellman.",
        matters: "Whoever is on the path can stand in between, and neither side notices.",
        false_positives: "None known.",
        fix: "Remove anonymous suites from client and server.",
        references: ["RFC 9325 §4.1", "RFC 5246 §F.1.1.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::ANONYMOUS),
        test: |seen, _| by_suite(seen, Severity::Critical, Weak::ANONYMOUS),
    }
    rc4 {
        id: "TLS-RC4",
        name: "tls-rc4",
        title: "TLS with RC4",
        severity: Medium ..= High,
        detects: "A suite with RC4.",
        matters: "RC4 leaks what is sent again and again in the same place: the digests of REGISTER requests are.",
        false_positives: "None known.",
        fix: "Remove RC4 from client and server.",
        references: ["RFC 7465 §2", "RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::RC4),
        test: |seen, _| by_suite(seen, Severity::High, Weak::RC4),
    }
    triple_des {
        id: "TLS-3DES",
        name: "tls-3des",
        title: "TLS with 3DES",
        severity: Low ..= Medium,
        detects: "A suite with 3DES.",
        matters: "Blocks of 64 bits repeat after some gigabytes and give content away (Sweet32); a trunk that stays up for weeks sends as much.",
        false_positives: "None known.",
        fix: "Remove 3DES from client and server.",
        references: ["RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::TRIPLE_DES),
        test: |seen, _| by_suite(seen, Severity::Medium, Weak::TRIPLE_DES),
    }
    idea {
        id: "TLS-IDEA",
        name: "tls-idea",
        title: "TLS with IDEA",
        severity: Low ..= Medium,
        detects: "A suite with IDEA.",
        matters: "Blocks of 64 bits repeat after some gigabytes and give content away (Sweet32); IDEA is withdrawn.",
        false_positives: "None known.",
        fix: "Remove IDEA from client and server.",
        references: ["RFC 5469 §4", "RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::IDEA),
        test: |seen, _| by_suite(seen, Severity::Medium, Weak::IDEA),
    }
    bits64 {
        id: "TLS-64BIT",
        name: "tls-64bit",
        title: "TLS with a cipher of 64-bit blocks",
        severity: Low ..= Medium,
        detects: "A suite with a block cipher of 64 bits other than 3DES, IDEA and those that are short enough to guess.",
        matters: "Blocks of 64 bits repeat after some gigabytes and give content away (Sweet32).",
        false_positives: "None known.",
        fix: "Use AES with GCM or ChaCha20-Poly1305.",
        references: ["RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::BLOCK64),
        test: |seen, _| by_suite(seen, Severity::Medium, Weak::BLOCK64),
    }
    md5_mac {
        id: "TLS-MD5-MAC",
        name: "tls-md5-mac",
        title: "TLS with MD5 for integrity",
        severity: Medium ..= High,
        detects: "A suite whose MAC is made with MD5.",
        matters: "MD5 is withdrawn; suites that use it are of the age of RC4 and export.",
        false_positives: "None known.",
        fix: "Remove suites that end in MD5.",
        references: ["RFC 6151 §2", "RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::MD5),
        test: |seen, _| by_suite(seen, Severity::High, Weak::MD5),
    }
    cbc {
        id: "TLS-CBC",
        name: "tls-cbc",
        title: "TLS with CBC",
        severity: Info ..= Medium,
        detects: "A suite with a block cipher in CBC; low when the server agreed to encrypt_then_mac; info when it was offered and TLS 1.3 was agreed on.",
        matters: "MAC then encrypt has been attacked again and again through padding and timing (Lucky 13, POODLE).",
        false_positives: "Implementations that take care of timing resist; it cannot be seen from outside.",
        fix: "Prefer AES with GCM or ChaCha20-Poly1305; agree on encrypt_then_mac where CBC has to stay.",
        references: ["RFC 9325 §4.2", "RFC 7366 §1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::CBC),
        test: |seen, _| {
            let mut sight = by_suite(seen, Severity::Medium, Weak::CBC)?;
            if !sight.offered && seen.read.echoed(ENCRYPT_THEN_MAC) {
                sight.severity = Severity::Low;
            }
            Some(sight)
        },
    }
    no_etm {
        id: "TLS-NO-ETM",
        name: "tls-no-etm",
        title: "CBC without encrypt_then_mac",
        severity: Low ..= Low,
        detects: "A CBC suite agreed on without the extension encrypt_then_mac.",
        matters: "The order of encryption and MAC is what padding attacks use.",
        false_positives: "None known.",
        fix: "Enable encrypt_then_mac, or better a suite with GCM.",
        references: ["RFC 7366 §3", "RFC 9325 §4.2"],
        thresholds: [],
        looks_for: Shows::BEFORE_13,
        test: |seen, _| before_13(seen, |answer| {
            let suite = seen.suite.filter(|suite| suite.is_cbc())?;
            (!answer.present.has(ENCRYPT_THEN_MAC))
                .then_some(Sight::agreed(Severity::Low, Detail::Suite(suite.id)))
        }),
    }
    static_rsa {
        id: "TLS-STATIC-RSA",
        name: "tls-static-rsa",
        title: "TLS without forward secrecy: RSA key transport",
        severity: Info ..= High,
        detects: "A suite whose key exchange is RSA; info when it was offered and TLS 1.3 was agreed on.",
        matters: "Whoever records today and gets the server's key later reads everything, the SRTP keys in the SDP included.",
        false_positives: "None known.",
        fix: "Use suites that begin with TLS_ECDHE, or TLS 1.3.",
        references: ["RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::STATIC_RSA),
        test: |seen, _| by_suite(seen, Severity::High, Weak::STATIC_RSA),
    }
    static_dh {
        id: "TLS-STATIC-DH",
        name: "tls-static-dh",
        title: "TLS without forward secrecy: static Diffie-Hellman",
        severity: Medium ..= High,
        detects: "A suite whose key exchange is Diffie-Hellman with the key of the certificate.",
        matters: "Whoever records today and gets the server's key later reads everything.",
        false_positives: "None known.",
        fix: "Use suites that begin with TLS_ECDHE, or TLS 1.3.",
        references: ["RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::STATIC_DH),
        test: |seen, _| by_suite(seen, Severity::High, Weak::STATIC_DH),
    }
    psk_no_dhe {
        id: "TLS-PSK-NO-DHE",
        name: "tls-psk-no-dhe",
        title: "TLS with a shared key and without forward secrecy",
        severity: Low ..= Medium,
        detects: "A suite of TLS 1.2 with PSK or RSA_PSK, or TLS 1.3 resumed without a key share.",
        matters: "Whoever gets the shared key later reads every recording.",
        false_positives: "None known.",
        fix: "Use ECDHE_PSK, and in TLS 1.3 psk_dhe_ke.",
        references: ["RFC 9325 §3.4", "RFC 8446 §2.2"],
        thresholds: [],
        looks_for: Shows::suite(Weak::SHARED_KEY).or(Shows::PSK_ALONE),
        test: |seen, _| {
            match seen.read.answer.as_ref().filter(|_| seen.read.is_psk_alone()) {
                Some(answer) => Some(Sight::agreed(Severity::Medium, Detail::Suite(answer.suite))),
                None => by_suite(seen, Severity::Medium, Weak::SHARED_KEY),
            }
        },
    }
    dhe {
        id: "TLS-DHE",
        name: "tls-dhe",
        title: "TLS 1.2 with finite-field Diffie-Hellman",
        severity: Info ..= Low,
        detects: "A suite that begins with TLS_DHE up to TLS 1.2.",
        matters: "The server chooses the prime and the client cannot refuse a bad one; it is slow, and reused keys leak.",
        false_positives: "With a prime of 3072 bits that nobody else uses it is sound.",
        fix: "Use suites that begin with TLS_ECDHE, or TLS 1.3.",
        references: ["RFC 9325 §4.1"],
        thresholds: [],
        looks_for: Shows::suite(Weak::DHE),
        test: |seen, _| by_suite(seen, Severity::Low, Weak::DHE),
    }
    suite_unknown {
        id: "TLS-SUITE-UNKNOWN",
        name: "tls-suite-unknown",
        title: "A cipher suite without a name",
        severity: Info ..= Info,
        detects: "A ServerHello with a suite that the registry of IANA does not have.",
        matters: "How strong it is cannot be said; nothing is guessed.",
        false_positives: "None: an observation.",
        fix: "Use registered suites.",
        references: ["RFC 8447 §8"],
        thresholds: [],
        looks_for: Shows::UNKNOWN_SUITE,
        test: |seen, _| {
            let suite = seen.read.answer.as_ref()?.suite;
            registry::suite(suite).is_none().then_some(Sight::agreed(Severity::Info, Detail::Suite(suite)))
        },
    }
}
