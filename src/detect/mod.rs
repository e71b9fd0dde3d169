//! L6: facts to findings, one file per rule.
//!
//! [`CATALOGUE`] lists the rules; [`Detectors`] runs them all on what the collector hands on, in
//! the total order of the capture, and puts what they sight into one [`Sink`](sink::Sink). A rule is called
//! only for what it wants ([`Interest`](rule::Interest)): a SIP message without credentials, challenge, `a=crypto`
//! or cut reaches only the rules that want every message.
//!
//! Nothing here knows calls, streams or protocols other than through what it is shown
//! ([`seen`]), and nothing else in the program makes findings.

mod agreements;
pub mod ahead;
mod alike;
pub mod announced;
mod book;
mod by_hash;
pub mod calls;
mod detectors;
mod entry;
pub mod hop;
mod kinds;
mod lately;
mod ledger;
pub mod listing;
pub mod marks;
pub mod negotiation;
mod peers;
mod rate;
pub mod redact;
pub mod rule;
pub mod seen;
pub mod shows;
pub mod sink;
mod small;
mod subject;
pub mod tap_loss;
mod tap_seen;
mod text;

mod auth;
mod media;
mod qos;
mod sensor;
mod sig;
mod sip;
mod sips;
mod tls;

pub use self::detectors::Detectors;
use self::rule::{Detector, Meta};
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
    media::dtls_foreign_hello,
    media::dtls_fp_mismatch,
    media::dtls_fp_unprotected,
    media::dtls_fp_unverifiable,
    media::dtls_fp_weak_hash,
    media::dtls_mky_mismatch,
    media::dtls_no_fingerprint,
    media::dtls_no_use_srtp,
    media::dtls_not_completed,
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
    media::srtp_replay,
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
    qos::dscp_remarked,
    qos::fragment,
    qos::jitter,
    qos::late_media,
    qos::loss,
    qos::mos,
    qos::no_rtp,
    qos::one_way,
    qos::pdd,
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
    tls::cert_chain_incomplete,
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
    tls::cert_shared_key,
    tls::cert_sig_md5,
    tls::cert_sig_sha1,
    tls::cert_untrusted,
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
    tls::fallback_scsv_rejected,
    tls::fp_new,
    tls::grease,
    tls::handshake_failed,
    tls::handshake_flood,
    tls::handshake_slow,
    tls::heartbeat,
    tls::heartbleed,
    tls::idea,
    tls::insecure_reneg,
    tls::ja3,
    tls::ja4,
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
    tls::reneg_seen,
    tls::sigalg_missing,
    tls::sigalg_sha1_offered,
    tls::ske_md5,
    tls::ske_sha1,
    tls::sni_missing,
    tls::sni_unrecognized,
    tls::ssl2,
    tls::ssl3,
    tls::static_dh,
    tls::static_rsa,
    tls::suite_unknown,
    tls::ticket_long,
    tls::ticket_reuse_old,
    tls::trunc_hmac,
    tls::version_dance,
];

/// The rule of this id, in any case of letters, or of this name.
pub fn rule(id: &str) -> Option<&'static Meta> {
    let mut all = CATALOGUE.iter().map(|registered| registered.meta);
    all.find(|meta| meta.id.eq_ignore_ascii_case(id) || meta.name.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod testing;
