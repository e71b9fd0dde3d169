//! What media gives away, and how its keys travel.

pub(super) mod cleartext_rtp;
pub(super) mod rtcp_cleartext;
pub(super) mod sdes_key_exposed;
pub(super) mod srtcp_e0;

#[cfg(test)]
mod tests;
