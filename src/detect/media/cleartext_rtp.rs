//! `MEDIA-CLEARTEXT-RTP`: media that anyone on the path can play (RFC 7201, RFC 8862).

use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{at_least, plural, printable, sentence, spoken_length};
use crate::correlate::media::Circumstances;
use crate::model::addr::{FlowKey, Proto};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::id::RecordKey;
use crate::model::record::StreamRecord;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An RTP stream whose payload is what the codec produced, shown by its structure or its
    /// statistics, not by what SDP promised. The stream belongs to a call; or, without signalling,
    /// both directions of its flow are in clear. Of a stream that is encrypted for a part of the time, by
    /// the lengths of its packets, the other part counts.
    ///
    /// ## Why it matters
    /// Anyone on the path can record the call and play it. No key, no active step and no trace is
    /// needed. High; critical when one end is a public address.
    ///
    /// ## Evidence
    /// One stream each way: profile and codec, the test that decided with its figures, packets and
    /// length. What a stream is in its call stands before it: early media; music on hold, where all of it lies in
    /// a time on hold; the leg to a recorder, where the call says that it is one (SIPREC, RFC 7866); a leg
    /// within one host.
    ///
    /// ## False positives
    /// Media inside an IPsec or GRE tunnel that was tapped behind its end. Announcements and music
    /// that anybody may hear are still readable, and early media and music on hold are marked as such. Legs to
    /// a recorder may be confined to one host or rack, and hold what was said all the same.
    ///
    /// ## Fix
    /// Require SRTP in both directions, keyed by DTLS-SRTP or by SDES inside TLS, and refuse
    /// offers of plain RTP/AVP with 488.
    id: "MEDIA-CLEARTEXT-RTP",
    name: "media-cleartext-rtp",
    title: "Calls can be listened to: media is not encrypted",
    severity: High ..= Critical,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3550 §9.1", "RFC 3711", "RFC 7201", "RFC 7866", "RFC 8862"],
    remediation: "Media on this trunk can be recorded and played by anyone on the path. Require SRTP on both directions (DTLS-SRTP, or SDES carried only inside TLS) and reject RTP/AVP offers (488).",
    question: Some("SRTP"),
    thresholds: ["cleartext_min_packets"],
    since: "0.1.0",
}

/// Tally: milliseconds of audio; packets; streams that are early media; a public end; streams of no call;
/// milliseconds of video and text; streams of each role of [`ROLES`].
const MILLISECONDS: usize = 0;
const PACKETS: usize = 1;
const EARLY: usize = 2;
const PUBLIC: usize = 3;
const UNBOUND: usize = 4;
const OTHER: usize = 5;
const RECORDED: usize = 6;
const HELD: usize = 7;
const ONE_HOST: usize = 8;

/// What a stream may be in its call besides early media: how the evidence calls it, how the summary counts it,
/// and the parameter that does.
const ROLES: [(&str, &str, &str); 3] = [
    ("leg of a recording, ", "to or from a recorder", "recording_streams"),
    ("music on hold, ", "while on hold", "hold_streams"),
    ("within one host, ", "within one host", "one_host_streams"),
];

/// One direction of a flow without signalling, kept until the other direction proves clear too.
struct Half {
    subject: Subject,
    from_low: bool,
    at: FrameRef,
    last: FrameRef,
    key: RecordKey,
    milliseconds: u64,
    packets: u64,
    confidence: Confidence,
    severity: Severity,
    one_host: bool,
    what: String,
}

/// What is known of a flow without signalling.
enum Flow {
    OneWay(Box<Half>),
    TwoWay,
}

/// The rule at work.
pub(crate) struct CleartextRtp {
    min_packets: u64,
    unbound: HashMap<FlowKey, Flow, foldhash::fast::FixedState>,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> CleartextRtp {
    CleartextRtp {
        min_packets: policy.thresholds.cleartext_min_packets,
        unbound: HashMap::default(),
        cap: policy.limits.peers,
        evicted: 0,
    }
}

impl CleartextRtp {
    fn is_clear(&self, seen: &StreamSeen<'_>) -> bool {
        !seen.lookalike && seen.record.clear_packets() >= self.min_packets
    }

