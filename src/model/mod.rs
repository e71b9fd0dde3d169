//! L1: plain values that every layer shares. No I/O, no clock, no thread.

pub mod addr;
pub mod frame;
pub mod stream;
pub mod time;
