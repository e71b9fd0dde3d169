//! Short texts made without allocation or formatting machinery: a report has millions of times,
//! addresses and ids, and writing them is a good part of its cost.

use std::fmt;

/// At most 64 octets of ASCII.
#[derive(Copy, Clone)]
pub(super) struct Short {
    octets: [u8; 64],
    length: usize,
}

impl Short {
    pub(super) const EMPTY: Self = Self { octets: [0; 64], length: 0 };

    pub(super) fn as_str(&self) -> &str {
        let written = self.octets.get(..self.length).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }

    pub(super) fn push(&mut self, octet: u8) {
        if let Some(place) = self.octets.get_mut(self.length) {
            *place = octet;
            self.length += 1;
        }
    }

    /// A number in decimal.
    pub(super) fn decimal(&mut self, number: u64) {
        let log = number.checked_ilog10().and_then(|log| usize::try_from(log).ok());
        let mut rest = number;
        for place in self.places(log.map_or(1, |log| log + 1)).iter_mut().rev() {
            *place = digit(rest % 10);
            rest /= 10;
        }
    }

    /// The lowest `DIGITS` decimal digits of a number.
    pub(super) fn digits<const DIGITS: usize>(&mut self, number: u32) {
        let mut rest = number;
        let mut digits = [b'0'; DIGITS];
        for place in digits.iter_mut().rev() {
            *place = digit(u64::from(rest % 10));
            rest /= 10;
        }
        if let Some(places) = self.places(DIGITS).first_chunk_mut() {
            *places = digits;
        }
    }

    /// The lowest `digits` hexadecimal digits of a number.
    pub(super) fn hexadecimal(&mut self, number: u64, digits: usize) {
        let mut rest = number;
        for place in self.places(digits).iter_mut().rev() {
            let nibble = rest & 0xf;
            let letter = if nibble < 10 { 0 } else { b'a' - b':' };
            *place = digit(nibble).wrapping_add(letter);
            rest >>= 4;
        }
    }

    /// Room for `count` more octets; none if they do not fit.
    fn places(&mut self, count: usize) -> &mut [u8] {
        let end = self.length.saturating_add(count);
        let places = self.octets.get_mut(self.length..end).unwrap_or_default();
        self.length = self.length.saturating_add(places.len());
        places
    }
}

/// The digit of a number below 10, and what follows `9` in ASCII for those above.
fn digit(number: u64) -> u8 {
    let [.., low] = number.to_be_bytes();
    low.wrapping_add(b'0')
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for octet in text.bytes() {
            self.push(octet);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_formatting_writes_them() {
        for number in [0, 7, 10, 99, 100, 65_535, u64::MAX] {
            let mut text = Short::EMPTY;
            text.decimal(number);
            text.push(b' ');
            text.digits::<3>(u32::try_from(number % 100_000).unwrap());
            text.push(b' ');
            text.hexadecimal(number, 16);
            assert_eq!(text.as_str(), format!("{number} {:03} {number:016x}", number % 1000));
        }
    }
}
