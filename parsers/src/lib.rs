//! Parsers for what a SIP/RTP tap sees: bytes in, borrowed values out.
//!
//! **Contract.** Every function returns for every input, without a panic; a test sweeps each entry
//! point over truncations, bit flips and chunkings. There is no I/O, clock, log or thread here.
#![forbid(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions)]

pub mod anomaly;
mod cursor;
pub mod demux;
pub mod dtls;
pub mod framed;
pub mod fuzz;
pub mod fuzz_headers;
pub mod fuzz_media;
pub mod mikey;
pub mod msrp;
pub mod quic;
pub mod rtcp;
pub mod rtp;
pub mod sctp;
pub mod sdp;
pub mod secret;
pub mod sip;
mod sixteen;
pub mod stun;
pub mod tls;
pub mod udptl;
pub mod websocket;
pub mod zrtp;
