//! How a stream sounds: the E-model of ITU-T G.107, from loss, its burstiness and an assumed delay.
//!
//! `CATALOGUE.md` G.1. R = 93.2 - Id - Ie,eff with the defaults of G.107; MOS from R. A tap sees no
//! one-way delay and no play-out: where RTCP tells no round trip, delay is assumed (and said so), and a play-out buffer is imitated:
//! what came too late for it counts as lost in one of the two scores. Equipment impairments are planning values of G.113 appendix I.
//! Wideband codecs are put on the narrowband scale, marked as approximate. Video has no MOS.

use crate::model::record::StreamQuality;
use crate::model::stream::{Bursts, Late, PLAYOUT_MS};
use crate::policy::media::ASSUMED_NETWORK_MS;

/// R of G.107 without impairments.
const BEST: f64 = 93.2;
/// One-way delay of the network that is assumed, ms.
const NETWORK_MS: f64 = ASSUMED_NETWORK_MS as f64;
/// Play-out buffer that is assumed, ms.
const BUFFER_MS: f64 = PLAYOUT_MS as f64;

/// What a codec costs, and how it stands loss (G.113 appendix I).
#[derive(Copy, Clone, Debug, PartialEq)]
struct Codec {
    name: &'static str,
    /// Ie.
    impairment: f64,
    /// Bpl.
    robustness: f64,
    /// On the narrowband scale only by approximation.
    wideband: bool,
}

const fn narrow(name: &'static str, impairment: f64, robustness: f64) -> Codec {
    Codec { name, impairment, robustness, wideband: false }
}

const fn wide(name: &'static str, impairment: f64, robustness: f64) -> Codec {
    Codec { name, impairment, robustness, wideband: true }
}

/// G.723.1 at 5.3 kbit/s: frames of 20 octets. SDP does not tell it from that at 6.3 kbit/s.
pub const G723_SLOW: &str = "G723 at 5.3 kbit/s";

/// G.711 and G.722 with packet loss concealment.
const CODECS: [Codec; 22] = [
    narrow("PCMU", 0.0, 25.1),
    narrow("PCMA", 0.0, 25.1),
    narrow("G729", 11.0, 19.0),
    narrow("G723", 15.0, 16.1),
    narrow(G723_SLOW, 19.0, 16.0),
    narrow("GSM", 20.0, 10.0),
    narrow("GSM-EFR", 5.0, 10.0),
    narrow("AMR", 5.0, 10.0),
    narrow("G726-16", 50.0, 10.0),
    narrow("G726-24", 25.0, 10.0),
    narrow("G726-32", 7.0, 10.0),
    narrow("G726-40", 2.0, 10.0),
    narrow("AAL2-G726-16", 50.0, 10.0),
    narrow("AAL2-G726-24", 25.0, 10.0),
    narrow("AAL2-G726-32", 7.0, 10.0),
    narrow("AAL2-G726-40", 2.0, 10.0),
    narrow("G728", 7.0, 10.0),
    narrow("iLBC", 10.0, 32.0),
    wide("G722", 0.0, 25.1),
    wide("opus", 0.0, 10.0),
    wide("AMR-WB", 5.0, 10.0),
    wide("L16", 0.0, 25.1),
];

/// What is known of a stream's transmission.
#[derive(Copy, Clone, Debug)]
pub struct Transmission<'a> {
    /// Encoding name.
    pub codec: &'a str,
    /// Numbers promised.
    pub expected: u64,
    /// Numbers that never came.
    pub lost: u64,
    /// How loss clustered.
    pub bursts: &'a Bursts,
    /// What came too late for the buffer; `None` if arrival could not be judged.
    pub late: Option<Late>,
    /// How long a packet's audio lasts, ms; `None` if not known.
    pub packet_ms: Option<f64>,
    /// One-way delay of the network, ms, as far as RTCP told it.
    pub network_ms: Option<f64>,
}

