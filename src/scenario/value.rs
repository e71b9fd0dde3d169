//! Words to values: numbers, spans of time, moments, lists of packet numbers.

/// Nanoseconds in a millisecond.
pub(super) const MS: i64 = 1_000_000;
/// Nanoseconds in a microsecond.
pub(super) const US: i64 = 1_000;

/// The longest span that a scenario may name: ten years.
const LONGEST: i64 = 10 * 366 * 86_400 * 1_000_000_000;

/// A decimal or `0x` hexadecimal number.
pub(super) fn number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is not a number"))
}

/// A number that fits the type asked for.
pub(super) fn narrow<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    T::try_from(number(text)?).map_err(|_| format!("`{text}` is too large"))
}

/// A span such as `20ms`, `1.5s`, `10us`, `3m`, in nanoseconds.
pub(super) fn span(text: &str) -> Result<i64, String> {
    let bad = || format!("`{text}` is not a span of time such as 20ms, 1.5s or 10us");
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(bad)?;
    let (value, unit) = text.split_at_checked(digits).ok_or_else(bad)?;
    let unit: i64 = match unit {
        "ns" => 1,
        "us" => US,
        "ms" => MS,
        "s" => 1_000 * MS,
        "m" => 60_000 * MS,
        "h" => 3_600_000 * MS,
        _ => return Err(bad()),
    };
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    if !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(bad());
    }
    let whole: i64 = whole.parse().map_err(|_| bad())?;
    let mut nanos = whole.checked_mul(unit).ok_or_else(bad)?;
    let mut scale = unit;
    for digit in part.bytes() {
        scale /= 10;
        nanos = nanos.saturating_add(scale.saturating_mul(i64::from(digit.wrapping_sub(b'0'))));
    }
    if nanos > LONGEST { Err(format!("`{text}` is longer than ten years")) } else { Ok(nanos) }
}

/// A moment such as `2026-01-02T03:04:05Z`, in nanoseconds since 1970.
pub(super) fn moment(text: &str) -> Result<i64, String> {
    let bad = || format!("`{text}` is not a moment such as 2026-01-02T03:04:05Z");
    let (date, time) = text.strip_suffix('Z').and_then(|t| t.split_once('T')).ok_or_else(bad)?;
    let fields = |text: &str, separator| -> Option<[i64; 3]> {
        let mut parts = text.split(separator).map(|part| part.parse::<u32>().ok().map(i64::from));
        let found = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(found)
    };
    let [year, month, day] = fields(date, '-').ok_or_else(bad)?;
    let [hour, minute, second] = fields(time, ':').ok_or_else(bad)?;
    let in_range = (1970..=2200).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return Err(bad());
    }
    let days = days_from_civil(year, month, day);
    Ok((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 * MS)
}

/// Days since 1970-01-01 of a proleptic Gregorian date; the year counts from March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A list such as `3,7,10-14`, as inclusive ranges.
pub(super) fn ranges(text: &str) -> Result<Vec<(u64, u64)>, String> {
    text.split(',')
        .map(|item| {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            Ok((number(first)?, number(last)?))
        })
        .collect()
}

/// Whether a list of ranges holds a number.
pub(super) fn within(ranges: &[(u64, u64)], value: u64) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&value))
}

/// The low 16 bits.
pub(super) const fn low16(value: u64) -> u16 {
    let [.., a, b] = value.to_be_bytes();
    u16::from_be_bytes([a, b])
}

/// The low 32 bits.
pub(super) const fn low32(value: u64) -> u32 {
    let [.., a, b, c, d] = value.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// A length that must fit 16 bits.
pub(super) fn length16(length: usize) -> Result<[u8; 2], String> {
    u16::try_from(length)
        .map(u16::to_be_bytes)
        .map_err(|_| format!("{length} octets do not fit a 16-bit length"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Ts;

    #[test]
    fn spans_are_exact() {
        assert_eq!(span("20.4ms").unwrap(), 20_400_000);
        assert_eq!(span("1.5s").unwrap(), 1_500_000_000);
        assert_eq!(span("10us").unwrap(), 10_000);
        assert!(
            span("1.2.3s").is_err()
                && span("10").is_err()
                && span("ms").is_err()
                && span("9999999h").is_err()
        );
    }

    #[test]
    fn moments_are_what_every_output_prints() {
        let nanos = moment("2026-01-02T03:04:05Z").unwrap();
        assert_eq!(Ts::from_nanos(nanos).to_string(), "2026-01-02T03:04:05.000000000Z");
        let leap = moment("2000-02-29T00:00:00Z").unwrap();
        assert_eq!(Ts::from_nanos(leap).to_string(), "2000-02-29T00:00:00.000000000Z");
        assert!(moment("2026-13-01T00:00:00Z").is_err() && moment("now").is_err());
    }

    #[test]
    fn ranges_hold_both_ends() {
        let list = ranges("3,7-9").unwrap();
        assert!(within(&list, 3) && within(&list, 9) && !within(&list, 4));
        assert!(ranges("3,x").is_err());
    }
}
