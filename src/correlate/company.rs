//! Streams that ended lately, so that one can be held against others that used the same sockets:
//! who else sent there, who was answered, which SSRC came before.
//!
//! Streams end a minute after their last packet, so of two that overlapped the later one finds the
//! other here. What is kept is a window, not a table: the last streams of senders that their call
//! had announced, and, apart from them, the last ones of strangers, for those of an attack end long
//! before the call does. A stranger's note that makes room while its call is still up is counted.

use crate::model::addr::{Endpoint, stable_hash};
use crate::model::evidence::FrameRef;
use crate::model::fetch;
use crate::model::id::RecordId;
use crate::model::id::RecordKey;
use crate::model::stream::{Standing, StreamEnded};
use crate::model::time::{Span, Ts};

use super::media::Binding;

/// Name of the table in `evicted`.
pub const TABLE: &str = "company";

/// Octets of one note with its places.
pub const ENTRY: usize = size_of::<Note>() + 2 * size_of::<u32>();

/// Notes of one socket that are looked at: the newest ones.
const LOOKED_AT: usize = 64;

/// Streams further apart than this have nothing to do with each other.
const APART: Span = Span::from_secs(60);

/// One ended stream, as far as others are compared with it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Its record.
    pub record: RecordKey,
    /// The call it was bound to.
    pub call: Option<RecordId>,
    /// Sender, outside of a relay.
    pub src: Endpoint,
    /// Receiver, outside of a relay.
    pub dst: Endpoint,
    /// SSRC.
    pub ssrc: u32,
    /// Its first packet.
    pub first: FrameRef,
    /// Its last packet.
    pub last: FrameRef,
    /// Packets.
    pub packets: u32,
    /// The lowest and the highest sequence number of its last run.
    pub run: (u16, u16),
    /// Runs before the last one.
    pub restarts: u16,
    /// The call announced an address of the sender's host.
    pub known_sender: bool,
    /// The call announced the receiver's address.
    pub known_receiver: bool,
    /// It carries telephone events and nothing else to speak of.
    pub events: bool,
    /// What content alone says.
    pub standing: Standing,
}

impl Companion {
    /// What is compared of a stream.
    pub fn of(stream: &StreamEnded, record: RecordKey, binding: Option<&Binding<'_>>) -> Self {
        let (src, dst) = stream.ends();
        Self {
            record,
            call: binding.map(|binding| binding.call.id),
            src,
            dst,
            ssrc: stream.key.ssrc,
            first: FrameRef { frame: stream.first_frame, time: stream.first },
            last: FrameRef { frame: stream.last_frame, time: stream.last },
            packets: stream.packets,
            run: stream.run,
            restarts: stream.restarts,
            known_sender: binding.is_some_and(|binding| binding.known_sender),
            known_receiver: binding.is_some_and(|binding| binding.known_receiver),
            events: stream.notes.as_ref().is_some_and(|notes| {
                notes.digits.count() > 0 && notes.digits.payload_type == stream.main_payload_type()
            }),
            standing: stream.standing,
        }
    }

    /// For how long both sent; zero or less if one followed the other.
    pub fn together(&self, other: &Self) -> Span {
        let (from, to) =
            (self.first.time.max(other.first.time), self.last.time.min(other.last.time));
        to.since(from)
    }

    /// Packets a second, on the average; at least one.
    pub fn rate(&self) -> f64 {
        let seconds = self.last.time.since(self.first.time).secs_f64();
        if seconds > 0.0 { (f64::from(self.packets) / seconds).max(1.0) } else { 1.0 }
    }

    /// How many packets came after `at`, if they came evenly.
    pub fn packets_after(&self, at: Ts) -> f64 {
        let from = at.max(self.first.time);
        (self.last.time.since(from).secs_f64() * self.rate()).clamp(0.0, f64::from(self.packets))
    }

    /// How far the sequence numbers of the two were apart when the later one began, if that can be
    /// told: of a stream that restarted only its last run is known.
    pub fn distance(&self, other: &Self) -> u16 {
        let (earlier, later) =
            if self.first.time <= other.first.time { (self, other) } else { (other, self) };
        let (low, high) = earlier.run;
        let length = f64::from(high.wrapping_sub(low));
        let lived = earlier.last.time.since(earlier.first.time).secs_f64();
        let at = later.first.time.since(earlier.first.time).secs_f64();
        let share = if lived > 0.0 { (at / lived).clamp(0.0, 1.0) } else { 0.0 };
        let expected = low.wrapping_add(whole(length * share));
        let ahead = later.run.0.wrapping_sub(expected);
        ahead.min(ahead.wrapping_neg())
    }
}

/// What ended lately.
#[derive(Debug)]
pub struct Company {
    ordinary: Window,
    strangers: Window,
    evicted: u64,
}