    /// The other direction of this stream's flow, the first time both are clear; `Err` while only
    /// this one is.
    fn partner(&mut self, seen: &StreamSeen<'_>) -> Result<Option<Box<Half>>, ()> {
        let record = seen.record;
        let key = FlowKey::new(record.src, record.dst, Proto::UDP);
        let from_low = key.low == record.src;
        let room = self.unbound.len() < self.cap;
        match self.unbound.get_mut(&key) {
            Some(Flow::TwoWay) => Ok(None),
            Some(flow @ Flow::OneWay(_)) => match std::mem::replace(flow, Flow::TwoWay) {
                Flow::OneWay(half) if half.from_low != from_low => Ok(Some(half)),
                same => {
                    *flow = same;
                    Err(())
                }
            },
            None if room => {
                self.unbound.insert(key, Flow::OneWay(Box::new(half(seen, from_low))));
                Err(())
            }
            None => {
                self.evicted += 1;
                Err(())
            }
        }
    }
}

impl Detector for CleartextRtp {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        if !self.is_clear(seen) {
            return;
        }
        if seen.call.is_none() {
            match self.partner(seen) {
                Ok(Some(half)) => report_half(*half, sink),
                Ok(None) => {}
                Err(()) => return,
            }
        }
        let record = seen.record;
        let [recorded, held, one_host] = roles(seen);
        let from_low = record.src.addr <= record.dst.addr;
        let sighting =
            Sighting::new(&META, Subject::pair(record.src.addr, record.dst.addr), seen.first())
                .severity(severity(record))
                .confidence(record.verdict.confidence)
                .kind(u32::from(from_low));
        sink.sighting(sighting, |_| (describe(seen), None))
            .until(seen.last())
            .add(if is_audio(seen) { MILLISECONDS } else { OTHER }, milliseconds(record))
            .add(PACKETS, record.clear_packets())
            .add(EARLY, u64::from(seen.early))
            .mark(PUBLIC, u64::from(severity(record) == Severity::Critical))
            .add(UNBOUND, u64::from(seen.call.is_none()))
            .add(RECORDED, u64::from(recorded))
            .add(HELD, u64::from(held))
            .add(ONE_HOST, u64::from(one_host))
            .stream(seen.key)
            .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (calls, unbound) = (entry.calls, entry.tally(UNBOUND));
        let of_roles = ROLES.iter().zip([RECORDED, HELD, ONE_HOST]);
        let roles = of_roles.clone().map(|((_, what, _), tally)| (entry.tally(tally), *what));
        let some: Vec<String> = [(unbound, "without signalling")]
            .into_iter()
            .chain(roles)
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| sentence!("{count} of them {what}"))
            .collect();
        let within = match calls {
            0 => String::new(),
            _ => sentence!(" in {}{}", at_least(entry.exhausted), plural(calls, "call")),
        };
        let some =
            if some.is_empty() { some.join("") } else { sentence!(", {},", some.join(", ")) };
        let (audio, other) = (entry.tally(MILLISECONDS), entry.tally(OTHER));
        let mut open = Vec::new();
        if audio > 0 || other == 0 {
            open.push(sentence!("{} of audio can be listened to", spoken_length(audio)));
        }
        if other > 0 {
            open.push(sentence!("{} of video or text can be read", spoken_length(other)));
        }
        let roles =
            of_roles.map(|((_, _, name), tally)| (*name, Figure::Count(entry.tally(tally))));
        let mut words = Words {
            summary: sentence!(
                "{}{within}{some} between {}: {}.",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
                open.join(", "),
            ),
            parameters: vec![
                ("cleartext_min_packets", Figure::Count(self.min_packets)),
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(calls)),
                ("streams_without_call", Figure::Count(unbound)),
                ("early_streams", Figure::Count(entry.tally(EARLY))),
                ("packets", Figure::Count(entry.tally(PACKETS))),
                ("audio_ms", Figure::Count(audio)),
                ("video_or_text_ms", Figure::Count(other)),
                ("public", Figure::Flag(entry.tally(PUBLIC) != 0)),
            ],
        };
        words.parameters.extend(roles);
        words
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("unbound_flows", self.evicted)
    }
}

