//! Where sequence numbers stand to what is wanted next, RFC 9293 §3.4.

use super::Direction;

impl Direction {
    /// Whether a segment with this sequence number does not begin before what was delivered.
    pub fn is_new(&self, seq: u32) -> bool {
        self.next.is_none_or(|next| seq.wrapping_sub(next) < 1 << 31)
    }

    /// Where a sequence number lies, and whether that is within reach of what is wanted next.
    pub(super) fn place(&self, seq: u32) -> Option<(u64, bool)> {
        let next = self.next?;
        let ahead = seq.wrapping_sub(next);
        let behind = next.wrapping_sub(seq);
        let reach = self.limits.tcp_window;
        Some(if ahead < 1 << 31 {
            (self.base.saturating_add(u64::from(ahead)), ahead <= reach)
        } else {
            (self.base.saturating_sub(u64::from(behind)), behind <= reach.saturating_mul(4))
        })
    }
}
