//! A closer look at up to 64 packets of a stream: the counts behind the structural tests T1 to T9
//! (`CATALOGUE.md` A.1.3), and the statistics of A.1.2.
//!
//! Every test is counted for every codec, because which one it is comes later, with SDP; what the
//! counts mean is decided in [`super::verdict`]. The block lives for those packets only. When a
//! look is half over and the stream does not look clear, three packets in a row are kept whole: a
//! proof of what protects them needs that.

use std::hash::{BuildHasher, Hasher};

use overhear_parsers::rtp::header::Header;

use super::statistic::{FEW, Statistics};
use crate::model::addr::STABLE;
use crate::model::figures::{Figures, Tendency};
use crate::model::frame::FrameId;
use crate::model::stream::{LawRow, Sample, StreamKey};
use crate::policy::tones::GLANCE;

mod payload;

/// Packets that one look takes.
const SAMPLE: u16 = 64;
/// Rows of lengths and steps kept during a look.
const ROWS: usize = 8;
/// Packets with proof that a stream is clear. One can be somebody else's, injected into it;
/// several are its own.
pub(super) const SEVERAL: u16 = 3;
/// Octets of the longest packet that is kept whole: what fits in an Ethernet frame.
const LONGEST: usize = 1_500;
/// Octets of three of them with their lengths.
const SAMPLE_OCTETS: usize = 3 * (LONGEST + 2);
/// Of so many looks, one may be keeping packets at a time.
pub(super) const LOOKS_A_SAMPLE: u32 = 16;

/// Octets of a look, with what it leaves behind and its share of the packets kept whole.
pub const ENTRY: usize = size_of::<Look>()
    + size_of::<Figures>()
    + (size_of::<Sample>() + SAMPLE_OCTETS) / LOOKS_A_SAMPLE as usize;

/// The working state of one look.
#[derive(Clone, Debug)]
pub struct Look {
    rows: [LawRow; ROWS],
    hashes: [u32; SAMPLE as usize],
    hashed: usize,
    previous: Option<Previous>,
    strangers: u16,
    counts: Figures,
    statistics: Statistics,
    sampling: Sampling,
}

/// Whether packets are kept whole.
#[derive(Clone, Debug)]
enum Sampling {
    /// It is too early to say whether there is a reason to.
    Early,
    /// There is a reason, but no room yet.
    Wanted,
    /// These are the last ones in a row, and the sequence number that the last of them has.
    Kept(Box<Sample>, u8, u16),
    /// They have been given out, or there is no reason to keep any.
    Over,
}