/// The quality of a stream; `None` for a codec that the E-model has no values for, and without
/// packets.
pub fn quality(of: &Transmission<'_>) -> Option<StreamQuality> {
    let codec = CODECS.iter().find(|codec| codec.name.eq_ignore_ascii_case(of.codec))?;
    if of.expected == 0 {
        return None;
    }
    let loss_pct = share(of.lost, of.expected);
    let late = of.late.unwrap_or_default();
    let discarded = share(u64::from(late.packets), of.expected).min(100.0 - loss_pct);
    let lost = burst_ratio(of, Late::default());
    let network_ms = of.network_ms.unwrap_or(NETWORK_MS);
    let unbuffered = rating(codec, loss_pct, lost, network_ms);
    let missed = burst_ratio(of, late);
    let heard = rating(codec, loss_pct + discarded, missed, network_ms + BUFFER_MS);
    let bursts = of.bursts;
    let in_gaps = of.expected.saturating_sub(u64::from(bursts.packets));
    let lasting = |packets: u64, times: u64| {
        let packet_ms = of.packet_ms.filter(|_| times > 0)?;
        Some(round(float(packets) * packet_ms / float(times)))
    };
    Some(StreamQuality {
        r_factor: round(heard),
        mos_unbuffered: round(mos(unbuffered)),
        mos_buffered: round(mos(heard)),
        discarded_pct: of.late.map(|_| round(discarded)),
        burst_ratio: round(lost),
        bursts: u64::from(bursts.bursts),
        burst_density_pct: round(share(u64::from(bursts.losses), u64::from(bursts.packets))),
        gap_density_pct: round(share(u64::from(bursts.isolated), in_gaps)),
        burst_ms: lasting(u64::from(bursts.packets), u64::from(bursts.bursts)),
        gap_ms: lasting(in_gaps, u64::from(bursts.bursts).saturating_add(1)),
        assumed_delay_ms: round(network_ms + BUFFER_MS),
        approximate: codec.wideband,
        delay_told: of.network_ms.is_some(),
    })
}

/// `BurstR`: how much longer runs of loss are than those of random loss; 1 for random loss. What came
/// too `late` is lost as well.
fn burst_ratio(of: &Transmission<'_>, late: Late) -> f64 {
    let bursts = of.bursts;
    let all = of.lost.saturating_add(u64::from(late.packets));
    let random = 1.0 / (1.0 - (share(all, of.expected) / 100.0).min(0.99));
    let runs = bursts.runs.saturating_add(late.runs);
    if runs == 0 || all == 0 {
        return 1.0;
    }
    let lost = u64::from(bursts.losses).saturating_add(u64::from(bursts.isolated));
    let missed = lost.saturating_add(u64::from(late.packets));
    (float(missed) / f64::from(runs) / random).max(1.0)
}

/// R with the effective equipment impairment and the delay impairment.
fn rating(codec: &Codec, loss_pct: f64, burst_ratio: f64, delay_ms: f64) -> f64 {
    let above = (delay_ms - 177.3).max(0.0);
    let delay = 0.024 * delay_ms + 0.11 * above;
    let (ie, bpl) = (codec.impairment, codec.robustness);
    let equipment = ie + (95.0 - ie) * loss_pct / (loss_pct / burst_ratio + bpl);
    BEST - delay - equipment
}

/// The mean opinion score that G.107 annex B gives for R.
pub fn mos(r: f64) -> f64 {
    if r <= 0.0 {
        1.0
    } else if r >= 100.0 {
        4.5
    } else {
        (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) * 100.0 }
}

#[expect(clippy::cast_precision_loss, reason = "output; counts stay far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

fn round(value: f64) -> f64 {
    nearest(value * 100.0) / 100.0
}

