//! When a stream is looked at more closely, and what the looks found.
//!
//! The first look begins with the twentieth packet, the next ones a minute apart, or ten seconds behind the last
//! one where the stream changes. What a look sees is the business of [`super::super::figures`].

use overhear_parsers::rtp::header::Header;

use super::{HASTENED, LOOKING, Slot};
use crate::model::figures::{Figures, Tendency};
use crate::model::time::Ts;
use crate::policy::tones::GLANCED;
use crate::track::figures::{self, Look};

impl Slot {
    /// Whether a new look may start with this packet.
    #[inline]
    pub(in crate::track) fn look_is_due(&self, header: &Header<'_>, ts: Ts) -> bool {
        const FIRST_AFTER: u32 = 19;
        if self.packets <= FIRST_AFTER || self.flags & LOOKING != 0 {
            return false;
        }
        let due = low_second(ts).wrapping_sub(self.look_at) < u32::MAX / 2;
        due && self.packets_of(header.payload_type) > FIRST_AFTER
    }

    #[inline]
    pub(in crate::track) fn is_looking(&self) -> bool {
        self.flags & LOOKING != 0
    }

    /// The look under way.
    pub(in crate::track) fn look(&mut self) -> Option<&mut Look> {
        self.look.as_deref_mut()
    }

    /// Whether the octets look random, as far as closer looks say.
    pub(in crate::track) fn looks_random(&self) -> bool {
        let figures = self.probe.as_ref().and_then(|probe| probe.figures.as_ref());
        let said = figures.and_then(|figures| figures.looks.said());
        said.is_some_and(|(tendency, _)| tendency == Tendency::Random)
    }

    /// Whether an earlier look has said something.
    pub(in crate::track) fn is_judged(&self) -> bool {
        self.probe.as_ref().is_some_and(|probe| probe.figures.is_some())
    }

    pub(in crate::track) fn start_look(&mut self, payload_type: u8) {
        self.flags = self.flags & !HASTENED | LOOKING;
        self.look = Some(Box::new(Look::new(payload_type)));
    }

    /// Whether packets with which a look is due are only asked whether they are a fax machine's: of G.711 one a
    /// second in the first half minute, behind the first look and before one that was brought forward.
    pub(in crate::track) fn only_glances(&self) -> bool {
        self.flags & HASTENED == 0 && self.is_greeting()
    }

    /// Whether fax machines may greet each other in it, as far as its codec and its length say.
    fn is_greeting(&self) -> bool {
        self.packets < GLANCED && matches!(self.payload_type, 0 | 8) && self.is_judged()
    }

    /// A packet was asked: when the next one is.
    pub(in crate::track) fn glanced(&mut self, ts: Ts) {
        const SECOND: u32 = 50;
        const REST: u32 = 30;
        let more = self.packets.saturating_add(SECOND) < GLANCED;
        self.look_at = low_second(ts).wrapping_add(if more { 1 } else { REST });
    }

    pub(in crate::track) fn end_look(&mut self, ts: Ts) {
        const EVERY: u32 = 60;
        self.keep_look();
        self.flags &= !LOOKING;
        let wait = if self.is_greeting() { 1 } else { EVERY };
        self.look_at = low_second(ts).wrapping_add(wait);
    }

    /// Ends a look that is under way, and gives what all of them found.
    pub(super) fn figures(&mut self) -> Option<Box<Figures>> {
        self.keep_look();
        self.probe.take()?.figures
    }

    /// Keeps what the look under way found.
    fn keep_look(&mut self) {
        let main = self.main_payload_type();
        let Some(later) = self.look.take().map(|look| look.finish()) else { return };
        match &mut self.probe.get_or_insert_default().figures {
            Some(figures) => **figures = figures::merge(**figures, later, main),
            none => *none = Some(Box::new(later)),
        }
    }

    /// Brings the next look forward, to ten seconds after the last one.
    pub(super) fn hasten_look(&mut self) {
        const BY: u32 = 50;
        const AFTER: u32 = 9;
        if self.flags & (HASTENED | LOOKING) == 0 && self.packets > 20 {
            let by = if self.is_greeting() { AFTER } else { BY.wrapping_neg() };
            self.flags |= HASTENED;
            self.look_at = self.look_at.wrapping_add(by);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "told apart modulo 2^32"
)]
pub(super) const fn low_bits(second: i64) -> u32 {
    second as u32
}

pub(super) fn low_second(ts: Ts) -> u32 {
    low_bits(ts.second())
}
