//! One documented number for each threshold that a rule uses, by the names of the catalogue.

use super::fallback::FallbackThresholds;
use super::media::{FIXED, MediaThresholds};
use super::sip::SipThresholds;
use super::tls::TlsThresholds;
use crate::model::finding::Figure;

/// Thresholds of the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// Packets below which a stream is not judged (`MEDIA-CLEARTEXT-RTP`).
    pub cleartext_min_packets: u64,
    /// Share of all streams, percent, that must lose packets in the same second (`SENSOR-DROP`).
    pub drop_share_pct: u64,
    /// Streams that must be active in that second before the share means anything.
    pub drop_min_streams: u64,
    /// Transactions of a pair of peers of which only one direction is seen (`SENSOR-ONE-SIDED`).
    pub one_sided_transactions: u64,
    /// Packets below which a flow with RTP-like headers is not named: any DNS resolver has a few
    /// (`SENSOR-RTP-LOOKALIKE`).
    pub lookalike_min_packets: u64,
    /// How long after it came to a border element an SRTP key may leave it, milliseconds
    /// (`MEDIA-SDES-KEY-PASSTHROUGH`).
    pub key_passthrough_ms: i64,
    /// Sequence numbers below which loss and jitter are not judged: five seconds of speech
    /// (`QOS-LOSS`, `QOS-JITTER`).
    pub loss_min_packets: u64,
    /// Loss, percent, from which it is a low finding.
    pub loss_low_pct: f64,
    /// The same for a medium one.
    pub loss_medium_pct: f64,
    /// The same for a high one.
    pub loss_high_pct: f64,
    /// Mean jitter, milliseconds, from which it is a low finding (`QOS-JITTER`).
    pub jitter_low_ms: f64,
    /// The same for a medium one.
    pub jitter_medium_ms: f64,
    /// Shortest stream, seconds, whose score is judged (`QOS-MOS`).
    pub mos_min_s: f64,
    /// Mean opinion score below which it is a low finding.
    pub mos_low: f64,
    /// The same for a medium one.
    pub mos_medium: f64,
    /// The same for a high one.
    pub mos_high: f64,
    /// Packets below which a stream's marking and cost are not looked at (`QOS-DSCP`,
    /// `QOS-SRTP-COST`).
    pub dscp_min_packets: u64,
    /// Markings that media may have, a bit each (`QOS-DSCP`): EF, VOICE-ADMIT, CS5, and AF41 to AF43 for
    /// video.
    pub dscp_media: Markings,
    /// The same for signalling: CS3, AF31 to AF33, and the CS5 of RFC 4594.
    pub dscp_signalling: Markings,
    /// Packets that one side of a call sends while the other is silent (`QOS-ONE-WAY`).
    pub one_way_packets: u64,
    /// For how long, milliseconds.
    pub one_way_ms: i64,
    /// The same where the silence begins with the end of the dialog. After a forged BYE the other side
    /// gives up within seconds: four in the recording of one.
    pub one_way_over_ms: i64,
    /// Seconds without RTCP (`QOS-RTCP-ABSENT`).
    pub rtcp_absent_s: f64,
    /// Backward jump of capture time, milliseconds (`SENSOR-TIME`).
    pub time_backward_ms: i64,
    /// Days before the end of a certificate in which it is named (`TLS-CERT-EXPIRES-SOON`).
    pub tls_expiry_days: i64,
    /// Drift between the RTP clock and the capture clock, percent (`SENSOR-TIME`).
    pub time_drift_pct: f64,
    /// Of the rules about security that is given up.
    pub fallback: FallbackThresholds,
    /// Of the rules about media streams.
    pub media: MediaThresholds,
    /// Of the rules about SIP messages.
    pub sip: SipThresholds,
    /// Of the rules about TLS.
    pub tls: TlsThresholds,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            cleartext_min_packets: 20,
            drop_share_pct: 30,
            drop_min_streams: 10,
            one_sided_transactions: 20,
            lookalike_min_packets: 20,
            key_passthrough_ms: 10_000,
            loss_min_packets: 250,
            loss_low_pct: 1.0,
            loss_medium_pct: 3.0,
            loss_high_pct: 10.0,
            jitter_low_ms: 20.0,
            jitter_medium_ms: 50.0,
            mos_min_s: 5.0,
            mos_low: 3.6,
            mos_medium: 3.1,
            mos_high: 2.6,
            dscp_min_packets: 50,
            dscp_media: Markings::of(&[34, 36, 38, 40, 44, 46]),
            dscp_signalling: Markings::of(&[24, 26, 28, 30, 40]),
            one_way_packets: 100,
            one_way_ms: 5_000,
            one_way_over_ms: 3_000,
            rtcp_absent_s: 30.0,
            time_backward_ms: 2_000,
            tls_expiry_days: 30,
            time_drift_pct: 1.0,
            fallback: FallbackThresholds::default(),
            media: MediaThresholds::default(),
            sip: SipThresholds::default(),
            tls: TlsThresholds::default(),
        }
    }
}

