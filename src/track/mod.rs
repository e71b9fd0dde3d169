//! L4: what one cell keeps of its flows, bounded, aged by packet time.

pub mod alarm;
pub mod cell;
pub mod dtls_flows;
pub mod emit;
pub mod figures;
pub mod flow_table;
mod index;
pub mod input;
pub mod law;
pub mod notes;
pub mod sctp_flows;
pub mod shared;
mod sip_fact;
pub mod slot;
pub mod srtcp_flows;
pub mod statistic;
pub mod stream;
mod tcp_carried;
pub mod tcp_connection;
pub mod tcp_flows;
pub mod timer;
mod tls_flow;
mod tls_opening;
pub mod tones;
pub mod turn_flows;
pub mod udptl_flows;
pub mod verdict;
