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

    /// A number in decimal, with leading zeros up to `digits`.
    pub(super) fn decimal(&mut self, number: u64, digits: usize) {
        let needed = number.checked_ilog10().and_then(|log| usize::try_from(log).ok());
        let mut rest = number;
        for place in self.places(needed.map_or(1, |log| log + 1).max(digits)).iter_mut().rev() {
            *place = digit(rest % 10);
            rest /= 10;
        }
    }

    /// The lowest `digits` hexadecimal digits of a number.
    pub(super) fn hexadecimal(&mut self, number: u64, digits: usize) {
        let mut rest = number;
        for place in self.places(digits).iter_mut().rev() {
            let nibble = rest & 0xf;
            *place = if nibble < 10 { digit(nibble) } else { digit(nibble) + (b'a' - b':') };
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

/// The digit of a number below 10.
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
            text.decimal(number, 0);
            text.push(b' ');
            text.decimal(number % 1000, 3);
            text.push(b' ');
            text.hexadecimal(number, 16);
            assert_eq!(text.as_str(), format!("{number} {:03} {number:016x}", number % 1000));
        }
    }
}
