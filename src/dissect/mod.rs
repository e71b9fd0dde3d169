//! L3: bytes of one flow to events: what a datagram is, where a message ends on a stream.

#![deny(clippy::arithmetic_side_effects, clippy::as_conversions)]

pub mod dtls_handshake;
pub mod dtls_messages;
pub mod frame_stream;
pub mod gathered;
pub mod msrp_stream;
pub mod quic_hello;
pub mod sip_marks;
pub mod sip_names;
pub mod sip_stream;
pub mod tcp_probe;
pub mod tls_handshake;
pub mod tls_open;
pub mod tls_stream;
pub mod ws_stream;
