//! The messages of the handshake that TLS 1.3 encrypts (RFC 8446 §4.3 and §4.4): certificates, the
//! request for one. Kept as they opened, until the handshake is told of.

use overhear_parsers::tls::{MessageType, Messages};

use crate::model::evidence::FrameRef;
use crate::model::handshake::{Frames, Peer};

/// Octets kept of both sides; more than any real chain of certificates needs.
const KEPT_MAX: usize = 24 << 10;

/// The messages of client and server, each behind its type and length.
#[derive(Debug, Default)]
pub(super) enum Flight {
    /// None so far.
    #[default]
    Awaited,
    /// These.
    Kept(Box<Kept>),
    /// Nobody wants them any more, or some are missing.
    Over,
}

/// Messages with where they were whole.
#[derive(Debug, Default)]
pub(super) struct Kept {
    both: [Vec<u8>; 2],
    /// Octets of each that were looked through for it.
    walked: [usize; 2],
    frames: Frames,
}

impl Flight {
    /// Takes what opened of the client (0) or the server, as far as there is room.
    pub(super) fn keep(&mut self, role: usize, octets: &[u8]) {
        if matches!(self, Self::Awaited) {
            *self = Self::Kept(Box::default());
        }
        let Self::Kept(kept) = self else { return };
        let held = kept.both.iter().map(Vec::len).fold(octets.len(), usize::saturating_add);
        match kept.both.get_mut(role) {
            Some(kept) if held <= KEPT_MAX => kept.extend_from_slice(octets),
            _ => self.end(),
        }
    }

    /// This frame brought what was kept last.
    pub(super) fn came(&mut self, at: FrameRef) {
        let Self::Kept(kept) = self else { return };
        let Kept { both, walked, frames } = &mut **kept;
        let roles = [Peer::Client, Peer::Server].into_iter();
        for ((from, messages), done) in roles.zip(both).zip(walked) {
            frames.walk(from, messages, done, at);
        }
    }

    /// Where its messages were whole.
    pub(super) fn frames(&self) -> Frames {
        match self {
            Self::Kept(kept) => kept.frames,
            Self::Awaited | Self::Over => Frames::default(),
        }
    }

    /// Whether the client's Finished has come, or nobody wants it any more.
    pub(super) fn is_finished(&self) -> bool {
        match self {
            Self::Awaited => false,
            Self::Kept(_) => Messages::new(self.messages(0)).find(MessageType::FINISHED).is_some(),
            Self::Over => true,
        }
    }

    /// Forgets all, and takes nothing more.
    pub(super) fn end(&mut self) {
        *self = Self::Over;
    }

    /// Those of the client (0) or the server.
    pub(super) fn messages(&self, role: usize) -> &[u8] {
        self.both().get(role).map_or(&[], Vec::as_slice)
    }

    /// Those of both.
    pub(super) fn both(&self) -> &[Vec<u8>] {
        match self {
            Self::Kept(kept) => kept.both.as_slice(),
            Self::Awaited | Self::Over => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_forgotten_with_what_came_before() {
        let mut flight = Flight::default();
        flight.keep(1, b"one");
        flight.keep(1, b"two");
        assert_eq!((flight.messages(0), flight.messages(1)), (&b""[..], &b"onetwo"[..]));
        flight.keep(0, &vec![0; KEPT_MAX]);
        assert!(flight.both().is_empty() && flight.messages(2).is_empty());
        flight.keep(0, b"more");
        assert!(flight.both().is_empty());
    }
}
