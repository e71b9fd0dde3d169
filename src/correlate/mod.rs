//! L5: facts of all lanes to calls, registrations and bound streams.

pub mod event;
pub mod outbox;
pub mod placement;
