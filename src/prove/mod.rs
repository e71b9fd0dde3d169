//! L7: what an eavesdropper gets to hear, as proof; made on request only.

pub mod audio;
pub mod codec;
