//! The RTP streams of one cell: found, counted, aged and handed over.
//!
//! A stream is a sender, a receiver and an SSRC. Whether it is media at all is judged by content
//! over several packets ([`Standing`]) and never decided here alone: what stays a candidate is
//! handed over too, and the collector keeps it if SDP announced its address. Idleness is measured
//! on watermarks, statistics on capture times.

use overhear_parsers::rtp::header::Header;

use super::blocks::Blocks;
use super::figures::LOOKS_A_SAMPLE;
use super::index::{self, Index};
use super::input::Input;
use super::notes;
use super::replays::{self, Replays};
use super::slot::{Cold, Slot, Step, media_octets};
use super::timer::{Entry, Things, Timer};
use super::tones::{self, Listener};
use crate::model::stream::{Standing, StreamEvent, StreamKey};
use crate::model::time::{Span, Ts};

/// Streams that are ended together; as many are asked for before.
const TOGETHER: usize = 8;

/// Octets of one stream: what every packet touches, the rest, its timer and its index.
pub const ENTRY: usize = size_of::<Slot>() + size_of::<Cold>() + size_of::<Entry>() + index::ENTRY;

/// What the table may hold.
#[derive(Copy, Clone, Debug)]
pub struct StreamLimits {
    /// Streams at one time; one more evicts the one that has been idle for longest.
    pub streams: u32,
    /// Closer looks under way at one time.
    pub armed: u32,
    /// Streams with digits, or with something odd about them, at one time.
    pub noted: u32,
    /// Streams that are watched for packets sent again, at one time.
    pub replays: usize,
    /// A stream not seen for this long has ended.
    pub idle: Span,
}

impl StreamLimits {
    /// Looks that may be under way for one more of this stream to begin: some room is left to
    /// streams that have not been looked at.
    fn room(&self, slot: &Slot) -> u32 {
        if slot.is_judged() { self.armed - self.armed / 4 } else { self.armed }
    }
}

/// The streams of one cell. What every packet reads lies together.
#[derive(Debug)]
#[repr(C)]
pub struct Streams {
    index: Index,
    blocks: Blocks,
    /// How often a stream began or ended, modulo 2^32.
    changes: u32,
    limits: StreamLimits,
    free: Vec<u32>,
    timer: Timer,
    armed: u32,
    /// Of these, looks that keep packets whole.
    sampling: u32,
    noted: u32,
    replays: Replays,
    evicted: u64,
    unnoted: u64,
}

/// Where a packet's stream should be.
#[derive(Copy, Clone, Debug, Default)]
pub struct Sought {
    /// [`StreamKey::hash64`] of its key.
    pub hash: u64,
    /// Where [`Streams::approach`] said a moment ago that it might be, if asked.
    likely: Option<u32>,
    /// How many streams had begun or ended when it said so.
    changes: u32,
}

impl Sought {
    /// A stream with this hash, about which nobody has been asked.
    #[inline]
    pub const fn of(hash: u64) -> Self {
        Self { hash, likely: None, changes: 0 }
    }
}

/// When streams end if no packet comes.
struct Idle<'a> {
    blocks: &'a Blocks,
    limit: Span,
}

impl Things for Idle<'_> {
    fn deadline(&self, place: u32) -> Ts {
        let slot = self.blocks.slot(place);
        slot.map_or(Ts::MIN, |slot| slot.last_watermark.plus(self.limit))
    }

    fn fetch(&self, place: u32) {
        if let Some(slot) = self.blocks.slot(place) {
            slot.fetch_time();
        }
    }
}

impl Streams {
    /// An empty table; memory comes with the streams.
    pub fn new(limits: StreamLimits) -> Self {
        Self {
            limits,
            index: Index::new(),
            blocks: Blocks::default(),
            free: Vec::new(),
            timer: Timer::default(),
            armed: 0,
            sampling: 0,
            noted: 0,
            replays: Replays::new(limits.replays),
            evicted: 0,
            unnoted: 0,
            changes: 0,
        }
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        self.timer.next()
    }

    /// Notes where the stream might be by its hash alone, and asks for its cache lines.
    #[inline]
    pub fn approach(&self, sought: &mut Sought) {
        sought.likely = self.index.find(sought.hash, |_| true);
        sought.changes = self.changes;
        if let Some(slot) = sought.likely.and_then(|place| self.blocks.slot(place)) {
            slot.fetch();
        }
    }

