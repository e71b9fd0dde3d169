//! Media as the collector takes it: ended streams with their company, and what goes beside RTP.

use crate::correlate::company::Companion;
use crate::correlate::media::Binding;
use crate::correlate::stream_record::{drift_pct, stream_record};
use crate::detect::seen::{Around, MediaSeen, StreamSeen, TapSeen};
use crate::detect::sink::Subject;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::fact::{Body, EpochFacts, Fact, UdptlEnded};
use crate::model::id::RecordKey;
use crate::model::key::Proof;
use crate::model::record::{Protection, StreamRecord};
use crate::model::stream::{Standing, StreamEnded};
use crate::model::tally::{Handled, Skipped};
use crate::model::time::Ts;

use super::Collector;

/// UDPTL datagrams below which a flow is not taken for T.38 where SDP announced pictures, and where it announced
/// audio.
const UDPTL_PACKETS: u64 = 2;
const UDPTL_UNANNOUNCED: u64 = 25;

impl Collector {
    /// A stream has ended.
    pub(super) fn stream(&mut self, place: u32, epoch: &EpochFacts) {
        let Some(stream) = epoch.stream(place) else { return };
        let Self { media, rtcp, company, met, detectors, .. } = self;
        let (reports, byes) = (rtcp.take(&stream.key), rtcp.take_byes(&stream.key));
        let binding = media.bind(stream);
        let binding = binding.as_ref();
        let packets = u64::from(stream.packets);
        let frames = if stream.framed { 0 } else { packets };
        if binding.is_none() && stream.standing == Standing::Candidate {
            self.tally.skipped(Skipped::Lookalike, frames);
            detectors.tap(&TapSeen::Lookalike {
                src: stream.key.src,
                dst: stream.key.dst,
                at: FrameRef { frame: stream.first_frame, time: stream.first },
                packets,
                plain: stream.plain.then_some(stream.main_payload_type()),
            });
            return;
        }
        self.tally.handled(Handled::Rtp, frames);
        let srtcp = self.srtcp.of(&stream.key);
        let mut record = stream_record(stream, binding, (reports, srtcp));
        let (proof, keyed) = self.prover.stream(stream, binding, &mut record);
        self.counts.rtp_streams += 1;
        self.counts.rtp_packets += packets;
        if matches!(record.protection, Protection::EncryptedLike | Protection::SrtpProven) {
            self.counts.srtp_streams += 1;
        }
        self.trace.hear(&record, binding);
        let own = Companion::of(stream, record.key(), binding);
        company.meet(&own, met, |call| media.is_up(call));
        let around = Around {
            company: met,
            announced: binding.map(|binding| media.announced(binding.call.id)),
            byes,
            zrtp: self.zrtp.between(stream.key.src, stream.key.dst),
            ..around(stream, &own, binding)
        };
        detectors.stream(seen(&record, proof.as_ref(), binding, around));
        let call = binding.map(|binding| binding.call);
        self.watch.stream(&record, call);
        self.trace.stream(&record, call);
        self.archive.push_stream(&record, call, keyed);
        self.events.tell(|listener| listener.stream(&record));
    }

