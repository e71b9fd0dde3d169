//! How loss clusters: bursts and gaps of RFC 3611 §4.7.2, counted where a number is missing.
//!
//! Losses with fewer than Gmin packets received between them are one burst; a loss alone lies in a
//! gap. Only a packet behind a gap comes here. A packet that comes late has been counted as lost:
//! so it is for a receiver that has played on. Times without any packet are kept as holes beside it.

use super::Slot;
use crate::model::stream::{Bursts, Hole};
use crate::model::time::Ts;

/// Packets received in a row that end a burst (RFC 3611 §4.7.2).
const GMIN: u32 = 16;

/// What has been counted, and the losses that are not yet known to be a burst.
#[derive(Copy, Clone, Debug, Default)]
pub(in crate::track) struct Clusters {
    done: Bursts,
    /// Losses of the cluster at hand; 0 before the first.
    losses: u32,
    /// Numbers from its first loss to its last.
    span: u32,
    /// Extended number of its last loss.
    last: u32,
    /// Numbers of the last run of loss.
    run: u32,
}

impl Clusters {
    /// `count` numbers up to and including `last` are missing.
    fn lost(&mut self, last: u32, count: u32) {
        let apart = last.wrapping_sub(self.last);
        let received = apart.wrapping_sub(count);
        self.done.runs = self.done.runs.saturating_add(1);
        if self.losses > 0 && received < GMIN {
            self.losses = self.losses.saturating_add(count);
            self.span = self.span.saturating_add(apart);
        } else {
            self.close();
            (self.losses, self.span) = (count, count);
        }
        self.last = last;
        self.run = count;
    }

    /// How many numbers in a row were missing last.
    const fn last_run(&self) -> u32 {
        self.run
    }

    /// Everything, the cluster at hand included.
    pub(super) fn end(mut self) -> Bursts {
        self.close();
        self.done
    }

    fn close(&mut self) {
        match self.losses {
            0 => {}
            1 => self.done.isolated = self.done.isolated.saturating_add(1),
            losses => {
                self.done.bursts = self.done.bursts.saturating_add(1);
                self.done.losses = self.done.losses.saturating_add(losses);
                self.done.packets = self.done.packets.saturating_add(self.span);
            }
        }
    }
}

impl Slot {
    /// Books the numbers missing between `before` and the highest, which has just come.
    #[cold]
    pub(super) fn lost(&mut self, before: u32) {
        let (last, missing) = (self.highest.wrapping_sub(1), self.highest.wrapping_sub(before));
        let probe = self.probe.get_or_insert_default();
        probe.clusters.lost(last, missing.saturating_sub(1));
    }

    /// Notes that nothing came from the packet before until `to`, when the next one came.
    #[cold]
    pub(super) fn hole(&mut self, to: Ts) {
        let from = self.last;
        if let Some(probe) = &mut self.probe {
            let missing = probe.clusters.last_run();
            probe.holes.get_or_insert_default().push(Hole { from, to, missing });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 for what came; anything else did not.
    fn of(pattern: &str) -> Bursts {
        let mut clusters = Clusters::default();
        let mut missing = 0;
        for (number, symbol) in (100_u32..).zip(pattern.chars()) {
            if symbol != '1' {
                missing += 1;
            } else if missing > 0 {
                clusters.lost(number - 1, missing);
                missing = 0;
            }
        }
        clusters.end()
    }

    #[test]
    fn the_pattern_of_rfc_3611_has_one_burst_of_twelve_packets() {
        let bursts = of("11110111111111111111111X111X1011110111111111111111111X111111111");
        assert_eq!((bursts.bursts, bursts.losses, bursts.packets), (1, 4, 12));
        assert_eq!((bursts.isolated, bursts.runs), (2, 6));
        // As that section prints densities: 256ths, cut.
        assert_eq!((bursts.losses * 256 / bursts.packets, 2 * 256 / (63 - 12)), (85, 10));
        // At 10 ms a packet: one burst of 120 ms, gaps of 510 together; 3 lost and 3 discarded of 63.
        assert_eq!((bursts.packets * 10, (63 - bursts.packets) * 10, 3 * 256 / 63), (120, 510, 12));
    }

    #[test]
    fn the_64_packets_that_rfc_3611_speaks_of_make_the_second_gap_longer() {
        let bursts = of("11110111111111111111111X111X1011110111111111111111111X1111111111");
        let gaps = 64 - bursts.packets;
        assert_eq!((bursts.losses * 256 / bursts.packets, 2 * 256 / gaps), (85, 9));
        assert_eq!((bursts.packets * 10, gaps * 10, 3 * 256 / 64), (120, 520, 12));
    }

    #[test]
    fn sixteen_packets_received_end_a_burst_and_fifteen_do_not() {
        let with = |received: usize| of(&format!("10{}01", "1".repeat(received)));
        assert_eq!((with(15).bursts, with(15).packets), (1, 17));
        assert_eq!((with(16).bursts, with(16).isolated), (0, 2));
    }
}
