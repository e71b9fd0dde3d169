//! Texts and numbers as JSON writes them (RFC 8259), and the fixed forms of the report: times,
//! endpoints, ids. A report has millions of each, so that each is made in place, without the formatting
//! machinery, and text is looked at eight octets at a time and copied up to what needs an escape.
//!
//! Numbers come out as `serde_json` writes them; those that it alone writes well are left to it.

use std::io::Write as _;

use super::safe::is_unsafe;
use crate::model::addr::Endpoint;
use crate::model::id::RecordId;
use crate::model::time::{Ts, civil_from_days};

/// `00` to `99`.
#[expect(clippy::indexing_slicing, reason = "while compiling")]
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let (mut tens, mut number) = (0, 0);
    while tens < 10 {
        let mut ones = 0;
        while ones < 10 {
            pairs[number] = [b'0' + tens, b'0' + ones];
            ones += 1;
            number += 1;
        }
        tens += 1;
    }
    pairs
};

/// `0.` to `255.`, and how many octets of each count.
#[expect(clippy::indexing_slicing, reason = "while compiling")]
const LABELS: [([u8; 4], u8); 256] = {
    let mut labels = [([b'.'; 4], 0); 256];
    let mut number = 0;
    while number < 256 {
        let [low, ..] = usize::to_le_bytes(number);
        let (hundreds, tens, ones) = (b'0' + low / 100, b'0' + low / 10 % 10, b'0' + low % 10);
        labels[number] = match low {
            0..10 => ([ones, b'.', 0, 0], 2),
            10..100 => ([tens, ones, b'.', 0], 3),
            100.. => ([hundreds, tens, ones, b'.'], 4),
        };
        number += 1;
    }
    labels
};

/// The two digits of a number below 100.
#[inline]
fn pair(number: u64) -> [u8; 2] {
    let [low, ..] = (number % 100).to_le_bytes();
    PAIRS.get(usize::from(low)).copied().unwrap_or_default()
}

/// A number in decimal.
#[inline]
pub(super) fn decimal(number: u64, out: &mut Vec<u8>) {
    match number {
        0..10 => out.push(pair(number)[1]),
        10..100 => out.extend_from_slice(&pair(number)),
        _ => large(number, out),
    }
}

/// A number of three digits or more: a function of its own, so that the smaller ones cost little.
#[inline(never)]
fn large(number: u64, out: &mut Vec<u8>) {
    let digits = eight(number);
    if number >= EIGHT {
        decimal(number / EIGHT, out);
        return out.extend_from_slice(&digits);
    }
    let word = u64::from_le_bytes(digits);
    // The first digit that is no zero.
    let zeros = (word ^ (ONES * u64::from(b'0'))).trailing_zeros() / 8;
    some(word >> (8 * zeros), 8 - zeros, out);
}

/// What has more than eight digits.
const EIGHT: u64 = 100_000_000;

/// The last eight digits of a number, zeros in front.
#[inline]
fn eight(number: u64) -> [u8; 8] {
    let pairs = [number / 1_000_000, number / 10_000, number / 100, number].map(pair);
    pairs.as_flattened().try_into().unwrap_or_default()
}

/// So many of the octets of a word, the lowest first: written all eight, which takes no loop, and cut.
#[inline]
fn some(word: u64, octets: u32, out: &mut Vec<u8>) {
    let end = out.len().saturating_add(usize::try_from(octets).unwrap_or_default());
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(end);
}

/// A number with its sign.
pub(super) fn signed(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    decimal(number.unsigned_abs(), out);
}

