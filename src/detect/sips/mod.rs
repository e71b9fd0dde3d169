//! `sips` URIs: what they promise, and who breaks it (RFC 5630).

pub(super) mod contact_not_sips;
pub(super) mod diversion_down;
pub(super) mod over_cleartext;
pub(super) mod register_both;
pub(super) mod retry_sip;
pub(super) mod to_sip_rewrite;
pub(super) mod transport_tls;
pub(super) mod via_not_tls;

/// What every rule of this family advises.
const FIX: &str =
    "Send all SIP on this trunk over TLS and close 5060; never retry in clear after a TLS failure.";
