//! Date (RFC 3261 §20.17): `Sat, 13 Nov 2010 23:29:00 GMT`, and no other zone. The days are those of
//! the proleptic Gregorian calendar; leap seconds are accepted and count as the next second.

use crate::cursor::{narrow, trim, word};

/// A moment, UTC.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix_seconds: i64,
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];

impl Date {
    /// Reads a value as the grammar has it; letters in any case. `None` for another zone than GMT,
    /// a day that does not exist, or a weekday that is not that of the day.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (weekday, rest) = word(trim(value));
        let (day, rest) = word(rest);
        let (month, rest) = word(rest);
        let (year, rest) = word(rest);
        let (time, zone) = word(rest);
        let weekday = weekday.strip_suffix(b",")?;
        let month_number = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
        let days = days(digits(year, 4)?, i64::try_from(month_number).ok()?, digits(day, 2)?)?;
        let second = seconds(time)?;
        let place = usize::try_from(days.rem_euclid(7)).ok()?;
        let named = WEEKDAYS.get(place)?.eq_ignore_ascii_case(weekday);
        let unix_seconds = days.checked_mul(86_400)?.checked_add(second)?;
        (named && zone.eq_ignore_ascii_case(b"GMT")).then_some(Self { unix_seconds })
    }
}

/// Exactly so many digits.
fn digits(text: &[u8], len: usize) -> Option<i64> {
    if text.len() == len { narrow(text) } else { None }
}

/// Seconds of the day of `hh:mm:ss`.
fn seconds(text: &[u8]) -> Option<i64> {
    let mut parts = text.split(|&octet| octet == b':');
    let mut part = |below| digits(parts.next()?, 2).filter(|&number| number < below);
    let (hour, minute, second) = (part(24)?, part(60)?, part(61)?);
    let whole = parts.next().is_none();
    whole.then(|| {
        hour.saturating_mul(3600).saturating_add(minute.saturating_mul(60)).saturating_add(second)
    })
}

/// Days since 1970-01-01; `month` from 0, `day` from 1.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    let length = match month {
        1 if leap => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the leap day is the last: month m of them begins on day
    // (153 m + 2) / 5.
    let (year, month) = if month < 2 {
        (year.checked_sub(1)?, month.checked_add(10)?)
    } else {
        (year, month.checked_sub(2)?)
    };
    let leaps =
        year.div_euclid(4).checked_sub(year.div_euclid(100))?.checked_add(year.div_euclid(400))?;
    let of_year = month.checked_mul(153)?.checked_add(2)?.div_euclid(5);
    let all = year.checked_mul(365)?.checked_add(leaps)?.checked_add(of_year)?.checked_add(day)?;
    all.checked_sub(719_469)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<i64> {
        Date::parse(text.as_bytes()).map(|date| date.unix_seconds)
    }

    #[test]
    fn a_date_is_a_moment() {
        assert_eq!(read("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(read("Sat, 13 Nov 2010 23:29:00 GMT"), Some(1_289_690_940));
        assert_eq!(read("Thu, 29 Feb 2024 12:00:00 gmt"), Some(1_709_208_000));
        assert_eq!(read("Fri, 31 Dec 1999 23:59:59 GMT"), Some(946_684_799));
    }

    #[test]
    fn another_zone_or_a_day_that_never_was_is_no_date() {
        for bad in [
            "Fri, 01 Jan 2010 16:00:00 EST",
            "Thu, 29 Feb 2023 12:00:00 GMT",
            "Fri, 13 Nov 2010 23:29:00 GMT",
            "Sat, 13 Nov 10 23:29:00 GMT",
            "Sat, 13 Nov 2010 24:00:00 GMT",
            "Sat, 13 Nov 2010 23:29 GMT",
            "Sat, 00 Nov 2010 23:29:00 GMT",
            "2010-11-13T23:29:00Z",
            "",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