impl Thresholds {
    /// The value of this name, as findings and `overhear explain` tell it.
    pub fn named(&self, name: &str) -> Option<Figure> {
        Some(match name {
            "cleartext_min_packets" => Figure::Count(self.cleartext_min_packets),
            "drop_share_pct" => Figure::Count(self.drop_share_pct),
            "drop_min_streams" => Figure::Count(self.drop_min_streams),
            "one_sided_transactions" => Figure::Count(self.one_sided_transactions),
            "lookalike_min_packets" => Figure::Count(self.lookalike_min_packets),
            "key_passthrough_ms" => whole(self.key_passthrough_ms),
            "loss_min_packets" => Figure::Count(self.loss_min_packets),
            "loss_low_pct" => Figure::Number(self.loss_low_pct),
            "loss_medium_pct" => Figure::Number(self.loss_medium_pct),
            "loss_high_pct" => Figure::Number(self.loss_high_pct),
            "jitter_low_ms" => Figure::Number(self.jitter_low_ms),
            "jitter_medium_ms" => Figure::Number(self.jitter_medium_ms),
            "mos_min_s" => Figure::Number(self.mos_min_s),
            "mos_low" => Figure::Number(self.mos_low),
            "mos_medium" => Figure::Number(self.mos_medium),
            "mos_high" => Figure::Number(self.mos_high),
            "dscp_min_packets" => Figure::Count(self.dscp_min_packets),
            "one_way_packets" => Figure::Count(self.one_way_packets),
            "one_way_ms" => whole(self.one_way_ms),
            "one_way_over_ms" => whole(self.one_way_over_ms),
            "rtcp_absent_s" => Figure::Number(self.rtcp_absent_s),
            "time_backward_ms" => whole(self.time_backward_ms),
            "tls_expiry_days" => whole(self.tls_expiry_days),
            "time_drift_pct" => Figure::Number(self.time_drift_pct),
            "dscp_media" => Figure::Text(self.dscp_media.spoken()),
            "dscp_signalling" => Figure::Text(self.dscp_signalling.spoken()),
            _ => return self.of_family(name),
        })
    }

    fn of_family(&self, name: &str) -> Option<Figure> {
        let fixed = || FIXED.iter().find(|(fixed, _)| *fixed == name).map(|(_, value)| *value);
        let counts = self.media.named(name).or_else(|| self.sip.named(name));
        let counts = counts.or_else(|| self.tls.named(name)).or_else(fixed);
        let counts = counts.map(Figure::Count).or_else(|| self.fallback.named(name).map(whole));
        counts.or_else(|| super::tones::named(name))
    }
}

/// Differentiated services code points (RFC 2474 §3).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Markings(u64);

impl Markings {
    /// These ones, each below 64.
    pub const fn of(mut points: &[u8]) -> Self {
        let mut bits = 0;
        while let [first, rest @ ..] = points {
            bits |= 1 << (*first % 64);
            points = rest;
        }
        Self(bits)
    }

    /// Whether this one is among them.
    pub const fn has(self, point: u8) -> bool {
        self.0 >> (point % 64) & 1 == 1
    }

    /// `34, 36`.
    pub fn spoken(self) -> String {
        let points = (0..64).filter(|point| self.has(*point)).map(|point: u8| point.to_string());
        points.collect::<Vec<_>>().join(", ")
    }
}

fn whole(value: i64) -> Figure {
    Figure::Count(u64::try_from(value).unwrap_or(0))
}
