//! Fingerprints of clients, and how they make themselves hard to take for others (`CATALOGUE.md` B.5).

use super::{Detail, Sight, rows};
use crate::model::finding::Severity;

rows! {
    grease {
        id: "TLS-GREASE",
        name: "tls-grease",
        title: "A client sends values without meaning",
        severity: Info ..= Info,
        detects: "Reserved values (0x0a0a and the like) among the suites or extensions of a ClientHello over TCP.",
        matters: "Browsers and what is built on their libraries do so: on a trunk it tells that the other side is no classic SIP stack.",
        false_positives: "None: an observation.",
        fix: "Nothing.",
        references: ["RFC 8701 §3"],
        thresholds: [],
        test: |seen, _| {
            let hello = seen.read.hello.as_ref().filter(|_| !seen.is_for_media())?;
            let sight = Sight::offered(Severity::Info, Detail::Word("values without meaning (GREASE)"));
            hello.has_grease().then_some(sight)
        },
    }
    ja3 {
        id: "TLS-JA3",
        name: "tls-ja3",
        title: "How a client greets: JA3",
        severity: Info ..= Info,
        detects: "The JA3 fingerprint of ClientHellos over TCP, each once for a pair of peers.",
        matters: "Software of one make and version greets alike: a fingerprint tells phones from scanners, and where the same tool came from other addresses.",
        false_positives: "None: an observation. Many programs share a library and so a fingerprint.",
        fix: "Nothing.",
        references: ["RFC 8446 §4.1.2"],
        thresholds: [],
        test: |seen, _| {
            let print = seen.record.ja3.as_deref().filter(|_| !seen.is_for_media())?;
            Some(Sight::offered(Severity::Info, Detail::Name("JA3", print)))
        },
        once: |seen| seen.read.prints.as_ref().map(|prints| prints.ja3.as_str()),
    }
    ja4 {
        id: "TLS-JA4",
        name: "tls-ja4",
        title: "How a client greets: JA4",
        severity: Info ..= Info,
        detects: "The JA4 fingerprint of ClientHellos over TCP, each once for a pair of peers.",
        matters: "Software of one make and version greets alike, even where it shuffles its extensions: a fingerprint tells phones from scanners.",
        false_positives: "None: an observation. Many programs share a library and so a fingerprint.",
        fix: "Nothing.",
        references: ["RFC 8446 §4.1.2"],
        thresholds: [],
        test: |seen, _| {
            let print = seen.record.ja4.as_deref().filter(|_| !seen.is_for_media())?;
            Some(Sight::offered(Severity::Info, Detail::Name("JA4", print)))
        },
        once: |seen| seen.read.prints.as_ref().map(|prints| prints.ja4.as_str()),
    }
}
