//! `SIG-TLS-ON-OTHER`: SIP over TLS at another port than 5061 (RFC 3261 §18.1.1).

use super::super::kinds::SIPS_PORT;
use super::super::rule::rule;
use super::super::seen::HandshakeSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::model::record::HandshakeKind;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A TLS handshake with a server at port 5060; or at any port but 5061 one that names SIP by ALPN,
    /// or with a server that signalling seen before names for SIP over TLS (a `sips` URI or `transport=tls` in Contact,
    /// Route, Record-Route and the like, a Via over TLS) by its address or by the name that the client asks it for;
    /// or at any port but these and 443, one of which nothing says that it is for something else (ALPN, an m-line
    /// over TLS), of a peer that also speaks SIP in clear with the client, where it is likely to be SIP.
    ///
    /// ## Why it matters
    /// Nothing is wrong with it. Firewalls, monitoring and the other rules here that go by port
    /// 5061 do not know it for SIP.
    ///
    /// ## Evidence
    /// The handshake.
    ///
    /// ## False positives
    /// Management interfaces and provisioning on the same host.
    ///
    /// ## Fix
    /// Use port 5061 where nothing speaks against it.
    id: "SIG-TLS-ON-OTHER",
    name: "sig-tls-on-other",
    title: "TLS on a port that is not that of SIP over TLS",
    severity: Info ..= Info,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 3261 §18.1.1"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "TLS handshake", "SIP over TLS may be at another port").of_handshakes(judge)
}

fn judge(seen: &HandshakeSeen<'_>, report: &mut Report<'_>) {
    let record = seen.record;
    let port = record.server.port;
    if record.kind != HandshakeKind::Tls || port == SIPS_PORT {
        return;
    }
    let named = seen.is_sip();
    let peers = || {
        report.known(&super::cleartext::META).is_some_and(|known| known.first < seen.offered_at())
    };
    if port == 5060 || named == Some(true) || port != 443 && named.is_none() && peers() {
        report.saw(Severity::Info, || sentence!("ClientHello to {}", record.server));
    }
}
