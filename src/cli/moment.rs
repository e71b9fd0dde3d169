//! Moments on the command line (`--from`, `--to`): RFC 3339, the same with a blank or less of it,
//! and seconds since 1970. Without an offset they are UTC, as every time that is printed.

use crate::model::time::{Span, Ts};

const FORMS: &str = "a time like 2026-11-22T08:05:27Z, '2026-11-22 08:05:27.5', 2026-11-22 or \
                     1795334727.5 is needed";

/// Reads a moment.
///
/// # Errors
/// The forms that are understood.
pub(super) fn moment(text: &str) -> Result<Ts, String> {
    let read = if text.contains('-') && !text.starts_with('-') { calendar } else { epoch };
    read(text.trim()).ok_or_else(|| FORMS.to_owned())
}

/// `seconds[.fraction]` since 1970.
fn epoch(text: &str) -> Option<Ts> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    at(number(seconds)?, nanos(fraction)?)
}

/// `year-month-day[(T| )hour:minute[:second[.fraction]][Z|(+|-)hour:minute]]`.
fn calendar(text: &str) -> Option<Ts> {
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at.checked_add(1)?..)?.trim()),
        None => (text, "00:00"),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (number(parts.next()?)?, two(parts.next()?)?, two(parts.next()?)?);
    let whole = parts.next().is_none() && (1677..=2262).contains(&year);
    if !whole || !(1..=days_in(year, month)?).contains(&day) {
        return None;
    }
    let (time, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => (rest.get(..at)?.trim_end(), offset(rest.get(at..)?)?),
        None => (rest, 0),
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.split(':');
    let (hour, minute) = (two(parts.next()?)?, two(parts.next()?)?);
    let second = parts.next().map_or(Some(0), two)?;
    // A leap second is the next one, as in a capture.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    at(seconds, nanos(fraction)?)
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hour, minute) = rest.split_once(':')?;
    let (hour, minute) = (two(hour)?, two(minute)?);
    (hour < 24 && minute < 60).then_some(sign * (hour * 3_600 + minute * 60))
}

fn at(seconds: i64, nanos: i64) -> Option<Ts> {
    let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    Some(Ts::default().plus(Span::from_nanos(nanos)))
}

/// Digits behind the point as nanoseconds; more than nine are cut.
fn nanos(digits: &str) -> Option<i64> {
    let digits: String = digits.chars().chain("000000000".chars()).collect();
    digits.chars().all(|c| c.is_ascii_digit()).then(|| digits.get(..9)?.parse().ok()).flatten()
}

fn number(text: &str) -> Option<i64> {
    text.chars().all(|c| c.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A number of two digits.
fn two(text: &str) -> Option<i64> {
    number(text).filter(|_| text.len() == 2)
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    Some(match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    })
}

/// Days since 1970-01-01, with years that begin in March, so that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_one_moment_is_that_moment() {
        for text in [
            "2026-11-22T08:05:27.250Z",
            "2026-11-22t08:05:27.25z",
            "2026-11-22 08:05:27.25",
            "2026-11-22T10:05:27.25+02:00",
            "2026-11-21T23:35:27.25-08:30",
            "1795334727.25",
        ] {
            assert_eq!(moment(text).unwrap().to_string(), "2026-11-22T08:05:27.250000000Z");
        }
        assert_eq!(moment("2024-02-29").unwrap().to_string(), "2024-02-29T00:00:00.000000000Z");
        assert_eq!(moment("1970-01-01 00:00").unwrap(), Ts::default());
        assert_eq!(moment("0").unwrap(), Ts::default());
    }

    #[test]
    fn every_day_of_four_centuries_reads_back_as_it_is_printed() {
        for day in -100_000..100_000_i64 {
            let ts = at(day * 86_400, 0).unwrap();
            assert_eq!(moment(&ts.to_string()), Ok(ts));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_the_forms() {
        for text in [
            "",
            "now",
            "2026-13-01",
            "2026-02-29",
            "2026-11-22T25:00",
            "2026-11-22T08:05:27+2",
            "-5",
            "1.2.3",
            "2026-1-1",
            "99999999999999999999",
            "2026-11-22T08:05:27.x",
        ] {
            assert!(moment(text).unwrap_err().contains("is needed"), "{text}");
        }
    }
}