/// A number with a point, if it is one of those that nearly all of a report are: up to a million,
/// with nine decimals at most. False if nothing was written.
///
/// A number of 15 digits or fewer is the only one of so few digits for the float nearest to it, so
/// that the shortest form of the float, which is what `serde_json` writes, has just these digits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "whether the conversion was exact is what the comparison finds out"
)]
pub(super) fn short_float(value: f64, out: &mut Vec<u8>) -> bool {
    const SCALE: u64 = 1_000_000_000;
    if value.to_bits() == 0 {
        out.extend_from_slice(b"0.0");
        return true;
    }
    // Below, digits are written with an exponent; and of the two zeros one has a sign.
    if value < 1e-4 || value.partial_cmp(&1e6) != Some(std::cmp::Ordering::Less) {
        return false;
    }
    // Most have three decimals at most.
    let thousandths = (value * 1e3 + 0.5) as u32;
    if f64::from(thousandths) / 1e3 == value {
        with_thousandths(u64::from(thousandths), out);
        return true;
    }
    let scaled = (value * SCALE as f64 + 0.5) as u64;
    if scaled as f64 / SCALE as f64 != value {
        return false;
    }
    decimal(scaled / SCALE, out);
    out.extend_from_slice(&[b'.', pair(scaled / EIGHT)[1]]);
    out.extend_from_slice(&eight(scaled));
    while let [.., b'0'..=b'9', b'0'] = out.as_slice() {
        out.pop();
    }
    true
}

/// So many thousandths, with a point: at least one digit behind it, and no zero behind that at the end.
#[inline]
#[expect(clippy::many_single_char_names, reason = "three digits and three")]
fn with_thousandths(number: u64, out: &mut Vec<u8>) {
    let (whole, fraction) = (number / 1_000, number % 1_000);
    if whole >= 1_000 {
        decimal(whole / 1_000, out);
    }
    let [[_, a], [b, c]] = [pair(whole / 100), pair(whole)];
    let [[_, d], [e, f]] = [pair(fraction / 100), pair(fraction)];
    let word = u64::from_le_bytes([a, b, c, b'.', d, e, f, 0]);
    let leading = if whole >= 1_000 { 0 } else { u32::from(whole < 100) + u32::from(whole < 10) };
    let trailing = u32::from(f == b'0') + u32::from(f == b'0' && e == b'0');
    some(word >> (8 * leading), 7 - leading - trailing, out);
}

/// The lowest eight hexadecimal digits of a number.
#[inline]
fn hexadecimal(number: u64) -> [u8; 8] {
    // Each nibble to an octet of its own.
    let spread = number & 0xffff | (number & 0xffff_0000) << 16;
    let spread = spread & 0x0000_00ff_0000_00ff | (spread & 0x0000_ff00_0000_ff00) << 8;
    let spread = spread & 0x000f_000f_000f_000f | (spread & 0x00f0_00f0_00f0_00f0) << 4;
    // 1 in the octets that are a letter.
    let letters = (spread + ONES * 6) >> 4 & ONES;
    let letter = u64::from(b'a' - b'9' - 1);
    (spread + ONES * u64::from(b'0') + letters * letter).to_be_bytes()
}

/// A synchronisation source: `"0x0123abcd"`.
#[inline]
pub(super) fn ssrc(ssrc: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"0x");
    out.extend_from_slice(&hexadecimal(ssrc.into()));
    out.push(b'"');
}

/// A code point by number: `"0xc02f"`.
#[inline]
pub(super) fn number(code: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"0x");
    let [_, _, _, _, digits @ ..] = hexadecimal(code.into());
    out.extend_from_slice(&digits);
    out.push(b'"');
}

/// A record's id, in quotes.
#[inline]
pub(super) fn id(id: RecordId, out: &mut Vec<u8>) {
    let [letter, ..] = id.number().to_be_bytes();
    let [_, _, high @ ..] = hexadecimal(id.number() >> 32);
    out.extend_from_slice(&[b'"', letter]);
    out.extend_from_slice(&high);
    out.extend_from_slice(&hexadecimal(id.number()));
    out.push(b'"');
}

/// An endpoint, in quotes.
#[inline]
pub(super) fn endpoint(endpoint: &Endpoint, out: &mut Vec<u8>) {
    out.push(b'"');
    if let Some(octets) = endpoint.addr.as_v4() {
        for octet in octets {
            let (text, length) = LABELS.get(usize::from(octet)).copied().unwrap_or_default();
            let end = out.len().saturating_add(length.into());
            out.extend_from_slice(&text);
            out.truncate(end);
        }
        // The colon stands where another label would have followed.
        out.pop();
        out.push(b':');
        decimal(endpoint.port.into(), out);
    } else {
        // Writing to memory cannot fail.
        let _ = write!(out, "{endpoint}");
    }
    out.push(b'"');
}

