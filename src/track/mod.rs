//! L4: what one cell keeps of its flows, bounded, aged by packet time.

pub mod figures;
pub mod law;
pub mod slot;
pub mod stream;
pub mod timer;
pub mod alarm;
pub mod cell;
pub mod dtls_flows;
pub mod emit;
pub mod input;
pub mod tcp_flows;