/// What the next packet is compared with.
#[derive(Copy, Clone, Debug)]
struct Previous {
    sequence: u16,
    timestamp: u32,
    octets: u16,
    opus_ticks: Option<u32>,
    /// Duration of a telephone event.
    event: Option<u16>,
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
            statistics: Statistics::default(),
            sampling: Sampling::Early,
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
        let event = whole.then(|| payload::event(payload)).flatten();
        self.counts.events += u16::from(self.is_event(header, event));
        self.previous = Some(Previous {
            sequence: header.sequence,
            timestamp: header.timestamp,
            octets,
            opus_ticks: whole.then(|| payload::opus_ticks(payload)).flatten(),
            event: event.map(|(_, duration)| duration),
        });
        if whole {
            self.counts.whole += 1;
            self.content(header, payload);
            self.statistics.packet(header.payload);
            if self.counts.whole >= FEW && matches!(self.sampling, Sampling::Early) {
                self.consider_sample();
            }
        }
        self.counts.packets >= SAMPLE
    }

    /// The sequence numbers go on from somewhere else, perhaps with the same packets: they do not
    /// count as repeated.
    pub fn restart(&mut self) {
        (self.hashed, self.previous) = (0, None);
    }

    /// Whether this packet, just taken, is one of the few that are asked whether they are a tone.
    pub fn is_glancing(&self, header: &Header<'_>) -> bool {
        self.counts.whole % GLANCE == GLANCE / 2 && matches!(header.payload_type, 0 | 8)
    }

    /// Whether the next packets should be kept whole and nobody does so yet.
    pub const fn wants_sample(&self) -> bool {
        matches!(self.sampling, Sampling::Wanted)
    }

    /// Whether packets are being kept.
    pub const fn is_sampling(&self) -> bool {
        matches!(self.sampling, Sampling::Kept(..))
    }

    /// Begins to keep packets.
    pub fn start_sample(&mut self, key: StreamKey) {
        let sample = Sample { key, ..Sample::default() };
        self.sampling = Sampling::Kept(Box::new(sample), 0, 0);
    }

    /// Keeps a packet; the third in a row completes the sample.
    pub fn sample(
        &mut self,
        header: &Header<'_>,
        whole: bool,
        frame: FrameId,
    ) -> Option<Box<Sample>> {
        let Sampling::Kept(sample, kept, last) = &mut self.sampling else { return None };
        if *kept > 0 && header.sequence != last.wrapping_add(1) {
            sample.octets.clear();
            *kept = 0;
        }
        let octets = header.octets();
        let Some(length) = u16::try_from(octets).ok().filter(|_| whole && octets <= LONGEST) else {
            sample.octets.clear();
            *kept = 0;
            return None;
        };
        sample.octets.reserve_exact(octets + 2);
        sample.octets.extend(length.to_be_bytes());
        header.write(&mut sample.octets);
        if let Some(place) = sample.frames.get_mut(usize::from(*kept)) {
            *place = frame;
        }
        (*kept, *last) = (*kept + 1, header.sequence);
        if usize::from(*kept) < sample.frames.len() {
            return None;
        }
        match std::mem::replace(&mut self.sampling, Sampling::Over) {
            Sampling::Kept(sample, ..) => Some(sample),
            _ => None,
        }
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
        self.counts.mki = self.statistics.mki();
        if let Some((kind, figures)) = self.statistics.said(self.repeats()) {
            *self.counts.looks.of(kind) = figures;
        }
        self.counts
    }

    /// T6 and T7: no keystream repeats, and none makes a run of eight.
    const fn repeats(&self) -> bool {
        self.counts.equal >= SEVERAL || self.counts.runs >= SEVERAL
    }

    fn consider_sample(&mut self) {
        let Some(tendency) = self.statistics.tendency(self.repeats()) else { return };
        let clear = tendency == Tendency::Clear;
        self.sampling = if clear { Sampling::Over } else { Sampling::Wanted };
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

    /// T5: a telephone event, and while the timestamp stays its duration does not fall.
    fn is_event(&self, header: &Header<'_>, event: Option<(u8, u16)>) -> bool {
        let Some((_, duration)) = event else { return false };
        match self.previous {
            Some(Previous { timestamp, event: Some(before), .. })
                if timestamp == header.timestamp =>
            {
                before <= duration
            }
            _ => true,
        }
    }

    fn content(&mut self, header: &Header<'_>, payload: &[u8]) {
        let counts = &mut self.counts;
        payload::count(payload, counts);
        if header.padding {
            counts.padded += 1;
            counts.padding_fits += u16::from(payload::padding_fits(header));
        }
        if payload.len() >= 16 {
            let mut hasher = STABLE.build_hasher();
            hasher.write(payload);
            #[expect(clippy::cast_possible_truncation, reason = "half of a hash is enough for 64")]
            let hash = hasher.finish() as u32;
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
/// Of one payload type, tests add up and the rows are the later ones, unless there were too few; of
/// two payload types the one counts that `main` names, or the later one if neither does.
pub fn merge(earlier: Figures, later: Figures, main: u8) -> Figures {
    if earlier.payload_type != later.payload_type {
        return if earlier.payload_type == main { earlier } else { later };
    }
    let long_enough = later.pairs >= 19 || later.pairs >= earlier.pairs;
    let (rows, pairs) =
        if long_enough { (later.rows, later.pairs) } else { (earlier.rows, earlier.pairs) };
    // Ratios are what counts: halve before a counter could stick at its end.
    let old = |count: u16| if earlier.packets > 30_000 { count / 2 } else { count };
    let sum = |a: u16, b: u16| old(a).saturating_add(b);
    Figures {
        rows,
        pairs,
        payload_type: later.payload_type,
        mki: earlier.mki.max(later.mki),
        packets: sum(earlier.packets, later.packets),
        whole: sum(earlier.whole, later.whole),
        gsm: sum(earlier.gsm, later.gsm),
        g723: sum(earlier.g723, later.g723),
        amr: sum(earlier.amr, later.amr),
        amr_wb: sum(earlier.amr_wb, later.amr_wb),
        opus: sum(earlier.opus, later.opus),
        opus_pairs: sum(earlier.opus_pairs, later.opus_pairs),
        events: sum(earlier.events, later.events),
        equal: sum(earlier.equal, later.equal),
        runs: sum(earlier.runs, later.runs),
        text: sum(earlier.text, later.text),
        lengths: earlier.lengths.max(later.lengths),
        h263: sum(earlier.h263, later.h263),
        h264: sum(earlier.h264, later.h264),
        h265: sum(earlier.h265, later.h265),
        vp8: sum(earlier.vp8, later.vp8),
        padded: sum(earlier.padded, later.padded),
        padding_fits: sum(earlier.padding_fits, later.padding_fits),
        looks: earlier.looks.and(later.looks),
    }
}

#[cfg(test)]
mod tests;
