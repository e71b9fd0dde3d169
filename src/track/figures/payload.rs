//! What the payload of one packet may be, by the headers and frame sizes of each codec's payload
//! format. One packet proves little; a look counts.

use overhear_parsers::rtp::header::Header;

use crate::model::figures::Figures;

/// Counts the payload under every codec that it may be of.
pub(super) fn count(payload: &[u8], counts: &mut Figures) {
    counts.gsm += u16::from(is_gsm(payload));
    counts.g723 += u16::from(is_g723(payload));
    counts.amr += u16::from(is_amr(payload, amr_octets));
    counts.amr_wb += u16::from(is_amr(payload, amr_wb_octets));
    counts.h263 += u16::from(is_h263(payload));
    counts.h264 += u16::from(is_h264(payload));
    counts.h265 += u16::from(is_h265(payload));
    counts.vp8 += u16::from(is_vp8(payload));
    counts.runs += u16::from(has_run(payload));
    counts.text += u16::from(is_text(payload));
}

/// RFC 4733 §2.3: event, E, R, volume and duration; R is 0 and the event a DTMF digit or flash.
pub(super) fn event(payload: &[u8]) -> Option<(u8, u16)> {
    match *payload {
        [event @ 0..=16, volume, a, b] if volume & 0x40 == 0 => {
            Some((event, u16::from_be_bytes([a, b])))
        }
        _ => None,
    }
}

/// RFC 3551 §4.5.8: frames of 33 octets, each with the signature 0xD in its first four bits.
fn is_gsm(payload: &[u8]) -> bool {
    let frames = payload.chunks(33);
    !payload.is_empty()
        && frames.into_iter().all(|frame| frame.len() == 33 && matches!(frame, [0xd0..=0xdf, ..]))
}

/// RFC 3551 §4.5.3: the two low bits of a frame's first octet give its size.
fn is_g723(payload: &[u8]) -> bool {
    let mut rest = payload;
    while let [first, ..] = rest {
        let size = match first & 3 {
            0 => 24,
            1 => 20,
            2 => 4,
            _ => return false,
        };
        let Some(next) = rest.get(size..) else { return false };
        rest = next;
    }
    !payload.is_empty()
}

/// RFC 4867 §4.4, octet-aligned without interleaving: mode request, table of contents, frames.
fn is_amr(payload: &[u8], octets: fn(u8) -> Option<usize>) -> bool {
    let [request, rest @ ..] = payload else { return false };
    if request & 0x0f != 0 {
        return false;
    }
    let (mut entries, mut speech) = (0_usize, 0_usize);
    for entry in rest {
        if entry & 3 != 0 {
            return false;
        }
        let Some(size) = octets(entry >> 3 & 0x0f) else { return false };
        entries += 1;
        speech += size;
        if entry & 0x80 == 0 {
            return rest.len() == entries + speech;
        }
    }
    false
}

fn amr_octets(frame_type: u8) -> Option<usize> {
    Some(match frame_type {
        0 => 12,
        1 => 13,
        2 => 15,
        3 => 17,
        4 => 19,
        5 => 20,
        6 => 26,
        7 => 31,
        8 => 5,
        15 => 0,
        _ => return None,
    })
}

fn amr_wb_octets(frame_type: u8) -> Option<usize> {
    Some(match frame_type {
        0 => 17,
        1 => 23,
        2 => 32,
        3 => 36,
        4 => 40,
        5 => 46,
        6 => 50,
        7 => 58,
        8 => 60,
        9 => 5,
        14 | 15 => 0,
        _ => return None,
    })
}

/// RFC 6716 §3.1: the duration that the first octets of an Opus packet state, in 48 kHz ticks.
pub(super) fn opus_ticks(payload: &[u8]) -> Option<u32> {
    let &first = payload.first()?;
    let frame = match (first >> 3, first >> 3 & 3) {
        (0..=11, size) => [480, 960, 1920, 2880].into_iter().nth(usize::from(size))?,
        (12..=15, size) => [480, 960].into_iter().nth(usize::from(size & 1))?,
        (_, size) => 120 << size,
    };
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3f),
    };
    Some(frame * frames)
}

