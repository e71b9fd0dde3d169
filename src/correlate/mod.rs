//! L5: facts of all lanes to calls, registrations and streams bound to calls.

pub mod archive;
pub mod spool;
pub mod tally;

#[cfg(test)]
pub(crate) mod sample;