    /// Books one packet; [`Streams::advance`] has been called with its watermark.
    pub fn packet(
        &mut self,
        sought: Sought,
        header: &Header<'_>,
        input: &Input,
        out: &mut impl FnMut(StreamEvent),
    ) {
        let Some(place) = self.place(sought, header, input) else {
            self.create(sought.hash, header, input, out);
            return;
        };
        let Some((slot, cold)) = self.blocks.at(place) else { return };
        let step = slot.packet(header, input, cold);
        let rare = slot.is_rare(step, header, input);
        if step == Step::Gap && slot.standing() != Standing::Candidate {
            let second = input.ts.second();
            if slot.tell_gap(second) {
                let key = input.stream_key(header.ssrc);
                out(StreamEvent::Lossy { key, ordinal: input.ordinal, second });
            }
        }
        if slot.is_looking() {
            if matches!(step, Step::Next | Step::Gap | Step::Restart) {
                self.look(place, step, header, input, out);
            }
        } else if slot.look_is_due(header, input.ts) {
            self.look_or_glance(place, step, header, input, out);
        }
        if rare {
            self.note(place, step, header, input);
        }
        if replays::is_sampled(header.sequence) && !self.replays.is_empty() {
            self.replays.packet(place, header, input);
        }
    }

    /// Looks at a second sighting of a packet, which is not booked, for what differs in the two.
    pub fn copy(&mut self, sought: Sought, header: &Header<'_>, input: &Input) {
        let Some(place) = self.place(sought, header, input) else { return };
        let room = self.noted < self.limits.noted;
        let Some((slot, cold)) = self.blocks.at(place) else { return };
        let Some(marked) = slot.remarked(header, input) else { return };
        let before = cold.noting.is_some();
        let refused = notes::remarked(cold, marked, room);
        self.noted += u32::from(!before && cold.noting.is_some());
        self.unnoted += u64::from(refused);
    }

    /// Where a stream lies, if it is known.
    #[inline]
    pub fn find(&self, hash: u64, key: &StreamKey) -> Option<u32> {
        self.index.find(hash, |place| self.is(place, key))
    }

    /// Whether this stream lies there.
    #[inline]
    fn is(&self, place: u32, key: &StreamKey) -> bool {
        self.blocks.slot(place).is_some_and(|slot| slot.is(key))
    }

    /// Where the stream of a packet lies.
    #[inline]
    fn place(&self, sought: Sought, header: &Header<'_>, input: &Input) -> Option<u32> {
        let key = input.stream_key(header.ssrc);
        // As long as no stream began or ended, none has left its place.
        let known = |place: &u32| sought.changes == self.changes && self.is(*place, &key);
        sought.likely.filter(known).or_else(|| self.find(sought.hash, &key))
    }

    /// Asks for the place in the index where the stream of this hash would be found first.
    #[inline]
    pub fn fetch_index(&self, hash: u64) {
        self.index.fetch(hash);
    }

    /// Ends the streams that have been idle for the limit at `watermark`, in the order of their
    /// deadlines, ties by flow hash.
    #[inline]
    pub fn advance(&mut self, watermark: Ts, out: &mut impl FnMut(StreamEvent)) {
        while self.timer.next().is_some_and(|next| next <= watermark) {
            self.end_some(watermark, out);
        }
    }

    /// Ends all streams, as at the end of a capture.
    pub fn finish(&mut self, out: &mut impl FnMut(StreamEvent)) {
        self.advance(Ts::MAX, out);
    }

    /// Streams that had to make room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Streams of which there was no room to note anything.
    pub fn unnoted(&self) -> u64 {
        self.unnoted
    }

    /// How often there was no room to watch a stream for packets sent again.
    pub fn unwatched(&self) -> u64 {
        self.replays.refused()
    }

    /// Streams being tracked.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// Ends up to [`TOGETHER`] streams: their cache misses overlap.
    #[cold]
    fn end_some(&mut self, watermark: Ts, out: &mut impl FnMut(StreamEvent)) {
        let soon = self.timer.soon().skip(TOGETHER).take(TOGETHER);
        for slot in soon.filter_map(|place| self.blocks.slot(place)) {
            slot.fetch();
            slot.fetch_rest();
        }
        let mut ending = [None; TOGETHER];
        for ended in &mut ending {
            *ended = self.due(watermark);
            if ended.is_none() {
                break;
            }
        }
        for entry in ending.iter().flatten() {
            self.fetch_cold(*entry);
        }
        for entry in ending.into_iter().flatten() {
            self.end(entry, entry.deadline, out);
        }
    }

    /// Asks for what is rarely needed of a stream, and for where the index has it.
    fn fetch_cold(&self, Entry { slot: place, tie, .. }: Entry) {
        if let Some(slot) = self.blocks.slot(place) {
            self.index.fetch(slot.key().hash_in(tie));
        }
        if let Some(cold) = self.blocks.cold(place) {
            cold.fetch();
        }
    }

    fn due(&mut self, watermark: Ts) -> Option<Entry> {
        self.timer.due(watermark, &Idle { blocks: &self.blocks, limit: self.limits.idle })
    }

