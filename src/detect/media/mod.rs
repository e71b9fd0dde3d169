//! What media gives away, and how its keys travel.

pub(super) mod cleartext_rtp;
mod keys;
pub(super) mod kline;
pub(super) mod mikey_exposed;
pub(super) mod sdes_decrypt_proven;
pub(super) mod sdes_key_exposed;
pub(super) mod sdes_key_passthrough;
pub(super) mod sdes_key_reuse;
pub(super) mod sdes_weak_key;
pub(super) mod srtp_two_time_pad;

use crate::model::finding::Figure;

/// A threshold in milliseconds as a parameter.
fn count(milliseconds: i64) -> Figure {
    Figure::Count(u64::try_from(milliseconds).unwrap_or(0))
}

#[cfg(test)]
mod tests;