fn half(seen: &StreamSeen<'_>, from_low: bool) -> Half {
    let record = seen.record;
    Half {
        subject: Subject::pair(record.src.addr, record.dst.addr),
        from_low,
        at: seen.first(),
        last: seen.last(),
        key: seen.key,
        milliseconds: milliseconds(record),
        packets: record.clear_packets(),
        confidence: record.verdict.confidence,
        severity: severity(record),
        one_host: is_within_one_host(record),
        what: describe(seen),
    }
}

fn report_half(half: Half, sink: &mut Sink) {
    let sighting = Sighting::new(&META, half.subject, half.at)
        .severity(half.severity)
        .confidence(half.confidence)
        .kind(u32::from(half.from_low));
    sink.sighting(sighting, |_| (half.what, None))
        .until(half.last)
        .add(MILLISECONDS, half.milliseconds)
        .add(PACKETS, half.packets)
        .mark(PUBLIC, u64::from(half.severity == Severity::Critical))
        .add(UNBOUND, 1)
        .add(ONE_HOST, u64::from(half.one_host))
        .stream(half.key);
}

fn severity(record: &StreamRecord<'_>) -> Severity {
    if record.src.addr.is_public() || record.dst.addr.is_public() {
        Severity::Critical
    } else {
        Severity::High
    }
}

/// Which of [`ROLES`] it has.
fn roles(seen: &StreamSeen<'_>) -> [bool; 3] {
    let Circumstances { recorded, held, .. } = seen.around.circumstances;
    [recorded, held, is_within_one_host(seen.record)]
}

fn is_within_one_host(record: &StreamRecord<'_>) -> bool {
    record.src.addr == record.dst.addr
}

/// What is not said to be anything else.
fn is_audio(seen: &StreamSeen<'_>) -> bool {
    seen.around.media.is_none_or(|media| matches!(media.kind.as_str(), "audio" | ""))
}

/// How long it is in clear.
fn milliseconds(record: &StreamRecord<'_>) -> u64 {
    let whole = u64::try_from(record.last.since(record.first).nanos() / 1_000_000).unwrap_or(0);
    let clear = record.clear_packets();
    if clear >= record.packets {
        whole
    } else {
        whole.saturating_mul(clear) / record.packets.max(1)
    }
}

/// `RTP 192.0.2.1:4000 to 192.0.2.2:4002, RTP/AVP PCMU, 1500 packets in 30 seconds; T3: ...`.
fn describe(seen: &StreamSeen<'_>) -> String {
    let record = seen.record;
    let main = record.payload_types.iter().max_by_key(|payload| payload.packets);
    let codec = main.map_or_else(String::new, |payload| match &payload.codec {
        Some(codec) => printable(codec.as_bytes(), 32).to_string(),
        None => format!("payload type {}", payload.pt),
    });
    let figures = record.verdict.figures.iter().take(4);
    let figures: Vec<_> = figures.map(|(name, value)| format!("{name} {value}")).collect();
    let roles = ROLES.iter().zip(roles(seen)).filter(|(_, is)| *is);
    let roles: String = roles.map(|((label, ..), _)| *label).collect();
    sentence!(
        "{}{roles}{}RTP {} to {}, {} {codec}, {} in {}; test {} ({}): {}",
        if seen.early { "early media, " } else { "" },
        if record.clear_packets() < record.packets { "in part, " } else { "" },
        record.src,
        record.dst,
        record.negotiated.as_deref().map_or_else(
            || "no SDP,".to_owned(),
            |profile| printable(profile.as_bytes(), 32).to_string()
        ),
        plural(record.clear_packets(), "packet"),
        spoken_length(milliseconds(record)),
        record.verdict.test,
        record.verdict.confidence.word(),
        figures.join(", "),
    )
}