/// What [`f64::round`] gives. That is a call where the processor may lack the instruction, and every
/// stream has a dozen of these.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "exact within the bounds, as is the rest"
)]
pub(super) fn nearest(value: f64) -> f64 {
    const BOUND: f64 = 1e15;
    if !(-BOUND..BOUND).contains(&value) {
        return value.round();
    }
    let whole = value as i64 as f64;
    let rest = value - whole;
    let more = f64::from(u8::from(rest >= 0.5)) - f64::from(u8::from(rest <= -0.5));
    // The sign of what becomes zero is in the report.
    (whole + more).copysign(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream(codec: &str, lost: u64, runs: u32) -> Transmission<'_> {
        const NONE: Bursts = Bursts { runs: 0, bursts: 0, losses: 0, packets: 0, isolated: 0 };
        let bursts: &'static Bursts = match (lost, runs) {
            (0, _) => &NONE,
            (50, 50) => &Bursts { runs: 50, isolated: 50, ..NONE },
            _ => &Bursts { runs: 10, bursts: 10, losses: 50, packets: 50, isolated: 0 },
        };
        let packet_ms = Some(20.0);
        let network_ms = None;
        Transmission { codec, expected: 1000, lost, bursts, late: None, packet_ms, network_ms }
    }

    proptest! {
        #[test]
        fn the_nearest_number_is_that_of_the_library(value: f64, whole in -3_000_000_i32..3_000_000) {
            let small = f64::from(whole) / 4.0;
            let below = small.next_down();
            let above = small.next_up();
            for value in [value, small, below, above, value % 1e6, value % 1.0] {
                prop_assert_eq!(nearest(value).to_bits(), value.round().to_bits(), "{}", value);
            }
        }
    }

    #[test]
    fn without_loss_g711_is_as_good_as_a_telephone_gets() {
        let g711 = quality(&stream("PCMU", 0, 0)).unwrap();
        assert!((4.3..4.45).contains(&g711.mos_buffered), "{g711:?}");
        let g729 = quality(&stream("g729", 0, 0)).unwrap();
        assert!((3.9..4.2).contains(&g729.mos_buffered), "{g729:?}");
        let g723 = ["G723", G723_SLOW].map(|name| quality(&stream(name, 0, 0)).unwrap().r_factor);
        assert!((g723[0] - g723[1] - 4.0).abs() < 1e-9, "{g723:?}");
        assert_eq!(quality(&stream("H264", 0, 0)), None);
    }

    #[test]
    fn the_same_loss_in_bursts_sounds_worse() {
        let random = quality(&stream("PCMU", 50, 50)).unwrap();
        let bursty = quality(&stream("PCMU", 50, 10)).unwrap();
        assert!(bursty.mos_buffered < random.mos_buffered, "{bursty:?} {random:?}");
        assert!((random.burst_ratio - 1.0).abs() < 1e-9);
        assert_eq!((bursty.bursts, bursty.burst_ms), (10, Some(100.0)));
    }

    #[test]
    fn the_score_of_a_rating_is_that_of_annex_b() {
        for (r, score) in [(-1.0, 1.0), (50.0, 2.58), (70.0, 3.60), (93.2, 4.41), (101.0, 4.5)] {
            assert!((mos(r) - score).abs() < 0.01, "{r}: {}", mos(r));
        }
    }

    #[test]
    fn a_long_way_that_rtcp_tells_is_heard() {
        let mut far = stream("PCMU", 0, 0);
        far.network_ms = Some(400.0);
        let (far, near) = (quality(&far).unwrap(), quality(&stream("PCMU", 0, 0)).unwrap());
        assert!(far.mos_buffered < 3.0 && near.mos_buffered > 4.3, "{far:?} {near:?}");
        assert!(far.delay_told && !near.delay_told);
        assert!((far.assumed_delay_ms - 460.0).abs() < 1e-9);
    }

    #[test]
    fn what_comes_too_late_counts_as_lost() {
        let mut late = stream("PCMU", 0, 0);
        late.late = Some(Late { packets: 100, runs: 100 });
        let (late, fine) = (quality(&late).unwrap(), quality(&stream("PCMU", 0, 0)).unwrap());
        assert!(late.mos_buffered < fine.mos_buffered - 0.5);
        assert!((late.mos_unbuffered - fine.mos_unbuffered).abs() < 1e-9);
        assert_eq!((late.discarded_pct, fine.discarded_pct), (Some(10.0), None));
        let mut together = stream("PCMU", 0, 0);
        together.late = Some(Late { packets: 100, runs: 2 });
        assert!(quality(&together).unwrap().mos_buffered < late.mos_buffered);
    }
}
