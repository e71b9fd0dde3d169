//! What media gives away, and how its keys travel.

pub(super) mod audio_level_leak;
pub(super) mod avp_but_encrypted;
pub(super) mod cleartext_rtp;
pub(super) mod downgrade_answer;
pub(super) mod downgrade_reinvite;
pub(super) mod downgrade_retry;
pub(super) mod dtls_fp_unprotected;
pub(super) mod dtls_fp_weak_hash;
pub(super) mod dtls_no_fingerprint;
pub(super) mod dtls_setup_bad;
pub(super) mod dtmf_info_clear;
pub(super) mod dtmf_kpml_clear;
pub(super) mod early_cleartext;
pub(super) mod opportunistic_declined;
pub(super) mod opportunistic_mixed;
pub(super) mod savp_but_cleartext;
pub(super) mod savp_but_cleartext_authonly;
mod sdes;
pub(super) mod sdes_f8;
pub(super) mod sdes_key_exposed;
pub(super) mod sdes_malformed;
pub(super) mod sdes_on_avp;
pub(super) mod sdes_short_tag;
pub(super) mod sdes_unauthenticated;
pub(super) mod sdes_unencrypted_srtcp;
pub(super) mod sdes_unencrypted_srtp;
pub(super) mod sdes_unknown_suite;
mod secured;

#[cfg(test)]
mod tests;

/// What rules about key lines advise.
const SDES_FIX: &str = "Offer only registered suites with full-length keys and tags, without UNENCRYPTED or UNAUTHENTICATED parameters; prefer AEAD_AES_256_GCM or AES_CM_128_HMAC_SHA1_80, and carry keys only inside TLS.";

/// What rules about lost encryption advise.
const DOWNGRADE_FIX: &str = "The call fell back to unencrypted media. Configure secure-only offers on the side named and alarm on 488/415 to secure offers.";

/// What rules about DTLS-SRTP advise.
const DTLS_FIX: &str = "Use DTLS 1.2+ with ECDHE, SHA-256 fingerprints protected by TLS signalling or a signed Identity (mky), profile AEAD or AES128_CM_80.";

/// What rules about agreed and missing encryption advise.
const SAVP_FIX: &str = "Encryption was agreed but is not applied. Treat as a product defect: check the media security profile of the sender named in the evidence and retest.";