    #[cold]
    fn create(
        &mut self,
        hash: u64,
        header: &Header<'_>,
        input: &Input,
        out: &mut impl FnMut(StreamEvent),
    ) {
        if self.len() >= self.limits.streams.max(1) as usize
            && let Some(oldest) = self.due(Ts::MAX)
        {
            self.evicted += 1;
            self.end(oldest, oldest.deadline.min(input.watermark), out);
        }
        let new = (Slot::new(header, input), Cold::new(header, input));
        self.changes = self.changes.wrapping_add(1);
        let place = self.free.pop().unwrap_or(self.blocks.len());
        if let Some((slot, cold)) = self.blocks.at(place) {
            (*slot, *cold) = new;
        } else {
            self.blocks.push(new);
        }
        self.index.insert(hash, place);
        let deadline = input.watermark.plus(self.limits.idle);
        self.timer.arm(Entry { deadline, tie: input.flow, slot: place });
    }

    #[cold]
    fn note(&mut self, place: u32, step: Step, header: &Header<'_>, input: &Input) {
        let room = self.noted < self.limits.noted;
        let Some((slot, cold)) = self.blocks.at(place) else { return };
        let before = cold.noting.is_some();
        let refused = notes::note(slot, cold, step, &notes::Packet { header, input, room });
        self.noted += u32::from(!before && cold.noting.is_some());
        self.noted -= u32::from(before && cold.noting.is_none());
        self.unnoted += u64::from(refused);
    }

    /// A look is due with this packet.
    #[cold]
    fn look_or_glance(
        &mut self,
        place: u32,
        step: Step,
        header: &Header<'_>,
        input: &Input,
        out: &mut impl FnMut(StreamEvent),
    ) {
        let Some((slot, _)) = self.blocks.at(place) else { return };
        if slot.only_glances() {
            self.glance(place, header, input);
        } else if self.armed < self.limits.room(slot) {
            slot.start_look(header.payload_type);
            self.armed += 1;
            self.look(place, step, header, input, out);
        }
    }

    /// Asks a packet whether it may be a tone of a fax machine, instead of a closer look.
    fn glance(&mut self, place: u32, header: &Header<'_>, input: &Input) {
        let Some((slot, _)) = self.blocks.at(place) else { return };
        slot.glanced(input.ts);
        if tones::may_be_fax(header.payload_type, header.payload) {
            self.listen(place, || Listener::doubtful(header.payload_type));
        }
    }

    /// Begins to listen to a stream.
    #[cold]
    fn listen(&mut self, place: u32, listener: impl FnOnce() -> Box<Listener>) {
        let room = self.noted < self.limits.noted;
        let Some((slot, cold)) = self.blocks.at(place) else { return };
        let before = cold.noting.is_some();
        let refused = notes::listen(slot, cold, listener, room);
        self.noted += u32::from(!before && cold.noting.is_some());
        self.unnoted += u64::from(refused);
    }

    /// Shows a packet to the look under way.
    fn look(
        &mut self,
        place: u32,
        step: Step,
        header: &Header<'_>,
        input: &Input,
        out: &mut impl FnMut(StreamEvent),
    ) {
        let Some((slot, _)) = self.blocks.at(place) else { return };
        let key = slot.key();
        let Some(look) = slot.look() else { return };
        if step == Step::Restart {
            look.restart();
        }
        if look.is_sampling() {
            if let Some(sample) = look.sample(header, !input.packet.clipped, input.frame) {
                self.sampling -= 1;
                out(StreamEvent::Sample(sample));
            }
        } else if look.wants_sample() && self.sampling <= self.limits.armed / LOOKS_A_SAMPLE {
            self.sampling += 1;
            look.start_sample(key);
        }
        let over = look.packet(header, media_octets(header, input), !input.packet.clipped);
        let tone = look.is_glancing(header) && tones::may_be(header.payload_type, header.payload);
        if over {
            self.sampling -= u32::from(look.is_sampling());
            slot.end_look(input.ts);
            self.armed -= 1;
            if slot.looks_random() {
                self.replays.watch(place);
            }
        }
        if tone {
            self.listen(place, || Listener::new(header.payload_type));
        }
    }

    #[cold]
    fn end(&mut self, entry: Entry, deadline: Ts, out: &mut impl FnMut(StreamEvent)) {
        let Some((slot, cold)) = self.blocks.at(entry.slot) else { return };
        self.armed -= u32::from(slot.is_looking());
        self.sampling -= u32::from(slot.look().is_some_and(|look| look.is_sampling()));
        self.noted -= u32::from(cold.noting.is_some());
        let mut ended = slot.ended(cold, deadline, entry.tie);
        self.changes = self.changes.wrapping_add(1);
        if let Some(replay) = self.replays.end(entry.slot) {
            ended.notes.get_or_insert_default().replay = Some(replay);
        }
        self.index.remove(ended.hash64(), entry.slot);
        self.free.push(entry.slot);
        out(StreamEvent::Ended(ended));
    }
}

#[cfg(test)]
mod tests;
