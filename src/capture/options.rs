//! pcapng options: code, length and a value padded to four octets
//! (draft-ietf-opsawg-pcapng §3.5).
//!
//! A list that breaks off ends there; what came before it counts.

use super::order::Order;

/// `opt_comment`.
pub(super) const COMMENT: u16 = 1;

/// The options of one block, one after the other.
pub(super) struct Options<'a> {
    order: Order,
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    /// The options in `octets`, the end of a block's body.
    pub(super) fn new(order: Order, octets: &'a [u8]) -> Self {
        Self { order, rest: octets }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[c0, c1, l0, l1], tail) = self.rest.split_first_chunk::<4>()?;
        let code = self.order.u16([c0, c1]);
        if code == 0 {
            self.rest = &[];
            return None;
        }
        let length = usize::from(self.order.u16([l0, l1]));
        let value = tail.get(..length)?;
        self.rest = tail.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_end_at_their_end_mark_or_where_they_break_off() {
        let list = [1, 0, 3, 0, b'a', b'b', b'c', 0, 9, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1, 0];
        let found: Vec<_> = Options::new(Order::Little, &list).collect();
        assert_eq!(found, [(1, &b"abc"[..]), (9, &[6][..])]);
        for cut in 0..list.len() {
            assert!(Options::new(Order::Little, &list[..cut]).count() <= 2);
        }
    }
}
