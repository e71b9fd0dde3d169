//! pcapng interfaces: their description and statistics blocks, and the units of their times
//! (draft-ietf-opsawg-pcapng §4.2, §4.6).

use super::options::{COMMENT, Options};
use super::order::Order;
use crate::model::frame::LinkType;
use crate::model::time::{Span, Ts};

/// What packets need to know of their interface, and what it said last of its drops.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) link: LinkType,
    /// Octets captured of each packet at most; 0 in the file, `u32::MAX` here, is no limit.
    pub(super) snap_length: u32,
    pub(super) resolution: Resolution,
    /// `if_tsoffset`.
    pub(super) offset: Span,
    /// `if_fcslen` in octets.
    pub(super) fcs_octets: Option<u8>,
    pub(super) received: Option<u64>,
    pub(super) if_drops: Option<u64>,
    pub(super) system_drops: Option<u64>,
}

/// How long one tick of a time stamp is (`if_tsresol`).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// That many nanoseconds.
    Nanos(u64),
    /// That many ticks are one nanosecond.
    PerNano(u64),
    /// 2 to that power of ticks are one second.
    Binary(u8),
}

impl Interface {
    /// Reads the body of an interface description block, counting its comments; `None` if it is
    /// too short to be one.
    pub(super) fn described(order: Order, body: &[u8], comments: &mut u64) -> Option<Self> {
        let (&[l0, l1, _, _, s0, s1, s2, s3], options) = body.split_first_chunk::<8>()?;
        let snap_length = match order.u32([s0, s1, s2, s3]) {
            0 => u32::MAX,
            length => length,
        };
        let mut interface = Self {
            link: LinkType(order.u16([l0, l1])),
            snap_length,
            resolution: Resolution::Nanos(1000),
            offset: Span::ZERO,
            fcs_octets: None,
            received: None,
            if_drops: None,
            system_drops: None,
        };
        for (code, value) in Options::new(order, options) {
            match (code, value) {
                (COMMENT, _) => *comments = comments.saturating_add(1),
                (9, &[value, ..]) => interface.resolution = Resolution::of(value),
                (13, &[value, ..]) => interface.fcs_octets = Some(value),
                (14, value) => {
                    if let Some(seconds) = value.first_chunk::<8>() {
                        let seconds = order.u64(*seconds).cast_signed();
                        interface.offset = Span::from_secs(seconds);
                    }
                }
                _ => {}
            }
        }
        Some(interface)
    }

    /// Takes over the options of an interface statistics block.
    pub(super) fn statistics(&mut self, order: Order, options: &[u8], comments: &mut u64) {
        for (code, value) in Options::new(order, options) {
            let number = value.first_chunk::<8>().map(|octets| order.u64(*octets));
            match code {
                COMMENT => *comments = comments.saturating_add(1),
                4 => self.received = number.or(self.received),
                5 => self.if_drops = number.or(self.if_drops),
                7 => self.system_drops = number.or(self.system_drops),
                _ => {}
            }
        }
    }

    /// The moment a time stamp of this interface means.
    #[inline]
    pub(super) fn time(&self, high: u32, low: u32) -> Ts {
        let ticks = u64::from(high) << 32 | u64::from(low);
        Ts::from_nanos(self.resolution.nanos(ticks)).plus(self.offset)
    }
}

impl Resolution {
    /// Reads `if_tsresol`: a negative power of 10, or of 2 if the top bit is set.
    fn of(value: u8) -> Self {
        let power = value & 0x7f;
        if value & 0x80 != 0 {
            return Self::Binary(power);
        }
        match power.checked_sub(9) {
            None => Self::Nanos(10_u64.saturating_pow(u32::from(9_u8.saturating_sub(power)))),
            // From 10^-29 on all of 64 bits are less than a nanosecond.
            Some(finer) => Self::PerNano(10_u64.saturating_pow(u32::from(finer))),
        }
    }

    /// Ticks in nanoseconds, rounded down; the end of time if they are too many.
    #[inline]
    fn nanos(self, ticks: u64) -> i64 {
        let nanos = match self {
            Self::Nanos(nanos) => ticks.checked_mul(nanos),
            Self::PerNano(per_nano) => ticks.checked_div(per_nano),
            Self::Binary(power) => {
                let scaled = u128::from(ticks).saturating_mul(1_000_000_000);
                u64::try_from(scaled >> power).ok()
            }
        };
        nanos.and_then(|nanos| i64::try_from(nanos).ok()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_every_resolution_become_nanoseconds_and_never_wrap() {
        for (resolution, ticks, nanos) in [
            (0, 3, 3_000_000_000),
            (6, 1_700_000_000_000_001, 1_700_000_000_000_001_000),
            (9, 7, 7),
            (12, 2_999, 2),
            (0x8a, 1536, 1_500_000_000),
            (0x80, 2, 2_000_000_000),
            (127, u64::MAX - 1, 0),
            (0xff, u64::MAX, 0),
            (0, u64::MAX, i64::MAX),
            (6, u64::MAX, i64::MAX),
            (0x81, u64::MAX, i64::MAX),
        ] {
            assert_eq!(Resolution::of(resolution).nanos(ticks), nanos, "{resolution} {ticks}");
        }
    }
}
