//! Packet time: the only kind of time below `engine`.
//!
//! A capture says when each packet was seen; nothing here or above reads a clock
//! (`engine/clock.rs` is the exception, and it only ends epochs). Values are nanoseconds since
//! 1970-01-01T00:00:00Z and never wrap: arithmetic saturates.

use std::fmt;

use serde::{Serialize, Serializer};

use super::text::Short;

/// A moment of packet time, in nanoseconds since the Unix epoch, UTC.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ts(i64);

/// A length of packet time, in nanoseconds; negative when a capture runs backwards.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Ts {
    /// Before everything: the watermark of a capture that has not begun.
    pub const MIN: Self = Self(i64::MIN);
    /// After everything: the watermark that flushes every timer.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment `nanos` nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded towards the past.
    pub const fn second(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// This moment moved by `span`.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This moment moved back by `span`.
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this is.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of `secs` seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// The span in nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The span in seconds, for output only.
    #[expect(
        clippy::cast_precision_loss,
        reason = "output; a float holds 100 days of nanoseconds exactly"
    )]
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span in milliseconds, for output only: divided once, so that it prints as it was captured.
    #[expect(
        clippy::cast_precision_loss,
        reason = "output; a float holds 100 days of nanoseconds exactly"
    )]
    pub fn millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Ts {
    /// RFC 3339 in UTC with nine digits of fraction.
    fn text(self) -> Short {
        let second = self.second();
        let (year, month, day) = civil_from_days(second.div_euclid(86_400));
        let of_day = second.rem_euclid(86_400);
        let mut text = Short::EMPTY;
        // All fit: the years are 1677 to 2262.
        let small = |number: i64| u32::try_from(number).unwrap_or_default();
        let of_day = small(of_day);
        text.digits::<4>(small(year));
        text.push(b'-');
        text.digits::<2>(small(month));
        text.push(b'-');
        text.digits::<2>(small(day));
        text.push(b'T');
        text.digits::<2>(of_day / 3600);
        text.push(b':');
        text.digits::<2>(of_day / 60 % 60);
        text.push(b':');
        text.digits::<2>(of_day % 60);
        text.push(b'.');
        text.digits::<9>(small(self.0.rem_euclid(1_000_000_000)));
        text.push(b'Z');
        text
    }
}

/// RFC 3339 in UTC with nine digits of fraction, as every output prints it.
impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Serialize for Ts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

/// Days since 1970-01-01 to (year, month, day) of the proleptic Gregorian calendar.
///
/// The year is counted from March, so that the leap day is the last of a year, in eras of
/// 400 years (146,097 days).
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468; // 0000-03-01 is day 0
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_print_as_rfc_3339() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
            (1_795_316_764_793_107_426, "2026-11-22T03:06:04.793107426Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(Ts::from_nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Ts::MAX.plus(Span::from_secs(1)), Ts::MAX);
        assert_eq!(Ts::MIN.minus(Span::from_secs(1)), Ts::MIN);
        let _ = (Ts::MIN.to_string(), Ts::MAX.to_string());
    }
}