impl Company {
    /// Two windows of `cap` streams each.
    pub fn new(cap: usize) -> Self {
        Self { ordinary: Window::new(cap), strangers: Window::new(cap), evicted: 0 }
    }

    /// Strangers forgotten while their call was up.
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Puts into `found` the streams that share a socket with this one and are not a minute apart
    /// from it, in the order in which they began, and notes this one. `is_up` tells whether a call
    /// is going on.
    pub fn meet(
        &mut self,
        new: &Companion,
        found: &mut Vec<Companion>,
        is_up: impl Fn(RecordId) -> bool,
    ) {
        found.clear();
        let hashes = [new.src, new.dst].map(hash_of);
        for window in [&self.ordinary, &self.strangers] {
            for (socket, hash) in [new.src, new.dst].into_iter().zip(hashes) {
                window.at(socket, hash, new, found);
            }
        }
        found.sort_by_key(|other| (other.first.time, other.record));
        found.dedup_by_key(|other| other.record);
        let stranger = new.call.is_some() && !(new.known_sender && new.known_receiver);
        let window = if stranger { &mut self.strangers } else { &mut self.ordinary };
        let gone = window.push(*new, hashes);
        let lost = gone.filter(|_| stranger).and_then(|gone| gone.call);
        self.evicted += u64::from(lost.is_some_and(is_up));
    }
}

impl Company {
    /// Asks for where the newest notes of the sockets of an ended stream are; their hashes there.
    pub fn fetch_index(&self, stream: &StreamEnded) -> [u64; 2] {
        let (src, dst) = stream.ends();
        [src, dst].map(|socket| {
            let hash = hash_of(socket);
            fetch::element(&self.ordinary.heads, self.ordinary.bucket(hash));
            hash
        })
    }

    /// Asks for these notes.
    pub fn fetch(&self, hashes: [u64; 2]) {
        for note in hashes.iter().filter_map(|hash| self.ordinary.note(self.ordinary.newest(*hash)))
        {
            fetch::line_of(&note.companion.ssrc);
            fetch::line_of(&note.companion.dst);
        }
    }
}

/// The last so many streams: a ring, with chains from the newest of each socket to older ones.
/// Numbers count up for ever; one that is too old leads nowhere, so nothing is ever unlinked.
#[derive(Debug)]
struct Window {
    ring: Vec<Note>,
    /// The newest of each hash, plus one; 0 for none.
    heads: Vec<u32>,
    next: u32,
    cap: usize,
}

#[derive(Debug)]
struct Note {
    companion: Companion,
    /// The hash of its sender.
    sender: u64,
    /// The one before it under the hash of its sender, and of its receiver; plus one.
    older: [u32; 2],
}

impl Window {
    fn new(cap: usize) -> Self {
        Self { ring: Vec::new(), heads: Vec::new(), next: 0, cap: cap.max(1) }
    }

    /// The streams of a socket, whose hash this is, that are not far from `new`.
    fn at(&self, socket: Endpoint, hash: u64, new: &Companion, found: &mut Vec<Companion>) {
        let mut number = self.newest(hash);
        for _ in 0..LOOKED_AT {
            let Some(note) = self.note(number) else { return };
            let other = &note.companion;
            let shares = other.src == socket || other.dst == socket;
            let near = new.first.time.since(other.last.time) < APART
                && other.first.time.since(new.last.time) < APART;
            if shares && near {
                found.push(*other);
            }
            let side = usize::from(self.bucket(note.sender) != self.bucket(hash));
            number = note.older.get(side).copied().unwrap_or_default();
        }
    }

    /// The number of the newest note of a socket by its hash, plus one; 0 for none.
    fn newest(&self, hash: u64) -> u32 {
        self.heads.get(self.bucket(hash)).copied().unwrap_or_default()
    }

    /// The note of a number plus one, unless it was overwritten.
    fn note(&self, number: u32) -> Option<&Note> {
        let number = number.checked_sub(1)?;
        let age = usize::try_from(self.next.wrapping_sub(number)).ok()?;
        let place = usize::try_from(number).ok()?.checked_rem(self.cap)?;
        self.ring.get(place).filter(|_| age <= self.cap)
    }

    /// Takes in a stream with the hashes of its sockets, and gives out the one that makes room.
    fn push(&mut self, companion: Companion, hashes: [u64; 2]) -> Option<Companion> {
        if self.heads.is_empty() {
            self.heads = vec![0; self.cap.next_power_of_two()];
        }
        if self.next == u32::MAX - 1 {
            // Four thousand million streams later: begin anew.
            *self = Self::new(self.cap);
            return self.push(companion, hashes);
        }
        let number = self.next.saturating_add(1);
        let older = hashes.map(|hash| {
            let bucket = self.bucket(hash);
            let head = self.heads.get_mut(bucket);
            head.map_or(0, |head| std::mem::replace(head, number))
        });
        let [sender, receiver] = older;
        // With both ends in one chain the second place leads past this note.
        let older = if receiver == number { [sender, sender] } else { [sender, receiver] };
        let place = usize::try_from(self.next).unwrap_or(0).checked_rem(self.cap).unwrap_or(0);
        self.next = number;
        let [sender, _] = hashes;
        let note = Note { companion, sender, older };
        if let Some(old) = self.ring.get_mut(place) {
            Some(std::mem::replace(old, note).companion)
        } else {
            self.ring.push(note);
            None
        }
    }

