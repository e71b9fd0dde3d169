//! L4: what one cell keeps of its flows, bounded, aged by packet time.

pub mod figures;
pub mod law;
pub mod slot;
pub mod stream;
pub mod timer;
