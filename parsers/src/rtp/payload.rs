//! The payload types that the audio/video profile assigns for ever (RFC 3551 §6, tables 4 and 5),
//! and which numbers can be one at all.
//!
//! Dynamic types get their name and clock from SDP, not here.

/// Audio or video.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Audio.
    Audio,
    /// Video.
    Video,
    /// Either, or both in one stream (MP2T).
    Both,
}

/// What RFC 3551 assigns to one payload type.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Static {
    /// The encoding name, as SDP's `a=rtpmap` would spell it.
    pub name: &'static str,
    /// Ticks of the timestamp per second. For G722 it is 8000, although it samples at 16000.
    pub clock_rate: u32,
    /// Channels; 0 for video.
    pub channels: u8,
    /// Audio or video.
    pub kind: Kind,
}

/// How a payload type number may be used.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Assigned in RFC 3551.
    Assigned,
    /// 96 to 127: for SDP to give a meaning.
    Dynamic,
    /// 35 to 63: allowed for SDP once 96 to 127 are used up (RFC 3551 §3).
    Overflow,
    /// 64 to 95: these would look like RTCP (RFC 5761 §4); or reserved and unassigned below 35.
    Never,
}

/// What RFC 3551 §6 assigns to `payload_type`; `None` for every other number.
#[rustfmt::skip]
pub const fn assigned(payload_type: u8) -> Option<Static> {
    Some(match payload_type {
        0 => audio("PCMU", 8000, 1),
        3 => audio("GSM", 8000, 1),
        4 => audio("G723", 8000, 1),
        5 => audio("DVI4", 8000, 1),
        6 => audio("DVI4", 16000, 1),
        7 => audio("LPC", 8000, 1),
        8 => audio("PCMA", 8000, 1),
        9 => audio("G722", 8000, 1),
        10 => audio("L16", 44100, 2),
        11 => audio("L16", 44100, 1),
        12 => audio("QCELP", 8000, 1),
        13 => audio("CN", 8000, 1),
        14 => audio("MPA", 90000, 1),
        15 => audio("G728", 8000, 1),
        16 => audio("DVI4", 11025, 1),
        17 => audio("DVI4", 22050, 1),
        18 => audio("G729", 8000, 1),
        25 => video("CelB"),
        26 => video("JPEG"),
        28 => video("nv"),
        31 => video("H261"),
        32 => video("MPV"),
        33 => Static { name: "MP2T", clock_rate: 90000, channels: 0, kind: Kind::Both },
        34 => video("H263"),
        _ => return None,
    })
}

/// How a stream may use `payload_type` (0 to 127).
pub const fn usage(payload_type: u8) -> Usage {
    match payload_type {
        35..=63 => Usage::Overflow,
        96..=127 => Usage::Dynamic,
        other if assigned(other).is_some() => Usage::Assigned,
        // 19 was comfort noise before 13, and 2 was G726-32: old gateways still send both.
        2 | 19 => Usage::Assigned,
        _ => Usage::Never,
    }
}

const fn audio(name: &'static str, clock_rate: u32, channels: u8) -> Static {
    Static { name, clock_rate, channels, kind: Kind::Audio }
}

const fn video(name: &'static str) -> Static {
    Static { name, clock_rate: 90000, channels: 0, kind: Kind::Video }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_the_profile() {
        assert_eq!(assigned(0).map(|s| (s.name, s.clock_rate)), Some(("PCMU", 8000)));
        assert_eq!(assigned(9).map(|s| s.clock_rate), Some(8000));
        assert_eq!(assigned(34).map(|s| s.kind), Some(Kind::Video));
        assert_eq!((0..=255).filter(|&pt| assigned(pt).is_some()).count(), 24);
    }

    #[test]
    fn numbers_that_would_look_like_rtcp_are_never_media() {
        assert!((64..=95).all(|pt| usage(pt) == Usage::Never));
        assert_eq!(usage(96), Usage::Dynamic);
        assert_eq!(usage(35), Usage::Overflow);
        assert_eq!(usage(20), Usage::Never);
    }
}
