//! L7: findings and records to octets, one file per format.

pub mod calls;
mod encode;
pub mod events;
mod finding_json;
pub mod findings;
mod grades;
mod handshake_json;
pub mod json;
pub mod ladder;
pub mod lines;
pub mod listen;
pub mod ndjson;
pub mod opened;
mod out;
pub mod outcome;
mod pieces;
mod put;
mod records;
pub mod safe;
pub mod schema;
pub mod terminal;
pub mod text;
mod verdict;

pub use outcome::Outcome;

#[cfg(test)]
pub(crate) mod sample;
