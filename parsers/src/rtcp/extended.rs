//! Extended reports (RFC 3611): of their blocks the `VoIP` metrics, §4.7.

/// What a receiver measured, and thinks of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct VoipMetrics {
    /// The source reported on.
    pub ssrc: u32,
    /// Share lost, 1/256.
    pub loss_rate: u8,
    /// Share discarded for coming too late or too early, 1/256.
    pub discard_rate: u8,
    /// Share lost or discarded within bursts, 1/256.
    pub burst_density: u8,
    /// The same between bursts.
    pub gap_density: u8,
    /// Mean length of a burst, ms.
    pub burst_ms: u16,
    /// Mean length of a gap, ms.
    pub gap_ms: u16,
    /// Round trip between the RTP interfaces, ms; 0 if not measured.
    pub round_trip_ms: u16,
    /// Delay within the end system, ms; 0 if not measured.
    pub end_system_ms: u16,
    /// R, 0 to 100; `None` if unavailable (127).
    pub r_factor: Option<u8>,
    /// MOS of listening, tenths, 10 to 50; `None` if unavailable.
    pub mos_lq: Option<u8>,
    /// MOS of conversation, tenths.
    pub mos_cq: Option<u8>,
}

/// The `VoIP` metrics among the blocks of an extended report.
#[derive(Clone, Debug)]
pub struct Metrics<'a> {
    rest: &'a [u8],
}

const VOIP_METRICS: u8 = 7;
const UNAVAILABLE: u8 = 127;

impl<'a> Metrics<'a> {
    /// Walks the blocks behind the reporter's SSRC.
    pub const fn new(blocks: &'a [u8]) -> Self {
        Self { rest: blocks }
    }
}

impl Iterator for Metrics<'_> {
    type Item = VoipMetrics;

    fn next(&mut self) -> Option<VoipMetrics> {
        loop {
            let (&[kind, _, high, low], rest) = self.rest.split_first_chunk()?;
            let octets = usize::from(u16::from_be_bytes([high, low])).saturating_mul(4);
            let (block, rest) = rest.split_at_checked(octets)?;
            self.rest = rest;
            if kind == VOIP_METRICS
                && let Some(fields) = block.first_chunk()
            {
                return Some(read(fields));
            }
        }
    }
}

const fn read(fields: &[u8; 24]) -> VoipMetrics {
    let &[
        s0,
        s1,
        s2,
        s3,
        loss_rate,
        discard_rate,
        burst_density,
        gap_density,
        burst0,
        burst1,
        gap0,
        gap1,
        trip0,
        trip1,
        end0,
        end1,
        _signal,
        _noise,
        _echo,
        _gmin,
        r,
        _external,
        lq,
        cq,
    ] = fields;
    VoipMetrics {
        ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
        loss_rate,
        discard_rate,
        burst_density,
        gap_density,
        burst_ms: u16::from_be_bytes([burst0, burst1]),
        gap_ms: u16::from_be_bytes([gap0, gap1]),
        round_trip_ms: u16::from_be_bytes([trip0, trip1]),
        end_system_ms: u16::from_be_bytes([end0, end1]),
        r_factor: available(r),
        mos_lq: available(lq),
        mos_cq: available(cq),
    }
}

const fn available(score: u8) -> Option<u8> {
    if score == UNAVAILABLE { None } else { Some(score) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voip_metrics_are_found_behind_other_blocks_and_127_is_no_score() {
        let mut blocks = vec![4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
        blocks.extend([7, 0, 0, 8, 0, 0, 0, 9, 12, 12, 84, 10, 0, 120, 2, 8, 0, 40, 0, 20]);
        blocks.extend([0, 0, 0, 16, 80, 127, 41, 127, 0, 0, 0, 60, 0, 60, 0, 120]);
        let found: Vec<_> = Metrics::new(&blocks).collect();
        let [metrics] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((metrics.ssrc, metrics.loss_rate, metrics.burst_density), (9, 12, 84));
        assert_eq!((metrics.burst_ms, metrics.gap_ms, metrics.round_trip_ms), (120, 520, 40));
        assert_eq!((metrics.r_factor, metrics.mos_lq, metrics.mos_cq), (Some(80), Some(41), None));
        for length in 0..blocks.len() {
            assert!(Metrics::new(&blocks[..length]).count() <= 1);
        }
    }
}
