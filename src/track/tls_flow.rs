//! From a handshake that is over to its fact: the messages go into the epoch, the rest is small.

use crate::dissect::dtls_handshake::DtlsHandshake;
use crate::dissect::tls_handshake::TlsHandshake;
use crate::model::addr::Endpoint;
use crate::model::fact::{Body, length};
use crate::model::handshake::{Ending, HandshakeFacts, Outcome, Peer};
use crate::model::record::HandshakeKind;

use super::emit::Emitter;

/// What a handshake that is given up was.
const UNFINISHED: (Outcome, Ending) = (Outcome::Incomplete, Ending::Silence);

/// Emits the fact of a TLS handshake between the two ends of a connection.
pub(super) fn tls_fact(
    handshake: &TlsHandshake,
    ends: [Endpoint; 2],
    (clipped, decrypted): (bool, bool),
    emit: &mut Emitter<'_>,
) {
    let [low, high] = ends;
    let (client, server) = if handshake.client() == 0 { (low, high) } else { (high, low) };
    let (outcome, ending) = handshake.ended.unwrap_or(UNFINISHED);
    let client_messages = emit.epoch.keep(handshake.messages(Peer::Client));
    let server_messages = emit.epoch.keep(handshake.messages(Peer::Server));
    emit.fact(Body::Handshake(Box::new(HandshakeFacts {
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
        alert: handshake.alert,
        sealed: handshake.sealed,
        early_data: handshake.early_data,
        heartbleed: handshake.heartbleed,
        clipped,
        decrypted,
        checked: false,
        torn: handshake.torn(),
    })));
}

/// Emits the fact of a DTLS handshake.
pub(super) fn dtls_fact(
    handshake: &DtlsHandshake,
    (client, server): (Endpoint, Endpoint),
    [clipped, decrypted, checked]: [bool; 3],
    emit: &mut Emitter<'_>,
) {
    let (outcome, ending) = handshake.ended.unwrap_or(UNFINISHED);
    let mut whole = true;
    let [client_messages, server_messages] = [Peer::Client, Peer::Server].map(|of| {
        let start = length(emit.epoch.octets.len());
        whole &= handshake.assemble(of, &mut emit.epoch.octets);
        start..length(emit.epoch.octets.len())
    });
    emit.fact(Body::Handshake(Box::new(HandshakeFacts {
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
        early_data: false,
        heartbleed: false,
        clipped,
        decrypted,
        checked,
        torn: handshake.torn || !whole,
    })));
}
