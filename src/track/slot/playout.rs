//! What a receiver with a play-out buffer would have had to throw away, imitated in two octets a stream.
//!
//! Kept is how much later than the fastest packet of late the last one came: the change of transit of
//! RFC 3550 §6.4.1, summed up and cut at zero. A packet [`PLAYOUT_MS`] later than the fastest comes too
//! late to be played. The fastest is forgotten by a millisecond a second, which any clock's drift stays
//! below; with the marker, a new run or a pause of a second the receiver begins anew (RFC 3551 §4.1);
//! and each packet that comes too late makes it wait a little longer, as adaptive receivers do. What a
//! particular receiver did is not known: RTCP-XR would say (RFC 3611 §4.7).

use super::Slot;
use crate::model::stream::{Late, PLAYOUT_MS};

/// Units of delay in a second: 1/256 ms, so that 16 bits hold a quarter of a second.
const UNITS: f32 = 256_000.0;
/// Units that the fastest packet is forgotten by in a second.
const DRIFT: f32 = 256.0;
/// What the buffer takes.
const BUFFER: u16 = PLAYOUT_MS * 256;
/// A late packet makes the receiver wait longer by this part of its delay: a lasting change of 100 ms is
/// followed within a tenth of a second.
const FOLLOWED: u16 = 8;
/// In the count of late packets: the last one was late. A network that is slow makes nearly all packets
/// late, and a count that each of them touches shall not take another cache line.
const RUNNING: u32 = 1 << 31;

impl Slot {
    /// Books a packet that came `later` than the one before would have it, seconds, and `arrival`
    /// nanoseconds after it. `anew`: the receiver sets its play-out by this one.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "it saturates: earlier than the fastest is the new fastest"
    )]
    pub(super) fn play(&mut self, later: f32, arrival: i64, anew: bool) {
        // A clock that jumps by a second has been set anew.
        let before =
            if anew || later.abs() > 1.0 { 0.0 } else { f32::from(self.delay) + later * UNITS };
        self.delay = (before - arrival as f32 * (DRIFT * 1e-9)) as u16;
        if self.delay > BUFFER {
            self.late();
        } else {
            self.late &= !RUNNING;
        }
    }

    #[cold]
    fn late(&mut self) {
        self.delay -= self.delay / FOLLOWED;
        if self.late & RUNNING == 0 {
            self.late_runs = self.late_runs.saturating_add(1);
        }
        self.late = (self.late | RUNNING).saturating_add(1);
    }

    /// What came too late.
    pub(super) const fn late_packets(&self) -> Late {
        Late { packets: self.late & !RUNNING, runs: self.late_runs }
    }
}
