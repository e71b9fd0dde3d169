//! L6: facts to findings, one file per rule.
//!
//! [`CATALOGUE`] lists the rules; [`Detectors`] runs them all on what the collector hands on, in
//! the total order of the capture, and puts what they sight into one [`Sink`]. A rule is called
//! only for what it wants ([`Interest`]): a SIP message without credentials, challenge, `a=crypto`
//! or cut reaches only the rules that want every message.
//!
//! Nothing here knows calls, streams or protocols other than through what it is shown
//! ([`seen`]), and nothing else in the program makes findings.

mod agreements;
pub mod ahead;
pub mod announced;
mod book;
mod entry;
mod kinds;
mod lately;
mod ledger;
pub mod listing;
pub mod negotiation;
mod oddity;
mod rate;
mod redact;
pub mod rule;
pub mod seen;
pub mod sink;
mod small;
mod subject;
mod text;

mod auth;
mod media;
mod qos;
mod sensor;
mod sig;
mod sip;
mod sips;
mod tls;

use self::agreements::Agreements;
use self::announced::Fingerprints;
use self::negotiation::NegotiationSeen;
use self::rule::{Detector, Interest, Meta, Words};
use self::seen::{CaptureSeen, HandshakeSeen, KeySeen, MediaSeen, SipSeen, StreamSeen, TapSeen};
use self::sink::{Entry, Outcome, Sink};
use crate::correlate::event::SipEvent;
use crate::correlate::exchange::Exchange;
use crate::correlate::placement::Placement;
use crate::model::finding::Finding;
use crate::model::id::RecordKey;
use crate::policy::Policy;

/// A rule and how it is set to work.
#[derive(Debug)]
pub struct Registered {
    /// The rule.
    pub meta: &'static Meta,
    /// Makes one detector with the thresholds and limits in force.
    pub make: fn(&Policy) -> Box<dyn Detector + Send>,
}

macro_rules! catalogue {
    ($($family:ident :: $name:ident),+ $(,)?) => {
        &[$(Registered {
            meta: &$family::$name::META,
            make: |policy| Box::new($family::$name::new(policy)),
        }),+]
    };
}

/// Every rule, in the order of their ids.
pub static CATALOGUE: &[Registered] = catalogue![
    auth::basic,
    auth::md5_only,
    auth::no_qop,
    tls::dtls_1_0,
    media::after_bye,
    media::audio_level_leak,
    media::avp_but_encrypted,
    media::cleartext_rtp,
    media::cn_clear,
    media::downgrade_answer,
    media::downgrade_reinvite,
    media::downgrade_retry,
    media::dtls_fp_mismatch,
    media::dtls_fp_unprotected,
    media::dtls_fp_weak_hash,
    media::dtls_no_fingerprint,
    media::dtls_profile_null,
    media::dtls_profile_short_tag,
    media::dtls_setup_bad,
    media::dtmf_4733_clear,
    media::dtmf_inband,
    media::dtmf_info_clear,
    media::dtmf_kpml_clear,
    media::early_cleartext,
    media::fax_inband_clear,
    media::fax_t38_clear,
    media::kline,
    media::mikey_exposed,
    media::msrp_clear,
    media::opportunistic_declined,
    media::opportunistic_mixed,
    media::rtcp_bye_forged,
    media::rtcp_cleartext,
    media::rtcp_cname_leak,
    media::rtcp_name_leak,
    media::rtp_bleed,
    media::rtp_foreign_source,
    media::rtp_inject,
    media::rtp_port_sweep,
    media::rtt_clear,
    media::savp_but_cleartext,
    media::savp_but_cleartext_authonly,
    media::sdes_decrypt_proven,
    media::sdes_f8,
    media::sdes_high_initial_seq,
    media::sdes_key_exposed,
    media::sdes_key_passthrough,
    media::sdes_key_reuse,
    media::sdes_malformed,
    media::sdes_on_avp,
    media::sdes_short_tag,
    media::sdes_unauthenticated,
    media::sdes_unencrypted_srtcp,
    media::sdes_unencrypted_srtp,
    media::sdes_unknown_suite,
    media::sdes_weak_key,
    media::seq_jump,
    media::srtcp_e0,
    media::srtp_two_time_pad,
    media::ssrc_change,
    media::ssrc_collision,
    media::unsignalled,
    media::vbr_leak,
    media::video_clear,
    media::zrtp_hash_mismatch,
    media::zrtp_no_hash,
    media::zrtp_not_secure,
    media::zrtp_sas_unknown,
    qos::dscp,
    qos::jitter,
    qos::loss,
    qos::mos,
    qos::one_way,
    qos::rtcp_absent,
    qos::srtp_cost,
    sensor::drop,
    sensor::duplicate,
    sensor::midstream_tls,
    sensor::one_sided,
    sensor::rtp_lookalike,
    sensor::snaplen,
    sensor::state_evicted,
    sensor::time,
    sig::clear_on_5061,
    sig::cleartext,
    sig::digest_cleartext,
    sig::hep_mirror_clear,
    sig::mixed_transport,
    sig::tls_fallback_clear,
    sig::tls_on_other,
    sip::fuzzing,
    sip::malformed_framing,
    sip::malformed_header,
    sip::malformed_semantic,
    sip::malformed_start,
    sip::oversize,
    sip::trailing_octets,
    sips::contact_not_sips,
    sips::diversion_down,
    sips::over_cleartext,
    sips::register_both,
    sips::retry_sip,
    sips::to_sip_rewrite,
    sips::transport_tls,
    sips::via_not_tls,
    tls::early_data,
    tls::tls_1_0,
    tls::tls_1_1,
    tls::only_1_2,
    tls::triple_des,
    tls::bits64,
    tls::alpn,
    tls::anon,
    tls::cbc,
    tls::cert_changed,
    tls::cert_ec_small,
    tls::cert_eku,
    tls::cert_expired,
    tls::cert_expires_soon,
    tls::cert_long,
    tls::cert_name_mismatch,
    tls::cert_no_san,
    tls::cert_not_yet,
    tls::cert_rsa_exp,
    tls::cert_rsa_small,
    tls::cert_self_signed,
    tls::cert_sig_md5,
    tls::cert_sig_sha1,
    tls::cert_wildcard,
    tls::client_no_ri,
    tls::compression,
    tls::curve_weak,
    tls::dh_common_prime,
    tls::dh_small,
    tls::dhe,
    tls::downgrade_sentinel,
    tls::export,
    tls::fallback_scsv,
    tls::handshake_failed,
    tls::heartbeat,
    tls::heartbleed,
    tls::idea,
    tls::insecure_reneg,
    tls::legacy_offered,
    tls::md5_mac,
    tls::no_ems,
    tls::no_etm,
    tls::no_mtls,
    tls::no_pq,
    tls::null,
    tls::point_format,
    tls::pq_offered_not_chosen,
    tls::psk_no_dhe,
    tls::rc4,
    tls::sigalg_missing,
    tls::sigalg_sha1_offered,
    tls::ske_md5,
    tls::ske_sha1,
    tls::sni_missing,
    tls::ssl2,
    tls::ssl3,
    tls::static_dh,
    tls::static_rsa,
    tls::suite_unknown,
    tls::ticket_long,
    tls::trunc_hmac,
    tls::version_dance,
];

