//! A closer look at up to 64 packets of a stream: the counts behind the structural tests T1 to T9
//! (`CATALOGUE.md` A.1.3).
//!
//! Every test is counted for every codec, because which one it is comes later, with SDP; what the
//! counts mean is decided in [`super::law`]. The block lives for those packets only. Not here yet:
//! the two statistics CHI and BITZ; they will be fed in [`Look::content`].

use std::hash::{BuildHasher, Hasher};

use overhear_parsers::rtp::header::Header;

use crate::model::addr::STABLE;
use crate::model::stream::{Figures, LawRow};

/// Packets that one look takes.
const SAMPLE: u16 = 64;
/// Rows of lengths and steps kept during a look.
const ROWS: usize = 8;

/// The working state of one look.
#[derive(Clone, Debug)]
pub struct Look {
    rows: [LawRow; ROWS],
    hashes: [u64; SAMPLE as usize],
    hashed: usize,
    previous: Option<Previous>,
    strangers: u16,
    counts: Figures,
}

/// What the next packet is compared with.
#[derive(Copy, Clone, Debug)]
struct Previous {
    sequence: u16,
    timestamp: u32,
    octets: u16,
    opus_ticks: Option<u32>,
}

impl Look {
    /// A look at packets of this payload type.
    pub fn new(payload_type: u8) -> Self {
        Self {
            rows: [LawRow::default(); ROWS],
            hashes: [0; SAMPLE as usize],
            hashed: 0,
            previous: None,
            strangers: 0,
            counts: Figures { payload_type, ..Figures::default() },
        }
    }

    /// Takes one packet that is neither duplicate nor late; `octets` is its payload length as sent,
    /// padding removed. True when the look is over.
    pub fn packet(&mut self, header: &Header<'_>, octets: u16, whole: bool) -> bool {
        if header.payload_type != self.counts.payload_type {
            self.previous = None;
            self.strangers += 1;
            return self.strangers >= SAMPLE;
        }
        self.counts.packets += 1;
        self.pair(header);
        let payload = header.unpadded().unwrap_or(header.payload);
        self.previous = Some(Previous {
            sequence: header.sequence,
            timestamp: header.timestamp,
            octets,
            opus_ticks: whole.then(|| opus_ticks(payload)).flatten(),
        });
        if whole {
            self.counts.whole += 1;
            self.content(header, payload);
        }
        self.counts.packets >= SAMPLE
    }

    /// The counts, compact.
    pub fn finish(mut self) -> Figures {
        self.rows.sort_by_key(|row| std::cmp::Reverse(row.pairs));
        let used = || self.rows.iter().filter(|row| row.pairs > 0);
        let is_first = |(at, row): &(usize, &LawRow)| {
            !used().take(*at).any(|before| before.octets == row.octets)
        };
        let lengths = used().enumerate().filter(is_first).count();
        self.counts.lengths = u8::try_from(lengths).unwrap_or(u8::MAX);
        let [a, b, c, ..] = self.rows;
        self.counts.rows = [a, b, c];
        self.counts
    }

    fn pair(&mut self, header: &Header<'_>) {
        let Some(previous) = self.previous else { return };
        if header.sequence != previous.sequence.wrapping_add(1) || header.marker {
            return;
        }
        let ticks = header.timestamp.wrapping_sub(previous.timestamp);
        self.counts.pairs += 1;
        if let Some(opus) = previous.opus_ticks {
            self.counts.opus_pairs += 1;
            self.counts.opus += u16::from(opus == ticks);
        }
        let payload_type = header.payload_type;
        let new = LawRow { ticks, pairs: 0, octets: previous.octets, payload_type };
        let row = self
            .rows
            .iter_mut()
            .find(|row| row.pairs == 0 || (row.ticks == ticks && row.octets == previous.octets));
        if let Some(row) = row {
            let pairs = row.pairs + 1;
            *row = LawRow { pairs, ..new };
        }
    }

    fn content(&mut self, header: &Header<'_>, payload: &[u8]) {
        let counts = &mut self.counts;
        counts.gsm += u16::from(is_gsm(payload));
        counts.g723 += u16::from(is_g723(payload));
        counts.amr += u16::from(is_amr(payload, amr_octets));
        counts.amr_wb += u16::from(is_amr(payload, amr_wb_octets));
        counts.h263 += u16::from(is_h263(payload));
        counts.h264 += u16::from(is_h264(payload));
        counts.h265 += u16::from(is_h265(payload));
        counts.runs += u16::from(has_run(payload));
        counts.text += u16::from(is_text(payload));
        if header.padding {
            counts.padded += 1;
            counts.padding_fits += u16::from(padding_fits(header));
        }
        if payload.len() >= 16 {
            let mut hasher = STABLE.build_hasher();
            hasher.write(payload);
            let hash = hasher.finish();
            let before = self.hashes.get(..self.hashed).unwrap_or(&[]);
            counts.equal += u16::from(before.contains(&hash));
            if let Some(place) = self.hashes.get_mut(self.hashed) {
                *place = hash;
                self.hashed += 1;
            }
        }
    }
}

