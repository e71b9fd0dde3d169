//! L5: facts of all lanes to calls, registrations, bound streams.

pub mod event;
pub mod media;
pub mod outbox;
pub mod placement;
pub mod rtcp;
pub mod stream_record;
//! L5: facts of all lanes to calls, registrations and bound streams.
mod call;
mod call_record;
mod call_table;
pub mod dialogs;
mod intern;
mod names;
mod offer_answer;
mod registration;
mod session;
mod slots;
mod timers;
mod transaction;
mod view;
