//! Digits and tones sent as events beside the audio (RFC 4733): how many, when, and which.

use crate::model::time::Ts;

use super::recording::Piece;

/// Events noted of one stream.
const EVENTS: usize = 4_096;
/// Events that a late packet may belong to.
const RECENT: usize = 8;

/// One key press.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Event {
    /// When its first packet was captured.
    pub at: Ts,
    /// What was pressed, 0 to 16, or the number of a tone. A secret: never shown unasked.
    code: u8,
    timestamp: u32,
}

/// Shows when, not what.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").field("at", &self.at).finish_non_exhaustive()
    }
}

/// The events of one stream.
#[derive(Clone, Debug, Default)]
pub struct Events {
    list: Vec<Event>,
}

impl Events {
    /// Takes a packet. All packets of one event have its timestamp (RFC 4733 §2.5.1.2).
    pub fn packet(&mut self, piece: &Piece, payload: &[u8]) {
        let &[code, _, _, _, ..] = payload else { return };
        let same = |event: &Event| event.timestamp == piece.timestamp && event.code == code;
        // Some senders number each event from the same number on: their packets may be out of order.
        let known = self.list.iter().rev().take(RECENT).any(same);
        if self.list.len() < EVENTS && !known {
            self.list.push(Event { at: piece.at, code, timestamp: piece.timestamp });
        }
    }

    /// When each began.
    pub fn times(&self) -> impl Iterator<Item = Ts> {
        self.list.iter().map(|event| event.at)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// What was pressed; only for who asked for it. Tones that are no keys are `?`.
    pub fn revealed(&self) -> String {
        let key = |event: &Event| match event.code {
            0..=9 => char::from(b'0' + event.code),
            10 => '*',
            11 => '#',
            12..=15 => char::from(b'A' + event.code - 12),
            16 => '!',
            _ => '?',
        };
        self.list.iter().map(key).collect()
    }
}