/// Writes times, and remembers the day: it is mostly that of the time before.
#[derive(Debug)]
pub(super) struct Calendar {
    /// Its beginning, nanoseconds.
    midnight: i64,
    /// Year, month and day of it, as digits.
    date: [[u8; 2]; 4],
}

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

impl Default for Calendar {
    fn default() -> Self {
        Self { midnight: 0, date: [*b"19", *b"70", *b"01", *b"01"] }
    }
}

impl Calendar {
    /// RFC 3339 in UTC with nine digits of fraction, in quotes.
    #[inline]
    pub(super) fn time(&mut self, at: Ts, out: &mut Vec<u8>) {
        let since = |midnight: i64| at.nanos().wrapping_sub(midnight).cast_unsigned();
        if since(self.midnight) >= DAY {
            self.turn(at);
        }
        let (of_day, nanos) = (since(self.midnight) / SECOND, since(self.midnight) % SECOND);
        let [century, year, month, date] = self.date;
        let [hour, minute, second] = [of_day / 3_600, of_day / 60 % 60, of_day % 60].map(pair);
        let [a, b, c, d] =
            [nanos / 10_000_000, nanos / 100_000, nanos / 1_000, nanos / 10].map(pair);
        let [_, last] = pair(nanos % 10);
        out.extend_from_slice(&[
            b'"', century[0], century[1], year[0], year[1], b'-', month[0], month[1], b'-',
            date[0], date[1], b'T', hour[0], hour[1], b':', minute[0], minute[1], b':', second[0],
            second[1], b'.', a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1], last, b'Z', b'"',
        ]);
    }

    #[cold]
    fn turn(&mut self, at: Ts) {
        let day = at.second().div_euclid(86_400);
        // All fit: the years are 1677 to 2262.
        let (year, month, date) = civil_from_days(day);
        self.date = [year / 100, year, month, date]
            .map(|number| pair(u64::try_from(number).unwrap_or_default()));
        // The first day begins before the first time there is.
        self.midnight = day.wrapping_mul(DAY.cast_signed());
    }
}

/// Text in quotes, escaped.
pub(super) fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if all_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        odd(text, out);
    }
}

/// Text that needs an escape or is not all ASCII, and the closing quote.
fn odd(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let (plain, tail) = rest.split_at_checked(plain(rest.as_bytes())).unwrap_or((rest, ""));
        out.extend_from_slice(plain.as_bytes());
        let mut tail = tail.chars();
        let Some(c) = tail.next() else { break };
        escaped(c, out);
        rest = tail.as_str();
    }
    out.push(b'"');
}

/// `0x01` in every octet.
const ONES: u64 = u64::MAX / 0xff;

/// The high bit of every octet.
const HIGH: u64 = ONES << 7;

/// Whether [`plain`] octets are all there is: sixteen at a time, which processors compare at once, the
/// last sixteen once more if some are left.
#[inline]
fn all_plain(octets: &[u8]) -> bool {
    #[inline]
    fn special(octets: &[u8; 16]) -> bool {
        let special = |octet: &u8| !matches!(octet, 0x20..=0x7e) | matches!(octet, b'"' | b'\\');
        octets.iter().fold(false, |found, octet| found | special(octet))
    }
    let (blocks, _) = octets.as_chunks::<16>();
    let Some(last) = octets.last_chunk() else { return short_plain(octets) };
    !blocks.iter().fold(special(last), |found, block| found | special(block))
}

