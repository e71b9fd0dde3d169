//! How signalling travels: in clear or not, and what it gives away.

pub(super) mod clear_on_5061;
pub(super) mod cleartext;
pub(super) mod digest_cleartext;
pub(super) mod hep_mirror_clear;
pub(super) mod mixed_transport;
pub(super) mod tls_fallback_clear;
pub(super) mod tls_on_other;

#[cfg(test)]
mod tests;

/// What every rule of this family advises.
const FIX: &str =
    "Send all SIP on this trunk over TLS and close 5060; never retry in clear after a TLS failure.";
