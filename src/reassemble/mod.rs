//! L2: fragments to datagrams, segments to ordered octets, and frames seen twice.
//!
//! Everything here is bounded twice: by a number of entries and by a [`purse::Purse`] of octets.
//! What had to be given up is counted by name. Time is the watermark of the frame in hand, so the
//! result does not depend on how often anything is swept.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::as_conversions))]

pub mod duplicate;
pub mod ip;
pub mod purse;
pub mod tcp;
