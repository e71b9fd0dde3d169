//! A finished stream as the report prints it: the lane's figures with what SDP adds.

use std::hash::{BuildHasher, Hasher};

use overhear_parsers::rtp::payload;

use crate::model::addr::STABLE;
use crate::model::id::{Kind, RecordId};
use crate::model::record::{
    Jitter, PayloadType, Protection, StreamQuality, StreamRecord, StreamRtcp, StreamSrtcp,
    VerdictRecord,
};
use crate::model::stream::{Bursts, PayloadCount, StreamEnded};
use crate::policy::media::ASSUMED_NETWORK_MS;
use crate::track::law::Codec;
use crate::track::verdict::{self, Evidence, Verdict};

use super::media::Binding;
use super::outbox::MediaDescription;
use super::quality::{self, Transmission, nearest};

/// Shortest stream, seconds, whose clock is compared with the capture's.
const DRIFT_SECONDS: f64 = 10.0;

/// The record of a stream, its verdict included.
pub fn stream_record<'a>(
    stream: &StreamEnded,
    binding: Option<&Binding<'a>>,
    (rtcp, srtcp): (Option<StreamRtcp>, Option<StreamSrtcp>),
) -> StreamRecord<'a> {
    let media = binding.map(|binding| binding.media);
    let verdict = judge(stream, media);
    let payload_types = payload_types(stream, media);
    let clock = payload_types.iter().max_by_key(|pt| pt.packets).and_then(|pt| pt.clock_rate);
    let jitter = match clock {
        Some(clock) => stream.jitter.under(clock),
        None => stream.jitter.best().map(|(_, jitter)| jitter),
    };
    let (duration, loss_pct) =
        (stream.duration().secs_f64(), percent(stream.lost, stream.expected));
    let paused = binding.map_or(0, |binding| binding.circumstances.lost_in_pauses);
    let quality = sound(stream, &payload_types, (paused, rtcp.and_then(network_ms)));
    StreamRecord {
        id: stream_id(stream),
        call: binding.map(|binding| binding.call.id),
        src: stream.key.src,
        dst: stream.key.dst,
        ssrc: stream.key.ssrc,
        payload_types,
        packets: u64::from(stream.packets),
        payload_bytes: stream.payload_octets,
        wire_bytes: stream.wire_octets,
        first: stream.first,
        last: stream.last,
        duration_s: duration,
        first_source: stream.first_frame.source,
        first_frame: stream.first_frame.number,
        last_frame: stream.last_frame.number,
        last_source: stream.last_frame.source,
        expected: stream.expected,
        lost: stream.lost,
        loss_pct,
        duplicates: u64::from(stream.duplicates),
        reordered: u64::from(stream.reordered),
        jitter_ms: jitter.map(|jitter| Jitter {
            mean: round3(jitter.mean),
            max: round3(jitter.max),
            p95: stream.p95_ms.map(f64::from),
        }),
        mos: quality.map(|quality| quality.mos_buffered),
        dscp: Some(stream.dscp),
        ttl: Some(stream.ttl),
        gaps: u64::from(stream.gaps),
        protection: verdict.protection,
        verdict: verdict_record(&verdict),
        negotiated: media.map(|media| media.profile.as_str().into()),
        digits: digits(stream, media),
        rtcp,
        quality,
        srtcp,
        lost_in_pauses: paused,
    }
}

/// The telephone events of the stream, if it has some. Other media may have payloads of the same
/// build: SDP has the last word on what the payload type is for.
fn digits(stream: &StreamEnded, media: Option<&MediaDescription>) -> Option<u64> {
    let digits = &stream.notes.as_ref()?.digits;
    let of = |(payload_type, ..): &&(u8, String, u32)| *payload_type == digits.payload_type;
    let named = media.and_then(|media| media.codecs.iter().find(of));
    let fits = named
        .is_none_or(|(_, name, _)| name.is_empty() || name.eq_ignore_ascii_case("telephone-event"));
    (fits && digits.count() > 0).then_some(u64::from(digits.count()))
}

/// How much faster the RTP clock runs than the capture's, percent, where both can be told.
///
/// The law of the stream gives the step of the timestamp between consecutive packets; with the
/// number of packets promised it gives the length of the stream by the sender's clock.
pub fn drift_pct(stream: &StreamEnded, clock: Option<u32>) -> Option<f64> {
    let clock = f64::from(clock.filter(|clock| *clock > 0)?);
    let [main, _] = stream.law.rows;
    let steady = stream.restarts == 0
        && stream.markers <= 2
        && u64::from(main.pairs) * 10 >= u64::from(stream.law.pairs) * 9;
    let duration = stream.duration().secs_f64();
    if !steady || duration < DRIFT_SECONDS || main.ticks == 0 {
        return None;
    }
    let steps = float(stream.expected.saturating_sub(1));
    let by_sender = steps * f64::from(main.ticks) / clock;
    Some((by_sender - duration) / duration * 100.0)
}

/// How long the network takes one way, ms: half of the round trip that the receiver measured, else at least half of
/// that between the tap and the receiver.
fn network_ms(rtcp: StreamRtcp) -> Option<f64> {
    let told = rtcp.extended.and_then(|told| told.round_trip_ms);
    let told = told.and_then(|ms| u32::try_from(ms).ok()).map(|ms| f64::from(ms) / 2.0);
    let longer = |ms: &f64| *ms > f64::from(ASSUMED_NETWORK_MS);
    told.or_else(|| rtcp.round_trip_ms.map(|ms| ms / 2.0).filter(longer))
}