    fn bucket(&self, hash: u64) -> usize {
        usize::try_from(hash >> 16).unwrap_or(usize::MAX) & self.heads.len().wrapping_sub(1)
    }
}

fn hash_of(socket: Endpoint) -> u64 {
    stable_hash(&socket)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 65535")]
fn whole(number: f64) -> u16 {
    number.clamp(0.0, 65_535.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::addr::Addr;
    use crate::model::frame::FrameId;
    use crate::model::id::Kind;

    fn at(host: u8, port: u16) -> Endpoint {
        Endpoint::new(Addr::v4([192, 0, 2, host]), port)
    }

    fn seconds(time: i64) -> Ts {
        Ts::from_nanos(time * 1_000_000_000)
    }

    fn stream(number: u64, src: Endpoint, dst: Endpoint, from: i64, to: i64) -> Companion {
        let frame = |number| FrameId { source: 0, number };
        Companion {
            record: RecordKey {
                first: frame(number),
                id: RecordId::new(Kind::Stream, number << 8),
            },
            call: Some(RecordId::new(Kind::Call, 1 << 8)),
            src,
            dst,
            ssrc: 1,
            first: FrameRef { frame: frame(number), time: seconds(from) },
            last: FrameRef { frame: frame(number + 9), time: seconds(to) },
            packets: 500,
            run: (100, 600),
            restarts: 0,
            known_sender: true,
            known_receiver: true,
            events: false,
            standing: Standing::Confirmed,
        }
    }

    fn met(company: &mut Company, new: &Companion) -> Vec<u64> {
        let mut found = Vec::new();
        company.meet(new, &mut found, |_| true);
        found.iter().map(|other| other.record.first.number).collect()
    }

    #[test]
    fn a_stream_meets_those_that_share_a_socket_with_it_at_the_time() {
        let mut company = Company::new(8);
        assert!(met(&mut company, &stream(1, at(1, 4000), at(2, 5000), 0, 10)).is_empty());
        assert_eq!(met(&mut company, &stream(2, at(2, 5000), at(1, 4000), 0, 10)), [1]);
        assert_eq!(met(&mut company, &stream(3, at(6, 9), at(2, 5000), 5, 9)), [1, 2]);
        assert!(met(&mut company, &stream(4, at(1, 4000), at(2, 5000), 100, 110)).is_empty());
        assert!(met(&mut company, &stream(5, at(1, 4002), at(2, 5002), 5, 9)).is_empty());
        let mut same = stream(6, at(7, 7), at(7, 7), 0, 1);
        assert!(met(&mut company, &same).is_empty());
        same.record.first.number = 7;
        assert_eq!(met(&mut company, &same), [6]);
    }

    #[test]
    fn strangers_have_a_window_of_their_own_and_are_missed_while_their_call_is_up() {
        let mut company = Company::new(2);
        let stranger = |number| Companion {
            known_sender: false,
            ..stream(number, at(66, 1), at(2, 5000), 0, 10)
        };
        for number in 1..=2 {
            met(&mut company, &stranger(number));
        }
        for number in 3..=9 {
            let port = u16::try_from(number).unwrap();
            met(&mut company, &stream(number, at(1, port), at(3, port), 0, 10));
        }
        assert_eq!(met(&mut company, &stream(10, at(1, 4000), at(2, 5000), 0, 20)), [1, 2]);
        assert_eq!(company.evicted(), 0);
        met(&mut company, &stranger(11));
        assert_eq!(company.evicted(), 1);
        let mut found = Vec::new();
        company.meet(&stranger(12), &mut found, |_| false);
        assert_eq!(company.evicted(), 1);
    }

    #[test]
    fn numbers_are_compared_at_the_moment_the_later_stream_began() {
        let long = stream(1, at(1, 1), at(2, 2), 0, 10);
        let mut later = stream(2, at(6, 6), at(2, 2), 5, 6);
        later.run = (370, 400);
        assert_eq!(long.distance(&later), 20);
        assert_eq!(later.distance(&long), 20);
        assert_eq!(long.together(&later), Span::from_secs(1));
        assert!((later.packets_after(seconds(5)) - 500.0).abs() < 1.0);
        assert!(long.packets_after(seconds(9)) < 51.0);
    }
}
