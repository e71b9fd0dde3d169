//! Versions: what nobody may agree on any more (RFC 9325 §3.1, RFC 8996, RFC 7568, RFC 6176), and signs
//! that somebody pressed for an older one.

use overhear_parsers::tls::client_hello::rank;
use overhear_parsers::tls::server_hello::Sentinel;

use super::{Detail, HandshakeSeen, Place, Sight, rows};
use crate::detect::shows::Shows;
use crate::model::finding::Severity;
use crate::model::handshake::Peer;

rows! {
    ssl2 {
        id: "TLS-SSL2",
        name: "tls-ssl2",
        title: "A server accepts SSL 2.0",
        severity: Critical ..= Critical,
        detects: "A SERVER-HELLO of SSL 2.0.",
        matters: "SSL 2.0 has been broken since the nineties: whoever is on the path reads and changes everything, and its keys weaken later versions that use the same certificate (DROWN).",
        false_positives: "None known: the server's hello must add up.",
        fix: "Switch SSL 2.0 off on the server; do not share its certificate with anything that still speaks it.",
        references: ["RFC 6176 §3", "RFC 9325 §3.1.1"],
        thresholds: [],
        looks_for: Shows::SSL2,
        test: |seen, _| {
            let answer = seen.read.ssl2_answer?;
            Some(Sight::agreed(Severity::Critical, Detail::Version(answer.version)))
        },
    }
    ssl3 {
        id: "TLS-SSL3",
        name: "tls-ssl3",
        title: "SSL 3.0 is agreed on",
        severity: Critical ..= Critical,
        detects: "A ServerHello of version 0x0300.",
        matters: "SSL 3.0 cannot be used safely with any of its suites (POODLE, RC4).",
        false_positives: "None known.",
        fix: "Require TLS 1.2 or 1.3 at both ends.",
        references: ["RFC 7568 §3", "RFC 9325 §3.1.1"],
        thresholds: [],
        looks_for: Shows::OLD,
        test: |seen, _| agreed(seen, 0x0300, Severity::Critical),
    }
    tls_1_0 {
        id: "TLS-1-0",
        name: "tls-1-0",
        title: "TLS 1.0 is agreed on",
        severity: High ..= High,
        detects: "A ServerHello of version 0x0301.",
        matters: "TLS 1.0 rests on MD5 and SHA-1, has no authenticated encryption and is withdrawn; auditors refuse it.",
        false_positives: "None known.",
        fix: "Require TLS 1.2 or 1.3 at both ends; replace phones that cannot.",
        references: ["RFC 8996 §4", "RFC 9325 §3.1.1"],
        thresholds: [],
        looks_for: Shows::OLD,
        test: |seen, _| agreed(seen, 0x0301, Severity::High),
    }
    tls_1_1 {
        id: "TLS-1-1",
        name: "tls-1-1",
        title: "TLS 1.1 is agreed on",
        severity: High ..= High,
        detects: "A ServerHello of version 0x0302.",
        matters: "TLS 1.1 rests on MD5 and SHA-1, has no authenticated encryption and is withdrawn.",
        false_positives: "None known.",
        fix: "Require TLS 1.2 or 1.3 at both ends.",
        references: ["RFC 8996 §5", "RFC 9325 §3.1.1"],
        thresholds: [],
        looks_for: Shows::OLD,
        test: |seen, _| agreed(seen, 0x0302, Severity::High),
    }
    dtls_1_0 {
        id: "DTLS-1-0",
        name: "dtls-1-0",
        title: "DTLS 1.0 is agreed on",
        severity: High ..= High,
        detects: "A ServerHello of version 0xfeff.",
        matters: "DTLS 1.0 is TLS 1.1 over datagrams and is withdrawn with it; SRTP keys come out of it.",
        false_positives: "A HelloVerifyRequest of version 0xfeff is usual in DTLS 1.2 and does not count.",
        fix: "Require DTLS 1.2 or 1.3 at both ends.",
        references: ["RFC 8996 §7", "RFC 9325 §3.1.2"],
        thresholds: [],
        looks_for: Shows::OLD,
        test: |seen, _| agreed(seen, 0xfeff, Severity::High).or_else(|| agreed(seen, 0x0100, Severity::High)),
    }
    only_1_2 {
        id: "TLS-1-2-ONLY",
        name: "tls-1-2-only",
        title: "A server agrees on TLS 1.2 with a client that knows 1.3",
        severity: Info ..= Info,
        detects: "A ServerHello of TLS 1.2 in answer to a ClientHello whose supported_versions holds 1.3.",
        matters: "TLS 1.3 hides certificates, leaves out every weak choice and needs one round trip less; servers should support it.",
        false_positives: "None: an observation.",
        fix: "Enable TLS 1.3 on the server.",
        references: ["RFC 9325 §3.1.1"],
        thresholds: [],
        looks_for: Shows::BEFORE_13,
        test: |seen, _| {
            let hello = seen.read.hello.as_ref()?;
            let version = seen.read.version().filter(|version| rank(*version) == 12)?;
            (rank(hello.highest_version()) == 13)
                .then_some(Sight::agreed(Severity::Info, Detail::Version(version)))
        },
    }
    legacy_offered {
        id: "TLS-LEGACY-OFFERED",
        name: "tls-legacy-offered",
        title: "A client offers TLS 1.1 or older",
        severity: Medium ..= Medium,
        detects: "A ClientHello whose highest version is TLS 1.1 or older, or that lists such a version in supported_versions.",
        matters: "A server that still accepts them will agree, and whoever is on the path can press for it.",
        false_positives: "Scanners and monitoring probes offer old versions on purpose.",
        fix: "Set the client's minimum version to TLS 1.2.",
        references: ["RFC 8996 §2", "RFC 9325 §3.1.1"],
        thresholds: [],
        test: |seen, _| {
            let hello = seen.read.hello.as_ref()?;
            let old = hello.offered_versions().find(|version| (1..12).contains(&rank(*version)))?;
            let mut sight = Sight::offered(Severity::Medium, Detail::Version(old));
            sight.severity = Severity::Medium;
            Some(sight)
        },
    }
    downgrade_sentinel {
        id: "TLS-DOWNGRADE-SENTINEL",
        name: "tls-downgrade-sentinel",
        title: "A server says that it could have agreed on more than it did",
        severity: High ..= High,
        detects: "A ServerHello of TLS 1.2 or older whose random ends in DOWNGRD, in answer to a ClientHello that offered the newer version.",
        matters: "A server writes this only when it believes that the client does not know the newer version. The client offered it, so somebody changed the hello on its way.",
        false_positives: "The same octets in answer to a client that really knows no more mean nothing and are not reported. A server with a faulty implementation could write them always.",
        fix: "Find who changes packets between the two: middleboxes with TLS inspection first.",
        references: ["RFC 8446 §4.1.3"],
        thresholds: [],
        looks_for: Shows::BEFORE_13,
        test: |seen, _| {
            let (hello, answer) = (seen.read.hello.as_ref()?, seen.read.answer.as_ref()?);
            let known = match answer.sentinel()? {
                Sentinel::From13 => 13,
                Sentinel::From12 => 12,
            };
            let (offered, agreed) = (rank(hello.highest_version()), rank(answer.agreed_version()));
            (offered >= known && agreed < known)
                .then_some(Sight::agreed(Severity::High, Detail::Version(answer.agreed_version())))
        },
    }
    fallback_scsv {
        id: "TLS-FALLBACK-SCSV",
        name: "tls-fallback-scsv",
        title: "A client fell back to an older version",
        severity: Info ..= Info,
        detects: "The signalling value TLS_FALLBACK_SCSV (0x5600) in a ClientHello.",
        matters: "The client tried a newer version before, failed, and says so; a server that knows the newer version refuses with inappropriate_fallback.",
        false_positives: "None: an observation.",
        fix: "Find out why the newer version failed; clients must not fall back by themselves.",
        references: ["RFC 7507 §4", "RFC 9325 §3.1.3"],
        thresholds: [],
        test: |seen, _| {
            let hello = seen.read.hello.as_ref()?;
            hello.offers(0x5600).then_some(Sight::offered(Severity::Info, Detail::Suite(0x5600)))
        },
    }
    fallback_scsv_rejected {
        id: "TLS-FALLBACK-SCSV-REJECTED",
        name: "tls-fallback-scsv-rejected",
        title: "A server refused a client that fell back",
        severity: Info ..= Info,
        detects: "The alert inappropriate_fallback (86) in answer to a ClientHello with TLS_FALLBACK_SCSV.",
        matters: "The server knows a newer version than the client offered now: the first attempt failed for another reason, perhaps because somebody made it fail.",
        false_positives: "None: an observation. The protection works.",
        fix: "Find out why the newer version failed; clients must not fall back by themselves.",
        references: ["RFC 7507 §3"],
        thresholds: [],
        looks_for: Shows::ALERT,
        test: |seen, _| {
            let (alert, from) = seen.read.facts.alert?;
            let fell = seen.read.hello.as_ref()?.offers(0x5600) && from == Peer::Server;
            (fell && alert.description == 86)
                .then_some(Sight::agreed(Severity::Info, Detail::Alert(alert.description)).at(Place::Alert))
        },
    }
}

fn agreed<'a>(seen: &HandshakeSeen<'a>, version: u16, severity: Severity) -> Option<Sight<'a>> {
    let found = seen.read.answer?.agreed_version();
    (found == version).then_some(Sight::agreed(severity, Detail::Version(version)))
}
