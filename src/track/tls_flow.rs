//! From a handshake that is over to its fact: the messages go into the epoch, the rest is small.

use crate::dissect::dtls_handshake::DtlsHandshake;
use crate::dissect::tls_handshake::TlsHandshake;
use crate::dissect::tls_open::datagrams::DtlsOpening;
use crate::dissect::tls_open::stream::TlsStream;
use crate::model::addr::Endpoint;
use crate::model::fact::{Body, length};
use crate::model::handshake::{Ending, HandshakeFacts, Outcome, Peer};
use crate::model::record::HandshakeKind;

use super::emit::Emitter;

/// What a handshake that is given up was.
const UNFINISHED: (Outcome, Ending) = (Outcome::Incomplete, Ending::Silence);

/// Emits the fact of a TLS handshake between the two ends of a connection, with what opened of it.
pub(super) fn tls_fact(
    handshake: &TlsHandshake,
    ends: [Endpoint; 2],
    clipped: bool,
    stream: Option<&TlsStream>,
    emit: &mut Emitter<'_>,
) {
    let facts = facts(handshake, ends, clipped, stream, emit);
    emit.handshake(facts);
}

/// Emits the fact of a TLS handshake over SCTP, with what opened of it.
pub(super) fn sctp_fact(
    handshake: &TlsHandshake,
    ends: [Endpoint; 2],
    clipped: bool,
    stream: Option<&TlsStream>,
    emit: &mut Emitter<'_>,
) {
    let facts = facts(handshake, ends, clipped, stream, emit);
    emit.handshake(HandshakeFacts { over_sctp: true, ..facts });
}

/// Emits the fact that a handshake is over of which more may show: it will be told of again.
pub(super) fn preliminary_fact(
    handshake: &TlsHandshake,
    ends: [Endpoint; 2],
    clipped: bool,
    emit: &mut Emitter<'_>,
) {
    let facts = facts(handshake, ends, clipped, None, emit);
    emit.handshake(HandshakeFacts { preliminary: true, ..facts });
}

fn facts(
    handshake: &TlsHandshake,
    ends: [Endpoint; 2],
    clipped: bool,
    stream: Option<&TlsStream>,
    emit: &mut Emitter<'_>,
) -> HandshakeFacts {
    let [low, high] = ends;
    let (client, server) = if handshake.client() == 0 { (low, high) } else { (high, low) };
    let (outcome, ending) = handshake.ended.unwrap_or(UNFINISHED);
    let mut keep = |of, role| {
        let start = length(emit.epoch.octets.len());
        emit.epoch.octets.extend_from_slice(handshake.messages(of));
        let hidden = stream.map_or(&[][..], |stream| stream.flight(role));
        emit.epoch.octets.extend_from_slice(hidden);
        start..length(emit.epoch.octets.len())
    };
    let client_messages = keep(Peer::Client, 0);
    let server_messages = keep(Peer::Server, 1);
    let opened_alert = || {
        let (alert, client) = stream?.alert().filter(|_| outcome == Outcome::Refused)?;
        Some((alert, if client { Peer::Client } else { Peer::Server }))
    };
    HandshakeFacts {
        kind: HandshakeKind::Tls,
        client,
        server,
        first: handshake.first,
        answered: handshake.answered,
        last: handshake.last,
        client_messages,
        server_messages,
        outcome,
        ending,
        alert: handshake.alert.or_else(opened_alert),
        sealed: handshake.sealed,
        over_sctp: false,
        preliminary: false,
        early_data: handshake.early_data,
        heartbleed: handshake.heartbleed,
        clipped,
        decrypted: stream.is_some_and(TlsStream::has_decrypted),
        awaits_secrets: false,
        checked: false,
        torn: handshake.torn(),
        frames: handshake.frames().or(stream.map(TlsStream::frames).unwrap_or_default()),
    }
}

/// What a DTLS handshake does not know of itself.
#[derive(Copy, Clone, Debug)]
pub(super) struct DtlsAround {
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) over_sctp: bool,
    /// The snap length cut a frame of it.
    pub(super) clipped: bool,
    pub(super) decrypted: bool,
    pub(super) awaits_secrets: bool,
    /// A STUN check between its sockets succeeded.
    pub(super) checked: bool,
}

/// Emits the keys of SRTP that a session was for, if it has opened (RFC 5764 §4.2).
pub(super) fn srtp_keys_fact(
    opening: &DtlsOpening,
    (client, server): (Endpoint, Endpoint),
    emit: &mut Emitter<'_>,
) {
    if let Some((profile, keys)) = opening.srtp_keys() {
        let material = emit.epoch.keep(keys.secret().expose());
        emit.fact(Body::DtlsSrtpKeys { client, server, profile, material });
    }
}

/// Emits the fact of a DTLS handshake.
pub(super) fn dtls_fact(handshake: &DtlsHandshake, around: DtlsAround, emit: &mut Emitter<'_>) {
    let DtlsAround { client, server, over_sctp, clipped, decrypted, awaits_secrets, checked } =
        around;
    let (outcome, ending) = handshake.ended.unwrap_or(UNFINISHED);
    let mut whole = true;
    let [client_messages, server_messages] = [Peer::Client, Peer::Server].map(|of| {
        let start = length(emit.epoch.octets.len());
        whole &= handshake.assemble(of, &mut emit.epoch.octets);
        start..length(emit.epoch.octets.len())
    });
    emit.handshake(HandshakeFacts {
        kind: HandshakeKind::Dtls,
        client,
        server,
        first: handshake.first,
        answered: handshake.answered,
        last: handshake.last,
        client_messages,
        server_messages,
        outcome,
        ending,
        alert: handshake.alert,
        sealed: handshake.sealed,
        over_sctp,
        preliminary: false,
        early_data: false,
        heartbleed: false,
        clipped,
        decrypted,
        awaits_secrets,
        checked,
        torn: handshake.torn || !whole,
        frames: handshake.frames,
    });
}
