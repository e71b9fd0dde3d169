//! What media gives away, and how its keys travel.

pub(super) mod cleartext_rtp;
pub(super) mod sdes_key_exposed;

#[cfg(test)]
mod tests;
