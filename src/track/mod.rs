//! L4: what one cell keeps of its flows, bounded, aged by packet time.

pub mod alarm;
pub mod cell;
pub mod dtls_flows;
pub mod emit;
pub mod figures;
mod index;
pub mod input;
pub mod law;
pub mod slot;
pub mod stream;
pub mod tcp_connection;
pub mod tcp_flows;
pub mod timer;
