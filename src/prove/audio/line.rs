//! One direction of a call: the streams that made it up, one after the other, each at its time.

use std::collections::VecDeque;

use crate::model::time::Ts;

use super::player::Player;

/// Players on one line of time.
#[derive(Debug)]
pub struct Line<'a> {
    players: VecDeque<(Ts, Player<'a>)>,
    origin: Ts,
    rate: u32,
    silence: u64,
    cursor: u64,
    begun: bool,
}

impl<'a> Line<'a> {
    /// A line that begins at `origin`; all players give `rate` samples a second.
    pub fn new(origin: Ts, rate: u32, players: impl IntoIterator<Item = Player<'a>>) -> Self {
        let mut players: Vec<(Ts, Player<'a>)> = players
            .into_iter()
            .filter_map(|player| player.origin().map(|origin| (origin, player)))
            .collect();
        players.sort_by_key(|(origin, _)| *origin);
        let players = players.into();
        Self { players, origin, rate, silence: 0, cursor: 0, begun: false }
    }

    /// Appends the next stretch to `out`; false at the end. One that begins before the one before it
    /// has ended is heard behind it.
    pub fn play(&mut self, out: &mut Vec<i16>) -> bool {
        loop {
            if self.silence > 0 {
                let now = self.silence.min(self.rate.into());
                self.silence -= now;
                out.resize(out.len().saturating_add(usize::try_from(now).unwrap_or(0)), 0);
                return true;
            }
            let Some((origin, player)) = self.players.front_mut() else { return false };
            if !self.begun {
                self.begun = true;
                let nanos = u128::try_from(origin.since(self.origin).nanos()).unwrap_or(0);
                let place = nanos * u128::from(self.rate) / 1_000_000_000;
                let place = u64::try_from(place).unwrap_or(u64::MAX);
                self.silence = place.saturating_sub(self.cursor);
                self.cursor = self.cursor.max(place);
                continue;
            }
            let before = out.len();
            if player.play(out).is_some() {
                let played = out.len().saturating_sub(before);
                self.cursor = self.cursor.saturating_add(u64::try_from(played).unwrap_or(0));
                return true;
            }
            self.players.pop_front();
            self.begun = false;
        }
    }
}

/// Two lines side by side: what one has and the other has not (any more) is silence there.
#[derive(Debug)]
pub struct Both<'a> {
    lines: [Line<'a>; 2],
    waiting: [Vec<i16>; 2],
    ended: [bool; 2],
}

impl<'a> Both<'a> {
    /// The left one first. Both have the same rate and origin.
    pub fn new(lines: [Line<'a>; 2]) -> Self {
        Self { lines, waiting: [Vec::new(), Vec::new()], ended: [false; 2] }
    }

    /// Appends pairs of samples to `out`; false at the end.
    pub fn play(&mut self, out: &mut Vec<i16>) -> bool {
        let sides = self.lines.iter_mut().zip(&mut self.waiting).zip(&mut self.ended);
        for ((line, waiting), ended) in sides {
            while waiting.is_empty() && !*ended {
                *ended = !line.play(waiting);
            }
        }
        let [left, right] = &mut self.waiting;
        let len = match (left.len(), right.len()) {
            (0, 0) => return false,
            (0, one) | (one, 0) => one,
            (one, other) => one.min(other),
        };
        for place in 0..len {
            out.push(left.get(place).copied().unwrap_or_default());
            out.push(right.get(place).copied().unwrap_or_default());
        }
        left.drain(..len.min(left.len()));
        right.drain(..len.min(right.len()));
        true
    }
}