/// The rule of this id, in any case of letters, or of this name.
pub fn rule(id: &str) -> Option<&'static Meta> {
    let mut all = CATALOGUE.iter().map(|registered| registered.meta);
    all.find(|meta| meta.id.eq_ignore_ascii_case(id) || meta.name.eq_ignore_ascii_case(id))
}

/// Every rule at work.
pub struct Detectors {
    rules: Vec<Box<dyn Detector + Send>>,
    /// For each combination of what is in a SIP message: the rules to call.
    by_sip_kind: Vec<Vec<usize>>,
    for_streams: Vec<usize>,
    for_handshakes: Vec<usize>,
    for_tap: Vec<usize>,
    for_keys: Vec<usize>,
    for_copies: Vec<usize>,
    for_negotiations: Vec<usize>,
    agreements: Agreements,
    for_media: Vec<usize>,
    announced: Fingerprints,
    sink: Sink,
}

impl Detectors {
    /// Every rule of the catalogue, at these thresholds and limits.
    pub fn new(policy: &Policy) -> Self {
        let wanting = |what: Interest| -> Vec<usize> {
            let rules = CATALOGUE.iter().enumerate();
            rules.filter(|(_, r)| r.meta.wants.meets(what)).map(|(index, _)| index).collect()
        };
        Self {
            rules: CATALOGUE.iter().map(|registered| (registered.make)(policy)).collect(),
            by_sip_kind: (0..Interest::SIP_KINDS)
                .map(|kind| wanting(Interest::of_sip_kind(kind)))
                .collect(),
            for_streams: wanting(Interest::STREAM),
            for_handshakes: wanting(Interest::HANDSHAKE),
            for_tap: wanting(Interest::TAP),
            for_keys: wanting(Interest::KEY),
            for_copies: wanting(Interest::COPY),
            for_negotiations: wanting(Interest::NEGOTIATION),
            agreements: Agreements::new(&policy.limits),
            for_media: wanting(Interest::MEDIA),
            announced: Fingerprints::new(&policy.limits),
            sink: Sink::new(&policy.limits),
        }
    }

    /// One SIP message, after correlation has placed it; whether it has lines with media keys.
    pub fn sip(&mut self, event: &SipEvent<'_>, placement: &Placement) -> bool {
        let seen = SipSeen::new(event, placement);
        let Self { rules, by_sip_kind, sink, .. } = self;
        for index in by_sip_kind.get(seen.kind.sip_kind()).into_iter().flatten() {
            if let Some(rule) = rules.get_mut(*index) {
                rule.sip(&seen, sink);
            }
        }
        seen.kind.meets(Interest::CRYPTO)
    }

