//! L7: what an eavesdropper gets to hear, as proof; made on request only.

pub mod codec;