/// Joins an earlier look with a later one, so that evidence once found stays.
///
/// Of one payload type, tests add up and the rows are the later ones, unless there were too few;
/// of two payload types, the later look counts if it was long enough.
pub fn merge(earlier: Figures, later: Figures) -> Figures {
    let long_enough = later.pairs >= 19 || later.pairs >= earlier.pairs;
    if earlier.payload_type != later.payload_type {
        return if long_enough { later } else { earlier };
    }
    let (rows, pairs) =
        if long_enough { (later.rows, later.pairs) } else { (earlier.rows, earlier.pairs) };
    // Ratios are what counts: halve before a counter could stick at its end.
    let old = |count: u16| if earlier.packets > 30_000 { count / 2 } else { count };
    let sum = |a: u16, b: u16| old(a).saturating_add(b);
    Figures {
        rows,
        pairs,
        payload_type: later.payload_type,
        packets: sum(earlier.packets, later.packets),
        whole: sum(earlier.whole, later.whole),
        gsm: sum(earlier.gsm, later.gsm),
        g723: sum(earlier.g723, later.g723),
        amr: sum(earlier.amr, later.amr),
        amr_wb: sum(earlier.amr_wb, later.amr_wb),
        opus: sum(earlier.opus, later.opus),
        opus_pairs: sum(earlier.opus_pairs, later.opus_pairs),
        equal: sum(earlier.equal, later.equal),
        runs: sum(earlier.runs, later.runs),
        text: sum(earlier.text, later.text),
        lengths: earlier.lengths.max(later.lengths),
        h263: sum(earlier.h263, later.h263),
        h264: sum(earlier.h264, later.h264),
        h265: sum(earlier.h265, later.h265),
        padded: sum(earlier.padded, later.padded),
        padding_fits: sum(earlier.padding_fits, later.padding_fits),
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
fn opus_ticks(payload: &[u8]) -> Option<u32> {
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

/// T.140 (RFC 4103 §3): UTF-8 without control characters but for line ends, backspace and bell.
fn is_text(payload: &[u8]) -> bool {
    let control = |octet: &u8| *octet < 0x20 && !matches!(octet, 7 | 8 | b'\r' | b'\n' | 0x1b);
    !payload.is_empty() && !payload.iter().any(control) && std::str::from_utf8(payload).is_ok()
}

/// Eight equal octets at an offset that is a multiple of 8: finds every run of 15 and some shorter.
fn has_run(payload: &[u8]) -> bool {
    payload.as_chunks::<8>().0.iter().any(|&chunk| {
        let word = u64::from_ne_bytes(chunk);
        word == word.rotate_left(8)
    })
}

/// A count that is possible, and zeros before it.
fn padding_fits(header: &Header<'_>) -> bool {
    let Some(kept) = header.unpadded() else { return false };
    let padding = header.payload.get(kept.len()..).unwrap_or(&[]);
    matches!(padding, [zeros @ .., _] if zeros.iter().all(|&octet| octet == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(payload: impl Fn(u16) -> Vec<u8>, ticks: u32) -> Figures {
        let mut look = Look::new(96);
        for number in 0..64 {
            let payload = payload(number);
            let header = Header {
                marker: false,
                payload_type: 96,
                sequence: number.wrapping_sub(10),
                timestamp: u32::from(number).wrapping_mul(ticks),
                ssrc: 1,
                csrc: &[],
                extension: None,
                padding: false,
                payload: &payload,
            };
            let octets = u16::try_from(payload.len()).unwrap();
            assert_eq!(look.packet(&header, octets, true), number == 63);
        }
        look.finish()
    }

    fn noise(number: u16, octets: usize) -> Vec<u8> {
        let mut state = u64::from(number) + 1;
        (0..octets)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040);
                (state >> 56) as u8
            })
            .collect()
    }

    #[test]
    fn silence_repeats_and_runs_and_noise_does_neither() {
        let silence = look(|_| vec![0xd5; 160], 160);
        assert_eq!((silence.equal, silence.runs, silence.pairs), (63, 64, 63));
        assert_eq!(
            silence.rows[0],
            LawRow { ticks: 160, pairs: 63, octets: 160, payload_type: 96 }
        );
        let cipher = look(|number| noise(number, 170), 160);
        assert_eq!((cipher.equal, cipher.runs, cipher.gsm), (0, 0, 0));
        assert!(cipher.opus < 20, "{cipher:?}");
    }

    #[test]
    fn frames_are_told_by_their_first_octets() {
        let head = |first: &'static [u8], octets: usize| {
            move |number| {
                let mut payload = noise(number, octets);
                payload[..first.len()].copy_from_slice(first);
                payload
            }
        };
        assert_eq!(look(head(&[0xd3], 33), 160).gsm, 64);
        assert_eq!(look(head(&[1], 20), 240).g723, 64);
        assert_eq!(look(head(&[0xf0, 0x3c], 33), 160).amr, 64);
        assert_eq!(look(head(&[0xf0, 0x44], 63), 320).amr_wb, 0);
        assert_eq!(look(head(&[0xf0, 0x44], 62), 320).amr_wb, 64);
        assert_eq!(look(head(&[0x78], 90), 960).opus, 63);
        assert_eq!(look(head(&[0x7b, 2], 90), 1920).opus, 63);
        assert_eq!(look(head(&[0x7c, 0x85], 900), 0).h264, 64);
        assert_eq!(look(head(&[0x62, 0x01], 900), 0).h265, 64);
        assert_eq!(look(head(&[0x00, 0x50, 0, 0], 150), 0).h263, 64);
        assert_eq!(look(head(&[0x80, 0x47, 0x10, 0], 150), 0).h263, 64);
        assert_eq!(look(head(&[0x00, 0x50, 0x10, 0], 150), 0).h263, 0);
    }

    #[test]
    fn evidence_stays_when_a_later_look_finds_none() {
        let merged = merge(look(|_| vec![0xd5; 160], 160), look(|n| noise(n, 160), 160));
        assert_eq!((merged.equal, merged.whole, merged.pairs), (63, 128, 63));
    }
}