    /// One SRTP key of a call.
    pub fn key(&mut self, seen: &KeySeen<'_>) {
        let Self { rules, for_keys, sink, .. } = self;
        for index in for_keys {
            if let Some(rule) = rules.get_mut(*index) {
                rule.key(seen, sink);
            }
        }
    }

    /// One SIP message of which a capture agent sent a copy.
    pub fn copy(&mut self, event: &SipEvent<'_>, placement: &Placement) {
        let seen = SipSeen::new(event, placement);
        let Self { rules, for_copies, sink, .. } = self;
        for index in for_copies {
            if let Some(rule) = rules.get_mut(*index) {
                rule.copy(&seen, sink);
            }
        }
    }

    /// One finished stream.
    pub fn stream(&mut self, seen: &StreamSeen<'_>) {
        let Self { rules, for_streams, sink, agreements, .. } = self;
        let agreement = seen.call.and_then(|call| agreements.of(call));
        let seen = StreamSeen { agreement, ..*seen };
        for index in for_streams {
            if let Some(rule) = rules.get_mut(*index) {
                rule.stream(&seen, sink);
            }
        }
    }

    /// One offer about security that has met its answer.
    pub fn exchange(&mut self, exchange: &Exchange) {
        let seen = NegotiationSeen::new(exchange);
        let Self { rules, for_negotiations, sink, agreements, announced, .. } = self;
        agreements.note(&seen);
        if exchange.repeats {
            return;
        }
        for (statement, media) in seen.media() {
            announced.note(exchange.call, statement, &media.media, &media.fingerprints);
        }
        for index in for_negotiations {
            if let Some(rule) = rules.get_mut(*index) {
                rule.negotiation(&seen, sink);
            }
        }
    }

    /// One handshake.
    pub fn handshake(&mut self, seen: &HandshakeSeen<'_>) {
        let Self { rules, for_handshakes, sink, announced, .. } = self;
        let seen = HandshakeSeen { announced: Some(announced), ..*seen };
        for index in for_handshakes {
            if let Some(rule) = rules.get_mut(*index) {
                rule.handshake(&seen, sink);
            }
        }
    }

    /// One thing the tap tells about itself.
    pub fn tap(&mut self, seen: &TapSeen) {
        let Self { rules, for_tap, sink, .. } = self;
        for index in for_tap {
            if let Some(rule) = rules.get_mut(*index) {
                rule.tap(seen, sink);
            }
        }
    }

    /// One thing that went beside RTP.
    pub fn media(&mut self, seen: &MediaSeen<'_>) {
        let Self { rules, for_media, sink, .. } = self;
        for index in for_media {
            if let Some(rule) = rules.get_mut(*index) {
                rule.media(seen, sink);
            }
        }
    }

    /// Entries that the rules' own tables had no room for so far, by table; to be added to the
    /// capture's `evicted` before [`Self::finish`].
    pub fn evicted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let rules = self.rules.iter().map(|rule| rule.evicted());
        let all = rules.chain([
            (agreements::TABLE, self.agreements.evicted()),
            (announced::TABLE, self.announced.evicted()),
        ]);
        all.filter(|(_, evicted)| *evicted > 0)
    }

    /// The links made since the last call, for a collector that spools them: see
    /// [`Outcome::places`].
    pub fn take_links(&mut self) -> Vec<(RecordKey, u32)> {
        self.sink.take_links()
    }

    /// Counts everything that was left to be counted together.
    pub fn settle(&mut self) {
        self.sink.settle();
    }

    /// Findings raised so far. Their numbers count from 0, in the order in which they were raised.
    pub fn raised(&self) -> usize {
        self.sink.len()
    }

    /// A finding as it stands now, once [`Self::settle`] has been called.
    pub fn preview(&self, number: usize) -> Option<Finding> {
        self.sink.preview(number, |entry| words(&self.rules, entry))
    }

    /// The end of the capture: what only the whole can tell, then every finding.
    pub fn finish(self, capture: &CaptureSeen<'_>) -> Outcome {
        let Self { mut rules, mut sink, .. } = self;
        for rule in &mut rules {
            rule.end(capture, &mut sink);
        }
        sink.finish(|entry| words(&rules, entry))
    }
}

/// What the rule of a finding says about it.
fn words(rules: &[Box<dyn Detector + Send>], entry: &Entry) -> Words {
    let rule = rules.iter().find(|rule| std::ptr::eq(rule.meta(), entry.meta));
    rule.map(|rule| rule.summarise(entry)).unwrap_or_default()
}

impl std::fmt::Debug for Detectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detectors").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod testing;
