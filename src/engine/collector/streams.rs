//! Media as the collector takes it: ended streams with their company, and what goes beside RTP.

use crate::correlate::company::Companion;
use crate::correlate::media::Binding;
use crate::correlate::rtcp::Byes;
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
        let rtcp = self.rtcp.take(&stream.key);
        let byes = self.rtcp.take_byes(&stream.key);
        let binding = self.media.bind(stream);
        let packets = u64::from(stream.packets);
        let lookalike = binding.is_none() && stream.standing == Standing::Candidate;
        let frames = if stream.framed { 0 } else { packets };
        if lookalike {
            self.tally.skipped(Skipped::Lookalike, frames);
            self.detectors.tap(&TapSeen::Lookalike {
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
        let mut record = stream_record(stream, binding.as_ref(), (rtcp, srtcp));
        let (proof, keyed) = self.prover.stream(stream, binding.as_ref(), &mut record);
        self.counts.rtp_streams += 1;
        self.counts.rtp_packets += packets;
        if matches!(record.protection, Protection::EncryptedLike | Protection::SrtpProven) {
            self.counts.srtp_streams += 1;
        }
        self.trace.hear(&record, binding.as_ref());
        self.judge(stream, (&record, proof.as_ref()), binding.as_ref(), byes);
        let call = binding.as_ref().map(|binding| binding.call);
        self.watch.stream(&record, call);
        self.trace.stream(&record, call);
        self.archive.push_stream(&record, call, keyed);
        self.events.tell(|listener| listener.stream(&record));
    }

    /// Shows a stream to the rules, with everything that was seen beside it.
    fn judge(
        &mut self,
        stream: &StreamEnded,
        (record, proof): (&StreamRecord<'_>, Option<&Proof>),
        binding: Option<&Binding>,
        byes: Byes,
    ) {
        let own = Companion::of(stream, record.key(), binding);
        let mut met = std::mem::take(&mut self.met);
        self.company.meet(&own, &mut met, |call| self.media.is_up(call));
        let call = binding.map(|binding| binding.call);
        let clock = record.payload_types.first().and_then(|pt| pt.clock_rate);
        self.detectors.stream(&StreamSeen {
            record,
            key: record.key(),
            pair: Subject::pair(record.src.addr, record.dst.addr),
            call,
            early: binding.is_some_and(|binding| binding.early),
            clipped: u64::from(stream.clipped),
            lookalike: false,
            drift_pct: drift_pct(stream, clock),
            proof,
            agreement: None,
            around: Around {
                ended: Some(stream),
                own: Some(&own),
                company: &met,
                announced: call.map(|call| self.media.announced(call.id)),
                over: binding.and_then(|binding| binding.ended),
                answered: binding.and_then(|binding| binding.answered),
                sender: binding.map(|binding| binding.sender),
                media: binding.map(|binding| binding.media.as_ref()),
                circumstances: binding.map(|binding| binding.circumstances).unwrap_or_default(),
                byes,
                zrtp: self.zrtp.between(stream.key.src, stream.key.dst),
            },
        });
        self.met = met;
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
