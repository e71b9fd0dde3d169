//! A recording as samples in time: each packet where its timestamp puts it, silence between.
//!
//! The timestamp of the packet before says where a packet begins (RFC 3550 §5.1); what no packet
//! brought is silence: loss, DTX, comfort noise. Where the timestamps of two packets contradict their
//! capture times by more than [`JUMP`] (another clock, a sender that started again, another codec's
//! rate), or have led away from them by as much since the first packet, the capture times decide.
//! Nothing is played twice and nothing stretched: of packets that overlap the later one loses its
//! beginning, samples of a lower rate than the player's are interpolated.

use crate::model::time::{Span, Ts};
use crate::policy::limits::HEARD_SECONDS;
use crate::prove::codec::Decoder;

use super::events::Events;
use super::format::{Format, Formats};
use super::recording::{Piece, Recording};

/// By how much timestamps and capture times of two packets may disagree.
const JUMP: Span = Span::from_secs(1);

/// Generations of audio in one packet (RFC 2198).
const GENERATIONS: usize = 8;

/// What a stretch of samples is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Nothing was sent, or it did not come.
    Silence,
    /// A packet's.
    Sound,
}

/// Samples that another program made of the frames of one payload type, in order. Where there are
/// fewer than the frames stand for, as when there is no such program, the rest is silence.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// The payload type.
    pub payload_type: u8,
    /// All samples, at the rate of the codec.
    pub samples: Vec<i16>,
}

/// Who makes samples of the packets of one payload type.
#[derive(Debug)]
enum Maker<'a> {
    Own(Decoder),
    Outside { kind: super::container::Kind, rest: &'a [i16] },
}

/// A payload type's samples on their way to the player's rate.
#[derive(Debug)]
struct Voice<'a> {
    payload_type: u8,
    clock_rate: u32,
    maker: Maker<'a>,
    rate: Rate,
}

/// Linear interpolation from one rate to a higher one.
#[derive(Debug)]
struct Rate {
    from: u32,
    to: u32,
    phase: u32,
    last: i16,
}

/// Where the packet before was put.
#[derive(Copy, Clone, Debug)]
struct Placed {
    at: Ts,
    timestamp: u32,
    clock_rate: u32,
    position: u64,
}

/// Plays a recording from beginning to end.
#[derive(Debug)]
pub struct Player<'a> {
    recording: &'a Recording,
    formats: &'a Formats,
    next: usize,
    rate: u32,
    voices: Vec<Voice<'a>>,
    native: Vec<i16>,
    waiting: Vec<i16>,
    silence: u64,
    /// Samples given out and to be given out.
    cursor: u64,
    placed: Option<Placed>,
    origin: Option<Ts>,
    events: Events,
    unplayed: u64,
}

