//! L5: facts of all lanes to calls, registrations and bound streams.

mod call;
mod call_record;
mod call_table;
mod call_text;
pub mod dialogs;
pub mod event;
mod intern;
mod names;
mod offer_answer;
pub mod outbox;
pub mod placement;
mod registration;
mod session;
mod slots;
mod timers;
mod transaction;
mod transfer;
mod view;
