//! Two counters in one stream, more than a hundred numbers apart: each goes on by itself, and they take turns.
//!
//! That alone is no injection: a sender may have started anew, and packets that took two routes drain from the
//! slower one. So the first packets of the counter ahead are remembered by hash until the one behind gets to
//! their numbers, up to [`INJECT_DISTANCE`](crate::policy::media::INJECT_DISTANCE) packets later. The same
//! packets are copies, and the route ends before them; other payloads are somebody else's. Nothing is allocated
//! before a packet stands that far behind the highest number.

use crate::policy::media::INJECT_DISTANCE;

/// Packets of the counter ahead that are remembered.
const KEPT: usize = 16;

/// Numbers by which a counter goes on from one of its packets to the next at most.
const NEAR: u16 = 8;

/// Packets of both counters that are looked at: what the one ahead sends while the one behind catches up, twice.
const LOOKED_AT: u16 = 2 * INJECT_DISTANCE + 200;

/// Two counters of one stream.
#[derive(Debug)]
pub(super) struct Rivals {
    /// The latest number of each.
    ahead: u16,
    behind: u16,
    /// The first packets of the one ahead: number, hash and TTL.
    first: [(u16, u32, u8); KEPT],
    kept: usize,
    /// Times that a packet of one came behind one of the other.
    turns: u16,
    last_ahead: bool,
    left: u16,
}

/// What a packet says of the two.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing yet.
    Nothing,
    /// It has the number of a packet of the other counter, and is another one: of that packet the TTL, and how
    /// often the two took turns.
    Conflict(u8, u16),
    /// They are not two senders, or enough was looked at.
    Over,
}

impl Rivals {
    /// A packet with number `behind` came when the highest was `ahead`.
    pub(super) fn new(ahead: u16, behind: u16) -> Box<Self> {
        Box::new(Self {
            ahead,
            behind,
            first: [(0, 0, 0); KEPT],
            kept: 0,
            turns: 0,
            last_ahead: false,
            left: LOOKED_AT,
        })
    }

    /// Takes a packet by its number, the hash of its content, and its TTL.
    pub(super) fn packet(&mut self, number: u16, hash: u32, ttl: u8) -> Turn {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return Turn::Over;
        }
        let follows = |before: u16| (1..=NEAR).contains(&number.wrapping_sub(before));
        if follows(self.behind) {
            self.behind = number;
            self.turn(false);
            return self.compare(number, hash);
        }
        if follows(self.ahead) {
            self.ahead = number;
            self.turn(true);
            if let Some(place) = self.first.get_mut(self.kept) {
                *place = (number, hash, ttl);
                self.kept += 1;
            }
        }
        Turn::Nothing
    }

    fn turn(&mut self, ahead: bool) {
        self.turns = self.turns.saturating_add(u16::from(self.last_ahead != ahead));
        self.last_ahead = ahead;
    }

    fn compare(&self, number: u16, hash: u32) -> Turn {
        let kept = self.first.get(..self.kept).unwrap_or_default();
        match kept.iter().find(|(other, ..)| *other == number) {
            None => Turn::Nothing,
            Some((_, other, _)) if *other == hash => Turn::Over,
            // Each time two packets of one took the place of one of the other.
            Some((.., ttl)) => Turn::Conflict(*ttl, self.turns / 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both counters, the one behind from 0 and the one ahead from `ahead`, for `overlap` packets each, then the
    /// one behind alone; the content of the one ahead differs by `other`.
    fn run(ahead: u16, overlap: u16, other: u32) -> Vec<Turn> {
        let mut rivals = Rivals::new(ahead, 0);
        let mut said = Vec::new();
        for step in 1..=1_300_u16 {
            said.push(rivals.packet(step, u32::from(step), 64));
            if step <= overlap {
                let number = ahead + step;
                said.push(rivals.packet(number, u32::from(number) + other, 61));
            }
            if said.contains(&Turn::Over) {
                break;
            }
        }
        said.retain(|turn| *turn != Turn::Nothing);
        said
    }

    #[test]
    fn two_senders_contradict_each_other_when_one_gets_to_the_numbers_of_the_other() {
        for ahead in [150, 500, 1_000] {
            let said = run(ahead, 900, 7);
            let conflicts = said.iter().filter(|turn| matches!(turn, Turn::Conflict(61, 10..)));
            assert_eq!(conflicts.count(), KEPT, "{ahead}");
        }
        let short = run(500, 30, 7);
        assert_eq!(short.first(), Some(&Turn::Conflict(61, 30)));
    }

    #[test]
    fn a_slower_route_that_drains_and_a_sender_that_starts_anew_are_none() {
        assert_eq!(run(500, 900, 0), [Turn::Over]);
        assert_eq!(run(500, 0, 7), [], "nobody is ahead any more");
    }
}