impl<'a> Player<'a> {
    /// A player that gives `rate` samples a second, no fewer than [`Formats::rate`].
    pub fn new(
        recording: &'a Recording,
        formats: &'a Formats,
        outside: &'a [Outside],
        rate: u32,
    ) -> Self {
        let voice = |(payload_type, format): &(u8, Format)| {
            let (from, clock_rate) = (format.rate()?, format.clock_rate()?);
            let maker = match format {
                Format::Own { name, clock_rate, channels } => {
                    Maker::Own(Decoder::named(name, *clock_rate, *channels)?)
                }
                Format::Foreign(kind) => {
                    let made = outside.iter().find(|made| made.payload_type == *payload_type)?;
                    Maker::Outside { kind: *kind, rest: &made.samples }
                }
                _ => return None,
            };
            let rate = Rate { from, to: rate, phase: 0, last: 0 };
            Some(Voice { payload_type: *payload_type, clock_rate, maker, rate })
        };
        Self {
            recording,
            formats,
            next: 0,
            rate,
            voices: formats.iter().filter_map(voice).collect(),
            native: Vec::new(),
            waiting: Vec::new(),
            silence: 0,
            cursor: 0,
            placed: None,
            origin: None,
            events: Events::default(),
            unplayed: 0,
        }
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// When the first packet that is played was captured; `None` if there is none.
    pub fn origin(&self) -> Option<Ts> {
        let plays = |piece: &&Piece| self.voice(self.carried(piece).0).is_some();
        self.recording.pieces().iter().find(plays).map(|piece| piece.at)
    }

    /// The events met so far.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Packets met so far of which nothing could be made.
    pub fn unplayed(&self) -> u64 {
        self.unplayed
    }

    /// Appends the next stretch to `out`, a second of it at most if it is silence. `None` at the end.
    pub fn play(&mut self, out: &mut Vec<i16>) -> Option<Stretch> {
        loop {
            if self.silence > 0 {
                let now = self.silence.min(self.rate.into());
                self.silence -= now;
                let len = out.len().saturating_add(usize::try_from(now).unwrap_or(0));
                out.resize(len, 0);
                return Some(Stretch::Silence);
            }
            if !self.waiting.is_empty() {
                out.append(&mut self.waiting);
                return Some(Stretch::Sound);
            }
            let piece = self.recording.pieces().get(self.next)?;
            self.next += 1;
            self.take(piece);
        }
    }

    /// Decodes one packet and puts it in its place.
    fn take(&mut self, piece: &Piece) {
        let (payload_type, payload) = self.carried(piece);
        let Some(place) = self.voice(payload_type) else {
            match self.formats.find(payload_type) {
                Some(Format::Events { .. }) => self.events.packet(piece, payload),
                Some(Format::Noise) => {}
                _ => self.unplayed += 1,
            }
            return;
        };
        let Some(voice) = self.voices.get_mut(place) else { return };
        self.native.clear();
        voice.samples(payload, &mut self.native);
        voice.rate.stretch(&self.native, &mut self.waiting);
        self.unplayed += u64::from(self.waiting.is_empty());
        let clock_rate = voice.clock_rate;
        let position = self.position(piece, clock_rate);
        self.placed =
            Some(Placed { at: piece.at, timestamp: piece.timestamp, clock_rate, position });
        if position >= self.cursor {
            self.silence = position - self.cursor;
            self.cursor = position;
        } else {
            let heard = usize::try_from(self.cursor - position).unwrap_or(usize::MAX);
            self.waiting.drain(..heard.min(self.waiting.len()));
        }
        if self.cursor > HEARD_SECONDS.saturating_mul(self.rate.into()) {
            // Timestamps that only pretend: the capture times of a recording are within bounds.
            self.next = usize::MAX;
            self.silence = 0;
            self.waiting.clear();
        }
        self.cursor += u64::try_from(self.waiting.len()).unwrap_or(0);
    }

    /// Where a packet begins, in samples from the first.
    fn position(&mut self, piece: &Piece, clock_rate: u32) -> u64 {
        let origin = *self.origin.get_or_insert(piece.at);
        let Some(before) = self.placed else { return 0 };
        let ticks = i64::from(piece.timestamp.wrapping_sub(before.timestamp).cast_signed());
        let by_sender = Span::from_nanos(ticks * 1_000_000_000 / i64::from(clock_rate.max(1)));
        let by_capture = piece.at.since(before.at);
        let apart = by_sender.nanos().saturating_sub(by_capture.nanos()).saturating_abs();
        if before.clock_rate == clock_rate && apart <= JUMP.nanos() {
            let samples = ticks * i64::from(self.rate) / i64::from(clock_rate.max(1));
            let position = before.position.saturating_add_signed(samples);
            if position.abs_diff(self.samples(piece.at.since(origin))) <= self.samples(JUMP) {
                return position;
            }
        }
        self.samples(piece.at.since(origin)).max(self.cursor)
    }

    /// So much time in samples; 0 for less than none.
    fn samples(&self, time: Span) -> u64 {
        let nanos = u128::try_from(time.nanos()).unwrap_or(0);
        u64::try_from(nanos * u128::from(self.rate) / 1_000_000_000).unwrap_or(u64::MAX)
    }

    /// The payload type and payload of a packet; of one with several generations those of the newest.
    fn carried(&self, piece: &Piece) -> (u8, &'a [u8]) {
        let recording: &'a Recording = self.recording;
        let payload = recording.payload(piece);
        match self.formats.find(piece.payload_type) {
            Some(Format::Redundant) => newest(payload).unwrap_or((piece.payload_type, &[])),
            _ => (piece.payload_type, payload),
        }
    }

    fn voice(&self, payload_type: u8) -> Option<usize> {
        self.voices.iter().position(|voice| voice.payload_type == payload_type)
    }
}

impl Voice<'_> {
    fn samples(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        match &mut self.maker {
            Maker::Own(decoder) => decoder.decode(payload, out),
            Maker::Outside { kind, rest } => {
                for frame in kind.frames(payload) {
                    let stored = if frame.octets.is_empty() { 0 } else { frame.samples };
                    let (now, later) = rest.split_at(stored.min(rest.len()));
                    out.extend_from_slice(now);
                    out.resize(out.len().saturating_add(frame.samples - now.len()), 0);
                    *rest = later;
                }
            }
        }
    }
}

impl Rate {
    fn stretch(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        if self.from >= self.to {
            out.extend_from_slice(samples);
            return;
        }
        for sample in samples {
            while self.phase < self.to {
                let step = i64::from(*sample) - i64::from(self.last);
                let share = step * i64::from(self.phase) / i64::from(self.to);
                out.push(i16::try_from(i64::from(self.last) + share).unwrap_or_default());
                self.phase += self.from;
            }
            self.phase -= self.to;
            self.last = *sample;
        }
    }
}

/// The primary encoding of a redundant packet (RFC 2198 §3): its payload type and its octets.
///
/// ```text
/// |1| block PT | timestamp offset 14 | block length 10 | ... |0| block PT | blocks, the primary last
/// ```
fn newest(mut payload: &[u8]) -> Option<(u8, &[u8])> {
    let mut older = 0_usize;
    for _ in 0..GENERATIONS {
        let (&first, rest) = payload.split_first()?;
        if first & 0x80 == 0 {
            return rest.get(older..).map(|primary| (first, primary));
        }
        let (&[_, high, low], rest) = rest.split_first_chunk::<3>()?;
        older = older.saturating_add(usize::from(u16::from_be_bytes([high & 3, low])));
        payload = rest;
    }
    None
}

#[cfg(test)]
mod tests;
