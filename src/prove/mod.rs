//! L7: what an eavesdropper can do with the keys that a capture shows.
//!
//! [`srtp`] checks and opens protected media with a key; which keys belong to which stream is the
//! engine's to know.

pub mod srtp;
