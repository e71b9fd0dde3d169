//! Bodies for fuzzing the readers of extension headers, of body parts and of what is ambiguous, as in
//! `fuzz.rs`: each touches everything that comes out, and checks what must hold for every input.
#![allow(clippy::missing_panics_doc, reason = "to panic on a broken promise is what these are for")]

use std::hint::black_box;

use crate::sdp::{self, Session};
use crate::sip::body::{self, BodyKind};
use crate::sip::date::Date;
use crate::sip::dialog_ref::DialogRef;
use crate::sip::element::{List, Word, quality};
use crate::sip::multipart::{self, Leaves, MAX_PARTS};
use crate::sip::private::{AccessNetwork, ChargingVector, EarlyMedia, Privacy, VisitedNetwork};
use crate::sip::reason::{Reason, Warning};
use crate::sip::retarget::{Diversion, HistoryEntry, is_below};
use crate::sip::scalar::{RAck, RetryAfter, SessionExpires, rseq, seconds};
use crate::sip::security::{Mechanism, same_list};
use crate::sip::session_id::SessionId;
use crate::sip::size::Sizes;
use crate::sip::{HeaderName, Message, parse_datagram};

/// One header value, through every reader of values.
pub fn headers(data: &[u8]) {
    for word in List::<Word<'_>>::new(data) {
        assert!(!word.text.is_empty() || data.contains(&b'"'), "a word is there");
        black_box((word.media_range(), word.q(), word.params.iter().count()));
    }
    for mechanism in List::<Mechanism<'_>>::new(data) {
        black_box((mechanism.preference(), mechanism.spis(), mechanism.ports()));
        black_box((
            mechanism.digest_algorithm(),
            mechanism.digest_qop(),
            mechanism.digest_verify(),
        ));
        black_box((mechanism.integrity(), mechanism.encryption()));
    }
    black_box((same_list(data, data), quality(data), seconds(data), rseq(data)));
    for entry in List::<HistoryEntry<'_>>::new(data) {
        black_box((entry.depth(), entry.retargeted(), entry.cause(), entry.privacy()));
        let index = entry.index().unwrap_or_default();
        assert!(!is_below(index, index), "nothing is below itself");
    }
    for diversion in List::<Diversion<'_>>::new(data) {
        black_box((diversion.reason(), diversion.counter(), diversion.limit()));
        black_box((diversion.privacy(), diversion.is_screened()));
    }
    for reason in List::<Reason<'_>>::new(data) {
        black_box((reason.cause(), reason.text()));
    }
    for warning in List::<Warning<'_>>::new(data) {
        assert!(warning.code < 1000 && !warning.agent.is_empty(), "a code and who warns");
    }
    for network in List::<AccessNetwork<'_>>::new(data) {
        black_box((network.location(), network.is_network_provided()));
    }
    black_box(List::<VisitedNetwork<'_>>::new(data).last());
    black_box(ChargingVector::parse(data).map(|v| (v.icid(), v.generated_at(), v.operators())));
    black_box((EarlyMedia::parse(data), Privacy::parse(data).hides_identity()));
    black_box(SessionExpires::parse(data).map(|s| (s.seconds, s.refresher())));
    black_box(RetryAfter::parse(data).map(|r| (r.comment, r.duration())));
    black_box((RAck::parse(data), Date::parse(data)));
    black_box(DialogRef::parse(data).map(|d| (d.to_tag(), d.from_tag(), d.is_whole())));
    black_box(SessionId::parse(data).map(|s| (s.remote(), s.logme(), s.is_well_formed())));
    black_box((BodyKind::of(data), body::smime(data), body::has_location(data)));
}

/// A body of nested parts, whose delimiters are its own.
pub fn bodies(data: &[u8]) {
    let mut parts = 0_usize;
    for leaf in Leaves::new(b"multipart/mixed;boundary=b", data) {
        black_box((leaf.kind(), leaf.headers.len(), leaf.body.len()));
        parts = parts.saturating_add(1);
    }
    assert!(parts <= MAX_PARTS, "parts are bounded");
    black_box(multipart::is_well_formed(b"multipart/mixed", data));
}

/// One datagram: what is ambiguous about it, how large it is, and every typed header of it.
pub fn inspected(data: &[u8]) {
    let mut spans = Vec::new();
    let Ok(layout) = parse_datagram(data, &mut spans) else { return };
    let message = Message::new(data, layout, &spans);
    assert!(message.inspect().contains(layout.anomalies), "what the scan saw is still there");
    assert_eq!(
        Sizes::of(&message).above(Sizes::of(&message)).count(),
        0,
        "no size is above itself"
    );
    black_box((
        message.session_id(),
        message.expires(),
        message.session_expires(),
        message.min_se(),
    ));
    black_box((message.retry_after(), message.rseq(), message.rack(), message.referred_by()));
    black_box((
        message.date(),
        message.privacy(),
        message.charging_vector(),
        message.early_media(),
    ));
    black_box((message.dialog_ref(HeaderName::Replaces), message.geolocation_routing()));
    black_box((message.reasons().count(), message.warnings().count(), message.history().count()));
    black_box((message.diversions().count(), message.geolocations().count()));
    black_box((message.leaves().count(), message.lists(HeaderName::Supported, b"timer")));
    black_box(message.mechanisms(HeaderName::SecurityVerify).count());
    for header in message.headers() {
        headers(header.value);
    }
}

/// What a description says of holding, groups, ICE, capabilities and fax.
pub fn negotiation(session: &Session<'_>) {
    black_box((session.groups().map(|group| group.mids().count()).max(), session.connection()));
    black_box((session.capability_options(true).count(), session.malformed_lines().count()));
    let mut before = None;
    for media in session.media() {
        assert!(sdp::change(&media, &media).is_none(), "nothing differs from itself");
        black_box(before.replace(media).map(|before| sdp::change(&before, &media)));
        black_box((media.hold().is_hold(), media.is_refused(), media.fax(), media.is_udptl()));
        black_box(media.mid().and_then(|mid| session.bundle_of(mid)));
        black_box((media.ice_options().count(), media.is_ice_lite(), media.ends_candidates()));
        black_box((media.is_ice_mismatch(), media.remote_candidates().count()));
        black_box((media.ice_ufrag().map(sdp::is_ice_ufrag), media.ice_pwd().map(sdp::is_ice_pwd)));
        for candidate in media.candidates() {
            black_box((candidate.priority(), candidate.related(), candidate.tcp_type()));
            black_box(candidate.is_name());
        }
        black_box((media.attribute_capabilities().count(), media.transport_capabilities().count()));
        for configuration in media.potential().chain(media.actual()).take(4) {
            black_box((configuration.attributes().count(), configuration.deletes()));
            black_box(media.protocols_of(configuration).take(4).count());
        }
    }
}