    /// What goes beside RTP.
    pub(super) fn beside(&mut self, fact: &Fact, epoch: &EpochFacts) {
        let at = fact.frame;
        match &fact.body {
            Body::Rtcp { src, dst, octets } => {
                let (src, dst, octets) = (*src, *dst, epoch.octets(octets));
                self.rtcp.datagram(src, dst, octets, at);
                let call = [dst, src].into_iter().find_map(|socket| self.reported(socket, at.time));
                self.detectors.media(&MediaSeen::Rtcp { src, dst, at, octets, call });
            }
            &Body::Srtcp { src, dst, ssrc } => self.srtcp.datagram(src, dst, ssrc, at.time),
            &Body::SrtcpClear { src, dst, ssrc } => {
                let call = [dst, src].into_iter().find_map(|socket| self.reported(socket, at.time));
                self.detectors.media(&MediaSeen::SrtcpClear { src, dst, at, ssrc, call });
            }
            Body::Zrtp { src, dst, octets } => {
                let (src, dst) = (*src, *dst);
                let hello = self.zrtp.packet(src, dst, epoch.octets(octets), at);
                let place = self.media.place(src, at.time);
                if let Some((hash, place)) = hello.zip(place) {
                    let announced = if place.media.zrtp {
                        self.zrtp.compare(place.call.id, place.side, hash)
                    } else {
                        crate::correlate::zrtp::HelloHash::Absent
                    };
                    let call = place.call;
                    self.detectors.media(&MediaSeen::Hello { src, dst, at, call, announced });
                }
            }
            Body::Msrp { src, dst } => {
                self.detectors.media(&MediaSeen::Msrp { src: *src, dst: *dst, at });
            }
            Body::UdptlEnded(ended) => self.udptl(ended),
            _ => {}
        }
    }

    /// The call of an RTCP socket: the one that announced it, or RTP at the port below.
    fn reported(&self, socket: Endpoint, at: Ts) -> Option<RecordKey> {
        let below = Endpoint::new(socket.addr, socket.port.wrapping_sub(1));
        let found = self.media.place(below, at).or_else(|| self.media.place(socket, at));
        found.map(|place| place.call)
    }

    /// Datagrams built like UDPTL are T.38 if SDP announced one of their sockets for pictures and half of them
    /// are in order; or for audio, if there are many and nearly all are. A gateway may change over without a
    /// word (ITU-T T.38 §10.2): then they show when audio paused.
    fn udptl(&mut self, ended: &UdptlEnded) {
        let &UdptlEnded { src, dst, first, last, packets, in_order, frames } = ended;
        let announced = |kind: &str| {
            let places = [dst, src].map(|socket| self.media.place(socket, first.time));
            places.into_iter().flatten().find(|of| of.media.kind == kind).map(|place| place.call)
        };
        let pictures =
            announced("image").filter(|_| packets >= UDPTL_PACKETS && in_order * 2 >= packets);
        let many = packets >= UDPTL_UNANNOUNCED && in_order * 10 >= packets * 9;
        let Some(call) = pictures.or_else(|| announced("audio").filter(|_| many)) else {
            self.tally.skipped(Skipped::NotVoip, frames);
            return;
        };
        self.tally.handled(Handled::T38, frames);
        self.counts.t38_packets += packets;
        if pictures.is_none() {
            return self.media.pictures(call, first.time, last.time);
        }
        self.detectors.media(&MediaSeen::Fax { src, dst, first, last, packets, call });
    }
}

/// What the stream itself and its call say around its record.
fn around<'a>(
    stream: &'a StreamEnded,
    own: &'a Companion,
    binding: Option<&Binding<'a>>,
) -> Around<'a> {
    Around {
        ended: Some(stream),
        own: Some(own),
        over: binding.and_then(|binding| binding.ended),
        answered: binding.and_then(|binding| binding.answered),
        sender: binding.map(|binding| binding.sender),
        media: binding.map(|binding| binding.media),
        circumstances: binding.map(|binding| binding.circumstances).unwrap_or_default(),
        ..Around::default()
    }
}

/// A stream as the rules see it.
fn seen<'a>(
    record: &'a StreamRecord<'a>,
    proof: Option<&'a Proof>,
    binding: Option<&Binding<'_>>,
    around: Around<'a>,
) -> StreamSeen<'a> {
    let clock = record.payload_types.first().and_then(|pt| pt.clock_rate);
    StreamSeen {
        record,
        key: record.key(),
        pair: Subject::pair(record.src.addr, record.dst.addr),
        call: binding.map(|binding| binding.call),
        early: binding.is_some_and(|binding| binding.early),
        clipped: around.ended.map_or(0, |ended| u64::from(ended.clipped)),
        lookalike: false,
        drift_pct: around.ended.and_then(|ended| drift_pct(ended, clock)),
        proof,
        agreement: None,
        around,
    }
}
