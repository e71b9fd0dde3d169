//! The 16-bit sequence number, extended by its wraps (RFC 3550 §6.4.1, appendix A.1).
//!
//! Only arithmetic: what counts as a loss or a restart is decided where streams are tracked.

/// The extended number nearest to `highest` whose low 16 bits are `sequence`.
///
/// `highest` is the highest extended number so far: wraps above, the last number sent below. A
/// packet up to 32,767 behind comes out lower, one up to 32,768 ahead higher. Saturates at 0, so
/// start with a cycle in hand: see [`first`].
pub const fn extend(highest: u32, sequence: u16) -> u32 {
    let [_, _, high, low] = highest.to_be_bytes();
    let ahead = sequence.wrapping_sub(u16::from_be_bytes([high, low]));
    let [high, low] = ahead.to_be_bytes();
    if ahead > 0x8000 {
        let [high, low] = ahead.wrapping_neg().to_be_bytes();
        highest.saturating_sub(u32::from_be_bytes([0, 0, high, low]))
    } else {
        highest.saturating_add(u32::from_be_bytes([0, 0, high, low]))
    }
}

/// The extended number of the first packet seen: one cycle up, so that an older one has a place.
pub const fn first(sequence: u16) -> u32 {
    let [high, low] = sequence.to_be_bytes();
    u32::from_be_bytes([0, 1, high, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_goes_on_counting_and_an_older_packet_goes_back() {
        let start = first(65_534);
        assert_eq!(extend(start, 65_535), 0x1_ffff);
        assert_eq!(extend(0x1_ffff, 0), 0x2_0000);
        assert_eq!(extend(0x2_0000, 65_535), 0x1_ffff);
        assert_eq!(extend(first(0), 65_535), 0xffff);
        assert_eq!(extend(first(7), 7), first(7));
    }
}
