//! L5: facts of all lanes to calls, registrations, bound streams.

pub mod event;
pub mod media;
pub mod outbox;
pub mod placement;
pub mod rtcp;
pub mod stream_record;
