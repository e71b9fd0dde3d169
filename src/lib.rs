//! `overhear`: what an eavesdropper, a forger or a spammer could do with the SIP and RTP traffic
//! in a capture, with proof.
//!
//! The crate is a stack of layers; arrows point down only (`tests/architecture.rs`):
//!
//! | layer | modules | knows |
//! | --- | --- | --- |
//! | L9 | [`cli`] | argv, exit statuses |
//! | L8 | [`engine`] | threads, channels, lanes, epochs |
//! | L7 | [`report`], [`prove`], [`scenario`] | findings and records to bytes; text to packets |
//! | L6 | [`detect`] | facts to findings, one file per rule |
//! | L5 | [`correlate`] | facts of all lanes to calls, registrations, bound streams |
//! | L4 | [`track`] | per flow and bounded: streams, TCP, handshakes |
//! | L3 | [`dissect`] | bytes of one flow to events |
//! | L2 | [`capture`], [`decode`], [`reassemble`] | sources to frames to datagrams to ordered bytes |
//! | L1 | [`model`], [`policy`] | plain values; thresholds and limits |
//! | L0 | `overhear_parsers` | bytes to borrowed values; no I/O, clock, log, thread |
//!
//! Start reading at [`model::fact`], then [`engine`].

pub mod model;
pub mod policy;

pub mod capture;
pub mod decode;
pub mod reassemble;

pub mod dissect;

pub mod track;

pub mod correlate;

pub mod detect;

pub mod prove;
pub mod report;
pub mod scenario;

pub mod engine;

pub mod cli;
