//! L5: facts of all lanes to calls, registrations and bound streams.

pub mod archive;
mod call;
mod call_record;
mod call_table;
mod call_text;
pub mod certificates;
pub mod dialogs;
pub mod event;
mod few;
pub mod handshake;
mod index;
mod intern;
mod join;
pub mod media;
mod names;
mod offer_answer;
pub mod outbox;
pub mod placement;
mod radix;
mod registration;
pub mod rtcp;
#[cfg(test)]
pub(crate) mod sample;
mod seen_index;
mod session;
mod slots;
pub mod spool;
pub mod stream_record;
pub mod tally;
mod timers;
pub mod tls_grade;
pub mod tls_peers;
mod transaction;
mod transfer;
mod view;
