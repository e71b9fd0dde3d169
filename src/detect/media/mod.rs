//! What media gives away, how its keys travel, and who else sends.

pub(super) mod after_bye;
pub(super) mod audio_level_leak;
pub(super) mod avp_but_encrypted;
pub(super) mod cleartext_rtp;
pub(super) mod cn_clear;
mod company;
pub(super) mod downgrade_answer;
pub(super) mod downgrade_reinvite;
pub(super) mod downgrade_retry;
pub(super) mod dtls_foreign_hello;
pub(super) mod dtls_fp_mismatch;
pub(super) mod dtls_fp_unprotected;
pub(super) mod dtls_fp_unverifiable;
pub(super) mod dtls_fp_weak_hash;
pub(super) mod dtls_mky_mismatch;
pub(super) mod dtls_no_fingerprint;
pub(super) mod dtls_no_use_srtp;
pub(super) mod dtls_not_completed;
pub(super) mod dtls_profile_null;
pub(super) mod dtls_profile_short_tag;
pub(super) mod dtls_setup_bad;
pub(super) mod dtmf_4733_clear;
pub(super) mod dtmf_inband;
pub(super) mod dtmf_info_clear;
pub(super) mod dtmf_kpml_clear;
pub(super) mod early_cleartext;
pub(super) mod fax_inband_clear;
pub(super) mod fax_t38_clear;
mod keys;
pub(super) mod kline;
pub(super) mod mikey_exposed;
pub(super) mod msrp_clear;
pub(super) mod opportunistic_declined;
pub(super) mod opportunistic_mixed;
pub(super) mod rtcp_bye_forged;
pub(super) mod rtcp_cleartext;
pub(super) mod rtcp_cname_leak;
pub(super) mod rtcp_name_leak;
pub(super) mod rtp_bleed;
pub(super) mod rtp_foreign_source;
pub(super) mod rtp_inject;
pub(super) mod rtp_port_sweep;
pub(super) mod rtt_clear;
pub(super) mod savp_but_cleartext;
pub(super) mod savp_but_cleartext_authonly;
mod sdes;
pub(super) mod sdes_decrypt_proven;
pub(super) mod sdes_f8;
pub(super) mod sdes_high_initial_seq;
pub(super) mod sdes_key_exposed;
pub(super) mod sdes_key_passthrough;
pub(super) mod sdes_key_reuse;
pub(super) mod sdes_malformed;
pub(super) mod sdes_on_avp;
pub(super) mod sdes_short_tag;
pub(super) mod sdes_unauthenticated;
pub(super) mod sdes_unencrypted_srtcp;
pub(super) mod sdes_unencrypted_srtp;
pub(super) mod sdes_unknown_suite;
pub(super) mod sdes_weak_key;
mod secured;
pub(super) mod seq_jump;
mod sighting;
pub(super) mod srtcp_e0;
pub(super) mod srtp_replay;
pub(super) mod srtp_two_time_pad;
pub(super) mod ssrc_change;
pub(super) mod ssrc_collision;
pub(super) mod unsignalled;
pub(super) mod vbr_leak;
pub(super) mod video_clear;
pub(super) mod zrtp_hash_mismatch;
mod zrtp_hello;
pub(super) mod zrtp_no_hash;
pub(super) mod zrtp_not_secure;
pub(super) mod zrtp_sas_unknown;

use crate::model::finding::Figure;

/// A threshold in milliseconds as a parameter.
fn count(milliseconds: i64) -> Figure {
    Figure::Count(u64::try_from(milliseconds).unwrap_or(0))
}

#[cfg(test)]
mod tests;

/// What the rules about foreign sources advise.
const FIX_SOURCES: &str = "Enable strict RTP source checking (SBC latching with timeout), SRTP authentication, and update the media server; see AST-2017-005/008.";
/// What the rules about metadata advise.
const FIX_METADATA: &str = "Use SRTCP with encryption, random per-session CNAME (RFC 7022), encrypt header extensions (RFC 6904), constant bit rate or padding (RFC 6562).";
/// What the rules about digits, pages and messages advise.
const FIX_CONTENT: &str = "Digits, fax pages or messages are readable. Carry them only in SRTP / TLS (UDP/TLS/UDPTL, TLS/MSRP); never in INFO over clear signalling.";
/// What the rules about readable media advise.
const FIX_MEDIA: &str = "Media on this trunk can be recorded and played by anyone on the path. Require SRTP on both directions (DTLS-SRTP, or SDES carried only inside TLS) and reject RTP/AVP offers (488).";
/// What the rules about ZRTP advise.
const FIX_ZRTP: &str = "Announce the ZRTP hello hash in SDP over protected signalling and compare the SAS; remove MIKEY-NULL and k= lines.";
/// What the rule about media without signalling advises.
const FIX_SIGNALLING: &str = "Let the sensor see the signalling of this media, or give it the keys: what it does not see it cannot judge.";
/// What rules about key lines advise.
const SDES_FIX: &str = "Offer only registered suites with full-length keys and tags, without UNENCRYPTED or UNAUTHENTICATED parameters; prefer AEAD_AES_256_GCM or AES_CM_128_HMAC_SHA1_80, and carry keys only inside TLS.";

/// What rules about lost encryption advise.
const DOWNGRADE_FIX: &str = "The call fell back to unencrypted media. Configure secure-only offers on the side named and alarm on 488/415 to secure offers.";

/// What rules about DTLS-SRTP advise.
const DTLS_FIX: &str = "Use DTLS 1.2+ with ECDHE, SHA-256 fingerprints protected by TLS signalling or a signed Identity (mky), profile AEAD or AES128_CM_80.";

/// What rules about agreed and missing encryption advise.
const SAVP_FIX: &str = "Encryption was agreed but is not applied. Treat as a product defect: check the media security profile of the sender named in the evidence and retest.";
