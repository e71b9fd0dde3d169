//! Extensions that protect and are missing, or harm and are there (RFC 9325 §3.3 to §3.5, §4.6).

use overhear_parsers::tls::client_hello::rank;
use overhear_parsers::tls::extension::{
    EARLY_DATA, EXTENDED_MASTER_SECRET, HEARTBEAT, RENEGOTIATION_INFO, TRUNCATED_HMAC,
};

use super::{Detail, Place, Sight, before_13, rows};
use crate::detect::shows::Shows;
use crate::model::finding::Severity;
use crate::model::handshake::Peer;

/// `TLS_EMPTY_RENEGOTIATION_INFO_SCSV` (RFC 5746 §3.3).
const RENEGOTIATION_SCSV: u16 = 0x00ff;

rows! {
    compression {
        id: "TLS-COMPRESSION",
        name: "tls-compression",
        title: "TLS compresses what it encrypts",
        severity: High ..= High,
        detects: "A ServerHello with a compression method other than none.",
        matters: "Lengths then tell what is inside: whoever can add text to the stream finds out secrets in it (CRIME).",
        false_positives: "None known.",
        fix: "Switch compression off on either end.",
        references: ["RFC 9325 §3.3"],
        thresholds: [],
        looks_for: Shows::BEFORE_13,
        test: |seen, _| before_13(seen, |answer| {
            let what = Detail::Word("compression");
            (answer.compression != 0).then_some(Sight::agreed(Severity::High, what))
        }),
    }
    insecure_reneg {
        id: "TLS-INSECURE-RENEG",
        name: "tls-insecure-reneg",
        title: "A server does not protect renegotiation",
        severity: High ..= High,
        detects: "A ServerHello up to TLS 1.2 without renegotiation_info, in answer to a client that sent it or its signalling value.",
        matters: "Whoever is on the path can put requests of its own before those of the client.",
        false_positives: "A server that never renegotiates is safe without saying so; it cannot be seen.",
        fix: "Update the server; forbid renegotiation.",
        references: ["RFC 9325 §3.5", "RFC 5746 §3.6"],
        thresholds: [],
        looks_for: Shows::BEFORE_13,
        test: |seen, _| before_13(seen, |answer| {
            let hello = seen.read.hello.as_ref()?;
            let asked = hello.present.has(RENEGOTIATION_INFO) || hello.offers(RENEGOTIATION_SCSV);
            (asked && !answer.present.has(RENEGOTIATION_INFO))
                .then_some(Sight::agreed(Severity::High, Detail::Word("no renegotiation_info")))
        }),
    }
    client_no_ri {
        id: "TLS-CLIENT-NO-RI",
        name: "tls-client-no-ri",
        title: "A client does not protect renegotiation",
        severity: Low ..= Low,
        detects: "A ClientHello that offers TLS 1.2 or older, without renegotiation_info and without its signalling value.",
        matters: "The client cannot tell whether somebody put requests before its own.",
        false_positives: "None known.",
        fix: "Update the client.",
        references: ["RFC 9325 §3.5", "RFC 5746 §3.4"],
        thresholds: [],
        test: |seen, _| {
            let hello = seen.read.hello.as_ref().filter(|_| seen.read.ssl2.is_none())?;
            let asked = hello.present.has(RENEGOTIATION_INFO) || hello.offers(RENEGOTIATION_SCSV);
            let old = hello.offered_versions().any(|version| rank(version) < 13);
            let sight = Sight::offered(Severity::Low, Detail::Word("no renegotiation_info"));
            (old && !asked).then_some(Sight { severity: Severity::Low, ..sight })
        },
    }
    no_ems {
        id: "TLS-NO-EMS",
        name: "tls-no-ems",
        title: "Keys are not bound to the handshake",
        severity: Medium ..= Medium,
        detects: "A ServerHello up to TLS 1.2 without extended_master_secret.",
        matters: "Somebody in between can give two connections the same keys and pass a client's authentication on (triple handshake).",
        false_positives: "None known.",
        fix: "Enable extended_master_secret at both ends, or TLS 1.3.",
        references: ["RFC 9325 §3.5", "RFC 7627 §5"],
        thresholds: [],
        looks_for: Shows::BEFORE_13,
        test: |seen, _| before_13(seen, |answer| {
            let what = Detail::Word("no extended_master_secret");
            let missing = !answer.present.has(EXTENDED_MASTER_SECRET) && answer.version != 0x0300;
            missing.then_some(Sight::agreed(Severity::Medium, what))
        }),
    }
    trunc_hmac {
        id: "TLS-TRUNC-HMAC",
        name: "tls-trunc-hmac",
        title: "Integrity is cut to 80 bits",
        severity: Medium ..= Medium,
        detects: "The extension truncated_hmac in a ServerHello.",
        matters: "A short MAC is easier to forge, and with variable padding it has been.",
        false_positives: "None known.",
        fix: "Switch truncated_hmac off.",
        references: ["RFC 9325 §4.6", "RFC 6066 §7"],
        thresholds: [],
        looks_for: Shows::BEFORE_13,
        test: |seen, _| before_13(seen, |answer| {
            let what = Detail::Word("truncated_hmac");
            answer.present.has(TRUNCATED_HMAC).then_some(Sight::agreed(Severity::Medium, what))
        }),
    }
    heartbeat {
        id: "TLS-HEARTBEAT",
        name: "tls-heartbeat",
        title: "A server answers TLS heartbeats",
        severity: Low ..= Low,
        detects: "The extension heartbeat in a server's answer.",
        matters: "Nothing in SIP needs it, and software of its time has the flaw that reads a server's memory (Heartbleed).",
        false_positives: "The extension alone does not show the flaw. DTLS may use it to find out how long packets may be.",
        fix: "Switch heartbeats off; update the library.",
        references: ["RFC 6520 §2"],
        thresholds: [],
        test: |seen, _| {
            let what = Detail::Word("heartbeat");
            seen.read.echoed(HEARTBEAT).then_some(Sight::agreed(Severity::Low, what))
        },
    }
    heartbleed {
        id: "TLS-HEARTBLEED",
        name: "tls-heartbleed",
        title: "A heartbeat asks for more than it brings",
        severity: Critical ..= Critical,
        detects: "A heartbeat request in clear whose payload_length is larger than what its record can hold.",
        matters: "A server with the flaw answers with up to 64 KiB of its memory each time: keys, passwords, calls (Heartbleed, CVE-2014-0160).",
        false_positives: "A scanner that looks for the flaw sends the same.",
        fix: "Block the sender; if the server answered, replace its keys and update its library.",
        references: ["RFC 6520 §4"],
        thresholds: [],
        looks_for: Shows::HEARTBLEED,
        test: |seen, _| {
            let what = Detail::Word("a heartbeat that asks for more than it brings");
            seen.read.facts.heartbleed.then_some(Sight::agreed(Severity::Critical, what))
        },
    }
    alpn {
        id: "TLS-ALPN",
        name: "tls-alpn",
        title: "A protocol is agreed on inside TLS",
        severity: Info ..= Info,
        detects: "The extension of ALPN in a server's answer, of TLS 1.3 where a key log opens it; or the alert no_application_protocol (120).",
        matters: "It says what the connection carries (sip/2, http/1.1), which TLS otherwise hides.",
        false_positives: "None: an observation.",
        fix: "Nothing.",
        references: ["RFC 7301 §3.1"],
        thresholds: [],
        test: |seen, _| {
            let none = seen.read.facts.alert.filter(|(alert, _)| alert.description == 120);
            let refused = none.map(|(alert, _)| Detail::Alert(alert.description));
            let chosen = seen.record.alpn_chosen.as_deref();
            let Some(chosen) = chosen else {
                return Some(Sight::agreed(Severity::Info, refused?).at(Place::Alert));
            };
            Some(Sight::agreed(Severity::Info, Detail::Name("ALPN", chosen)))
        },
    }
    ticket_long {
        id: "TLS-TICKET-LONG",
        name: "tls-ticket-long",
        title: "Session tickets may be used for more than a week",
        severity: Info ..= Info,
        detects: "A NewSessionTicket up to TLS 1.2 with a lifetime hint above seven days.",
        matters: "Whoever gets the key that seals tickets reads every session that used them; it should change at least weekly.",
        false_positives: "The hint says nothing of how often the server changes that key.",
        fix: "Shorten the lifetime, and change the ticket key weekly or more often.",
        references: ["RFC 9325 §3.4", "RFC 5077 §3.3"],
        thresholds: ["tls_ticket_days"],
        looks_for: Shows::TICKET,
        test: |seen, thresholds| {
            let seconds = seen.read.ticket_lifetime?;
            let most = thresholds.tls.tls_ticket_days.saturating_mul(86_400);
            let sight = Sight::agreed(Severity::Info, Detail::Lifetime(seconds)).at(Place::Ticket);
            (u64::from(seconds) > most).then_some(sight)
        },
    }
    early_data {
        id: "TLS-0RTT",
        name: "tls-0rtt",
        title: "Data before the handshake: requests can be replayed",
        severity: Medium ..= Medium,
        detects: "early_data in a ClientHello, and data of the client before the server's answer, of TLS 1.3; where a key log opens that answer, only if early_data stands in it.",
        matters: "Whoever recorded it can send it again: an INVITE or a REGISTER twice. SIP has no rules for it.",
        false_positives: "The server may have thrown the early data away; without a key log it cannot be seen.",
        fix: "Switch early data off on the server.",
        references: ["RFC 8446 §8", "RFC 8446 §2.3"],
        thresholds: [],
        looks_for: Shows::EARLY_DATA,
        test: |seen, _| {
            let hello = seen.read.hello.as_ref()?;
            (hello.present.has(EARLY_DATA) && seen.read.took_early_data())
                .then_some(Sight::agreed(Severity::Medium, Detail::Word("early data")))
        },
    }
    sni_missing {
        id: "TLS-SNI-MISSING",
        name: "tls-sni-missing",
        title: "A client does not say whom it wants",
        severity: Info ..= Info,
        detects: "A ClientHello over TCP without server_name.",
        matters: "A server of several domains cannot show the right certificate, and the client then often checks none.",
        false_positives: "Peers that are configured by address have no name to send.",
        fix: "Configure the peer by its domain.",
        references: ["RFC 5922 §7.8", "RFC 6066 §3"],
        thresholds: [],
        test: |seen, _| {
            let hello = seen.read.hello.as_ref().filter(|_| seen.read.ssl2.is_none())?;
            (!seen.is_for_media() && hello.server_name.is_none())
                .then_some(Sight::offered(Severity::Info, Detail::Word("no server_name")))
        },
    }
    sni_unrecognized {
        id: "TLS-SNI-UNRECOGNIZED",
        name: "tls-sni-unrecognized",
        title: "A server does not know the name that a client asks for",
        severity: Info ..= Info,
        detects: "The alert unrecognized_name (112) of a server, as a warning or a fatal one.",
        matters: "The client is configured for another server, or the server shows a certificate for another name.",
        false_positives: "None: an observation.",
        fix: "Configure the domain on the server, or the right peer on the client.",
        references: ["RFC 6066 §3", "RFC 5922 §7.8"],
        thresholds: [],
        looks_for: Shows::ALERT,
        test: |seen, _| {
            let (alert, from) = seen.read.facts.alert?;
            let what = match seen.record.sni.as_deref() {
                Some(name) => Detail::Name("unrecognized_name", name),
                None => Detail::Alert(alert.description),
            };
            (from == Peer::Server && alert.description == 112)
                .then_some(Sight::agreed(Severity::Info, what).at(Place::Alert))
        },
    }
}