/// RFC 2190 §5: a picture format in use and, in mode A, zeros where nothing is said of B frames; in
/// modes B and C a quantizer and zeros in the reserved bits.
fn is_h263(payload: &[u8]) -> bool {
    match payload {
        [first, format, reserved, rest, ..] if first & 0x80 == 0 => {
            let plain = first & 0x40 == 0;
            matches!(format >> 5, 1..=5)
                && format & 1 == 0
                && reserved & 0xe0 == 0
                && (!plain || (*reserved, *rest) == (0, 0))
        }
        [_, format, _, reserved, ..] => {
            matches!(format >> 5, 1..=5) && format & 0x1f != 0 && matches!(reserved & 3, 0)
        }
        _ => false,
    }
}

/// RFC 6184 §5.2: the forbidden bit is 0 and the type is a unit, an aggregation or a fragment.
fn is_h264(payload: &[u8]) -> bool {
    matches!(payload, [first, ..] if first & 0x80 == 0 && matches!(first & 0x1f, 1..=29))
}

/// RFC 7798 §1.1.4, §4.4: forbidden bit 0, base layer, a temporal id, and a type in use.
fn is_h265(payload: &[u8]) -> bool {
    matches!(payload, [first, second, ..] if first & 0x81 == 0
        && second & 0xf8 == 0 && second & 7 != 0
        && matches!(first >> 1, 0..=40 | 48..=50))
}

/// RFC 7741 §4.2, §4.3: zeros in the reserved bits of the descriptor, and where a picture begins with
/// a key frame, its start code.
fn is_vp8(payload: &[u8]) -> bool {
    let [first, rest @ ..] = payload else { return false };
    if first & 0x48 != 0 {
        return false;
    }
    let mut rest = rest;
    if first & 0x80 != 0 {
        let [extension, more @ ..] = rest else { return false };
        if extension & 0x0f != 0 {
            return false;
        }
        let picture = match (extension & 0x80, more) {
            (0, _) => 0,
            (_, [0x80..=0xff, ..]) => 2,
            _ => 1,
        };
        let others = usize::from(extension & 0x40 != 0) + usize::from(extension & 0x30 != 0);
        let Some(behind) = more.get(picture + others..) else { return false };
        rest = behind;
    }
    match rest {
        [_, ..] if first & 0x17 != 0x10 => true,
        [header, _, _, code @ ..] if header & 1 == 0 => code.starts_with(&[0x9d, 0x01, 0x2a]),
        [_, ..] => true,
        [] => false,
    }
}

/// T.140 (RFC 4103 §3): UTF-8 without control characters but for line ends, backspace and bell.
fn is_text(payload: &[u8]) -> bool {
    // What is typed within a third of a second, and twice that again.
    const LONGEST: usize = 48;
    let control = |octet: &u8| *octet < 0x20 && !matches!(octet, 7 | 8 | b'\r' | b'\n' | 0x1b);
    (1..=LONGEST).contains(&payload.len())
        && !payload.iter().any(control)
        && std::str::from_utf8(payload).is_ok()
}

/// Eight equal octets at an offset that is a multiple of 8: finds every run of 15 and some shorter.
fn has_run(payload: &[u8]) -> bool {
    payload.as_chunks::<8>().0.iter().any(|&chunk| {
        let word = u64::from_ne_bytes(chunk);
        word == word.rotate_left(8)
    })
}

/// A count that is possible, and zeros before it.
pub(super) fn padding_fits(header: &Header<'_>) -> bool {
    let Some(kept) = header.unpadded() else { return false };
    let padding = header.payload.get(kept.len()..).unwrap_or(&[]);
    matches!(padding, [zeros @ .., _] if zeros.iter().all(|&octet| octet == 0))
}
