//! L1: plain values that every layer shares. No I/O, no clock, no thread.

pub mod addr;
pub mod capture;
pub mod code_point;
pub mod evidence;
pub mod fact;
pub mod fetch;
pub mod figures;
pub mod finding;
pub mod frame;
pub mod handshake;
pub mod id;
pub mod key;
pub mod notes;
pub mod packed;
pub mod record;
pub mod revealed;
pub mod shared;
pub mod stream;
pub mod tally;
mod text;
pub mod time;
pub mod tls_peer;
pub mod transport;