/// How the stream sounds, by its main payload type; of the missing numbers `paused` are no loss.
fn sound(
    stream: &StreamEnded,
    payload_types: &[PayloadType<'_>],
    (paused, network_ms): (u64, Option<f64>),
) -> Option<StreamQuality> {
    let main = payload_types.iter().max_by_key(|pt| pt.packets)?;
    let clock = main.clock_rate.filter(|clock| *clock > 0);
    let [law, _] = stream.law.rows;
    let codec = main.codec.as_deref()?;
    // Frames last 240 ticks, in 24 octets or in 20.
    let slow = u32::from(law.octets) * 240 == law.ticks.saturating_mul(20) && law.ticks > 0;
    let slow = slow && codec.eq_ignore_ascii_case("G723");
    quality::quality(&Transmission {
        codec: if slow { quality::G723_SLOW } else { codec },
        expected: stream.expected.saturating_sub(paused),
        lost: stream.lost.saturating_sub(paused),
        bursts: &if paused == 0 { stream.bursts } else { without(stream.bursts, paused) },
        late: (stream.jitter.samples > 0).then_some(stream.late),
        packet_ms: clock
            .filter(|_| law.ticks > 0)
            .map(|clock| f64::from(law.ticks) * 1e3 / f64::from(clock)),
        network_ms,
    })
}

/// Bursts without one of so many numbers, which is one by itself, or the longest part of one.
fn without(of: Bursts, paused: u64) -> Bursts {
    let paused = u32::try_from(paused).unwrap_or(u32::MAX);
    let losses = of.losses.saturating_sub(paused);
    Bursts {
        runs: of.runs.saturating_sub(1),
        bursts: of.bursts.saturating_sub(1).max(losses.min(1)),
        losses,
        packets: of.packets.saturating_sub(paused),
        ..of
    }
}

/// Derived from addresses, SSRC and the first packet's time, so that two streams of one SSRC
/// differ.
fn stream_id(stream: &StreamEnded) -> RecordId {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(stream.hash64());
    // Files keep microseconds or nanoseconds; the id should not depend on which.
    hasher.write_i64(stream.first.nanos().div_euclid(1_000_000));
    RecordId::new(Kind::Stream, hasher.finish())
}

fn judge(stream: &StreamEnded, media: Option<&MediaDescription>) -> Verdict {
    let of = |payload_type: u8| {
        let of = |(of, ..): &&(u8, String, u32)| *of == payload_type;
        let named = media.and_then(|media| media.codecs.iter().find(of));
        let codec = match named {
            Some((_, name, _)) if !name.is_empty() => Codec::named(name.as_bytes(), 1),
            _ => Codec::assigned(payload_type),
        };
        verdict::verdict(Evidence::of(stream, payload_type), codec)
    };
    let verdict = of(stream.main_payload_type());
    // Of a stream that changed its codec another payload type may have been looked at.
    let looked_at = stream.figures.as_ref().map(|figures| figures.payload_type);
    let count = |of: &&PayloadCount| Some(of.payload_type) == looked_at;
    let many = stream.payload_types.iter().find(count);
    match many.filter(|of| u64::from(of.packets) * 4 >= u64::from(stream.packets)) {
        Some(other) if verdict.protection == Protection::Unknown => of(other.payload_type),
        _ => verdict,
    }
}

fn payload_types<'a>(
    stream: &StreamEnded,
    media: Option<&'a MediaDescription>,
) -> Vec<PayloadType<'a>> {
    let seen = stream.payload_types.iter().filter(|count| count.packets > 0);
    let named = |count: &PayloadCount| {
        let pt = count.payload_type;
        let known = payload::assigned(pt);
        let by_sdp = media.and_then(|media| media.codecs.iter().find(|(of, ..)| *of == pt));
        let by_sdp = by_sdp.filter(|(_, name, _)| !name.is_empty());
        PayloadType {
            pt,
            codec: by_sdp
                .map(|(_, name, _)| name.as_str().into())
                .or_else(|| known.map(|known| known.name.into())),
            clock_rate: by_sdp
                .map(|(_, _, clock)| *clock)
                .filter(|clock| *clock > 0)
                .or_else(|| known.map(|known| known.clock_rate)),
            packets: u64::from(count.packets),
        }
    };
    // Nearly every stream has one, a few have a second for its digits.
    let mut all = Vec::with_capacity(2);
    all.extend(seen.map(named));
    all
}

/// The verdict with the figures that it rests on; `docs/report.md` says what they are.
fn verdict_record(verdict: &Verdict) -> VerdictRecord<'static> {
    let mut figures = Vec::new();
    let mut put = |name: &'static str, value: f64| figures.push((name.into(), value));
    if let Some((hits, of)) = verdict.hits {
        put("hits", f64::from(hits));
        put("of", f64::from(of));
    }
    if let Some(tag) = verdict.tag {
        put("tag", f64::from(tag));
    }
    if verdict.contrary > 0 {
        put("contrary", f64::from(verdict.contrary));
    }
    if verdict.mki > 0 {
        put("mki", f64::from(verdict.mki));
    }
    if let Some((_, statistic)) = verdict.looks.said() {
        put("chi", f64::from(statistic.chi));
        put("bitz", f64::from(statistic.bitz) / 10.0);
        put("n", f64::from(statistic.packets));
        if verdict.protection == Protection::AuthenticatedOnly {
            put("tail", f64::from(statistic.tail_10) / 10.0);
        }
    }
    if verdict.looks.turned() {
        put("n_clear", f64::from(verdict.looks.clear.packets));
        put("n_encrypted", f64::from(verdict.looks.random.packets));
    }
    VerdictRecord { test: verdict.test.into(), confidence: verdict.confidence, figures }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { round3(float(part) / float(whole) * 100.0) }
}

#[expect(clippy::cast_precision_loss, reason = "output; counts stay far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Three decimals, so that the last bits of a float do not stand in the report.
fn round3(value: f64) -> f64 {
    nearest(value * 1e3) / 1e3
}
