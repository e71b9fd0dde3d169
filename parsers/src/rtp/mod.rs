//! RTP: the header, the static payload types and the extended sequence number.

pub mod header;
pub mod payload;
pub mod sequence;