/// The same of fewer than sixteen: eight at a time.
#[inline]
fn short_plain(octets: &[u8]) -> bool {
    /// A high bit for a special octet, and maybe for others above it in the same word.
    #[inline]
    fn special(word: [u8; 8]) -> u64 {
        let word = u64::from_le_bytes(word);
        let control = word.wrapping_sub(ONES * 0x20);
        let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
        let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
        // DEL and all beyond ASCII.
        let above = word.wrapping_add(ONES) | word;
        control | quote | backslash | above
    }
    let (words, tail) = octets.as_chunks::<8>();
    let last = octets.last_chunk().copied().unwrap_or_else(|| short(tail));
    let found = words.iter().fold(special(last), |found, word| found | special(*word));
    found & HIGH == 0
}

/// Fewer than eight octets as eight: some of them twice, or spaces.
#[inline]
fn short(octets: &[u8]) -> [u8; 8] {
    if let (Some([a, b, c, d]), Some([w, x, y, z])) = (octets.first_chunk(), octets.last_chunk()) {
        return [*a, *b, *c, *d, *w, *x, *y, *z];
    }
    let at = |place: usize| octets.get(place).copied().unwrap_or(b' ');
    [at(0), at(1), at(2), b' ', b' ', b' ', b' ', b' ']
}

/// How many of the first octets are printable ASCII that JSON leaves alone.
fn plain(octets: &[u8]) -> usize {
    /// The high bit of the first octet that is 0 (and maybe of later ones), in little-endian order.
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word
    }
    let (words, tail) = octets.as_chunks::<8>();
    let mut seen = 0_usize;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zeros(word ^ (ONES * 0x22));
        let backslash = zeros(word ^ (ONES * 0x5c));
        // DEL and all beyond ASCII.
        let above = word.wrapping_add(ONES) | word;
        let found = (control | quote | backslash | above) & HIGH;
        if found != 0 {
            let before = usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
            return seen.saturating_add(before);
        }
        seen = seen.saturating_add(8);
    }
    let special = |octet: &u8| !matches!(octet, 0x20..=0x7e) || matches!(octet, b'"' | b'\\');
    seen.saturating_add(tail.iter().position(special).unwrap_or(tail.len()))
}

fn escaped(c: char, out: &mut Vec<u8>) {
    let short = match c {
        '"' => b"\\\"",
        '\\' => b"\\\\",
        '\u{8}' => b"\\b",
        '\u{c}' => b"\\f",
        '\n' => b"\\n",
        '\r' => b"\\r",
        '\t' => b"\\t",
        c if !is_unsafe(c) => {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
            return;
        }
    };
    out.extend_from_slice(short);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::addr::Addr;
    use crate::model::id::Kind;
    use proptest::prelude::*;

    fn written(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn fixed_forms_are_those_of_every_output(
            nanos: i64, later in 0..86_400_000_000_000_i64, number: u64, octets: [u8; 16], port: u16,
        ) {
            let (first, second) = (Ts::from_nanos(nanos), Ts::from_nanos(nanos.saturating_add(later)));
            let mut calendar = Calendar::default();
            for at in [first, second, first] {
                let time = written(|out| calendar.time(at, out));
                prop_assert_eq!(time, format!("\"{at}\""));
            }
            let stream = RecordId::new(Kind::Stream, number);
            prop_assert_eq!(written(|out| id(stream, out)), format!("\"{stream}\""));
            let [a, b, c, d, ..] = octets;
            for addr in [Addr::v6(octets), Addr::v4([a, b, c, d])] {
                let at = Endpoint::new(addr, port);
                prop_assert_eq!(written(|out| endpoint(&at, out)), format!("\"{at}\""));
            }
            let low = u32::from(port) << 11;
            prop_assert_eq!(written(|out| ssrc(low, out)), format!("\"0x{low:08x}\""));
        }

        #[test]
        fn plain_octets_are_counted_up_to_the_first_special_one(
            octets in prop::collection::vec(prop_oneof![8 => 0x20u8..0x7f, 1 => any::<u8>()], 0..40),
        ) {
            let special = |octet: &u8| {
                !(0x20..0x7f).contains(octet) || *octet == b'"' || *octet == b'\\'
            };
            let first = octets.iter().position(special).unwrap_or(octets.len());
            prop_assert_eq!(plain(&octets), first);
            prop_assert_eq!(all_plain(&octets), first == octets.len());
        }
    }
}
