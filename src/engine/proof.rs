//! Proof that a key opens a stream: the tags of three of its packets (RFC 3711 §3.3, §4.2).
//!
//! The lanes send a sample of each stream that does not look clear; it waits until the stream has ended
//! and its call is known. Nothing is kept while no key was seen, nor is one to be expected. Not more than the three packets is ever looked at here, and nothing is
//! deciphered but by suites that cannot be verified without.

use overhear_parsers::rtp::header::Header;

use super::key_ring::{self, Exposed, KeyRing};
use super::srtp_samples::{self, Kept, Sample, Samples};
use crate::correlate::event::SipEvent;
use crate::correlate::media::Binding;
use crate::correlate::placement::Placement;
use crate::detect::seen::KeySeen;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::finding::Confidence;
use crate::model::frame::FrameId;
use crate::model::key::{KeyHold, KeyPlace, Proof, StreamKeyed};
use crate::model::packed::Text;
use crate::model::record::{Protection, StreamRecord, VerdictRecord};
use crate::model::stream::{StreamEnded, StreamKey};
use crate::model::time::Ts;
use crate::policy::Limits;
use crate::prove::Opened;
use crate::prove::srtp::{MasterKey, Session};

/// Rollover counters that are tried first; a stream that began before the capture may have more.
const COUNTERS: u32 = 4;
/// Keys that are tried on one stream.
const KEYS: usize = 128;

/// A key that opens a stream.
#[derive(Copy, Clone, Debug)]
struct Found {
    /// With the length of MKI that the packets have.
    key: MasterKey,
    proof: Proof,
}

/// The keys that were seen, the samples that wait for them, and what was proven.
#[derive(Debug)]
pub(super) struct Prover {
    keys: KeyRing,
    samples: Samples,
    opened: Vec<Opened>,
    cap: usize,
}

impl Prover {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            keys: KeyRing::new(limits.srtp_keys),
            samples: Samples::new(limits.srtp_samples),
            opened: Vec::new(),
            cap: limits.srtp_keys,
        }
    }

    /// Takes the keys of a message, and shows those that are new in their place.
    pub(super) fn message(
        &mut self,
        event: &SipEvent<'_>,
        placement: &Placement,
        show: impl FnMut(&KeySeen<'_>),
    ) {
        self.keys.note(event, placement, show);
    }

    /// Takes the keys of a DTLS-SRTP session between client and server.
    pub(super) fn handshake(
        &mut self,
        ends: (Endpoint, Endpoint),
        profile: u16,
        material: &[u8],
        at: FrameRef,
    ) {
        self.keys.note_dtls(ends, profile, material, at);
    }

    /// Says that DTLS-SRTP was agreed on between these, and that its secrets may still come.
    pub(super) fn await_secrets(&mut self, client: Endpoint, server: Endpoint) {
        self.keys.await_secrets(client, server);
    }

    /// Keeps three packets of a stream, if there is a key that could open it, or may be.
    pub(super) fn sample(
        &mut self,
        stream: StreamKey,
        octets: &[u8],
        frames: [FrameId; 3],
        at: Ts,
    ) {
        if self.keys.may_open(&stream) {
            self.samples.keep(stream, Sample { octets: octets.into(), frames, at });
        }
    }

    /// Tries the keys that were seen on the samples of a stream that has ended, and lets its record
    /// say so if one opens it. Gives the proof, and what is known of the stream's key.
    pub(super) fn stream(
        &mut self,
        stream: &StreamEnded,
        binding: Option<&Binding<'_>>,
        record: &mut StreamRecord<'_>,
    ) -> (Option<Proof>, Option<StreamKeyed>) {
        let kept = self.samples.take(&stream.key);
        if self.keys.is_empty() {
            return (None, None);
        }
        let (call, sender) = (binding.map(|to| to.call), binding.map(|to| to.sender));
        let found = kept.as_ref().and_then(|kept| {
            kept.prove(self.keys.candidates(call, sender, stream.ends()), stream.expected)
        });
        let Some(Found { key, proof }) = found else {
            self.told(stream, binding, record);
            let told = call.zip(sender).and_then(|(call, sender)| self.keys.told(call, sender));
            return (None, told.map(|told| told_of(told.place, kept.as_ref())));
        };
        judge(record, &key, &proof);
        self.open(
            stream,
            Opened {
                stream: stream.key,
                first_frame: stream.first_frame,
                last_frame: stream.last_frame,
                key,
                proven: true,
                roc: proof.roc,
                sequence: proof.sequence,
                label: None,
            },
            &proof,
        );
        (Some(proof), Some(proven(&proof)))
    }

    /// Keeps what opens a stream: the key that was proven to, and behind it those that the sender told
    /// in other messages, or under other identifiers, of which one may take its place in the middle
    /// of the stream.
    fn open(&mut self, stream: &StreamEnded, opened: Opened, proof: &Proof) {
        let room = self.cap.saturating_sub(self.opened.len());
        let KeyPlace { call, side, at, .. } = proof.place;
        let keys = self.keys.candidates(Some(call), Some(side), stream.ends());
        let of_sender = keys.take_while(|key| (key.place.call, key.place.side) == (call, side));
        let others = of_sender.filter(|key| {
            let apart = key.place.at.frame != at.frame || key.key.mki_octets() > 0;
            key.hash != proof.key && apart
        });
        let others = others.map(|other| Opened { key: other.key, ..opened });
        self.opened.extend(std::iter::once(opened).chain(others).take(room));
    }

    /// Keeps the keys that the sender of a stream told which is in clear for a part, for the other part:
    /// nobody may have looked at that.
    fn told(
        &mut self,
        stream: &StreamEnded,
        binding: Option<&Binding<'_>>,
        record: &StreamRecord<'_>,
    ) {
        let Some(to) = binding.filter(|_| contrary(record).is_some()) else { return };
        let keys = self.keys.candidates(Some(to.call), Some(to.sender), stream.ends());
        let of_sender =
            keys.take_while(|key| (key.place.call, key.place.side) == (to.call, to.sender));
        let room = self.cap.saturating_sub(self.opened.len());
        let told = of_sender.map(|told| Opened {
            stream: stream.key,
            first_frame: stream.first_frame,
            last_frame: stream.last_frame,
            key: told.key,
            proven: false,
            roc: 0,
            sequence: 0,
            label: None,
        });
        self.opened.extend(told.take(room));
    }

    /// What was given up for lack of room, by table.
    pub(super) fn evicted(&self) -> [(&'static str, u64); 2] {
        [(key_ring::TABLE, self.keys.evicted()), (srtp_samples::TABLE, self.samples.evicted())]
    }

    /// The streams that a key was proven to open; further keys of a stream stand behind that one.
    pub(super) fn into_opened(self) -> Vec<Opened> {
        self.opened
    }
}

impl Kept {
    /// The first of these keys that all three packets of a sample verify with, and under which
    /// rollover counter. `expected` packets are promised by the sequence numbers of the stream.
    fn prove<'a>(&self, keys: impl Iterator<Item = &'a Exposed>, expected: u64) -> Option<Found> {
        let wraps = u32::try_from(expected >> 16).unwrap_or(u32::MAX);
        // The first sample is one of the first packets; the latest may have seen the counter turn.
        let first = [0, 0];
        let latest = [wraps.saturating_sub(1), wraps.saturating_add(1)];
        let samples = [(Some(&self.first), first), (self.latest.as_ref(), latest)];
        let samples: Vec<_> = samples
            .into_iter()
            .filter_map(|(sample, implied)| Some((sample?.packets()?, sample?, implied)))
            .collect();
        for exposed in keys.take(KEYS) {
            for key in with_and_without_mki(exposed.key) {
                let Some(session) = key.session() else { continue };
                for (packets, sample, [from, to]) in &samples {
                    let implied = (*from..=*to).filter(|roc| *roc >= COUNTERS);
                    let mut counters = (0..COUNTERS).chain(implied);
                    let Some(roc) = counters.find(|roc| verified(&session, packets, *roc)) else {
                        continue;
                    };
                    let proof = Proof {
                        key: exposed.hash,
                        place: exposed.place,
                        suite: key.suite().name(),
                        roc,
                        sequence: sequence(packets.first().copied().unwrap_or_default()),
                        frames: sample.frames,
                        at: sample.at,
                    };
                    return Some(Found { key, proof });
                }
            }
        }
        None
    }
}

/// Lets the record of a stream say what was proven: that it is SRTP under a key that was seen.
///
/// A stream that turned says how much of it is in clear; if that is most of it, it stays so.
fn judge(record: &mut StreamRecord<'_>, key: &MasterKey, proof: &Proof) {
    let contrary = contrary(record).cloned();
    if contrary.is_some() && record.protection == Protection::Cleartext {
        record.verdict.figures.push(("verified".into(), 3.0));
        return;
    }
    record.protection =
        if key.encrypts() { Protection::SrtpProven } else { Protection::AuthenticatedOnly };
    let tag = u8::try_from(key.suite().tag_octets()).unwrap_or(u8::MAX);
    let figures = [("roc", f64::from(proof.roc)), ("tag", f64::from(tag)), ("verified", 3.0)];
    let figures = figures.map(|(name, figure)| (name.into(), figure)).into_iter();
    record.verdict = VerdictRecord {
        test: "tag".into(),
        confidence: Confidence::Certain,
        figures: figures.chain(contrary).collect(),
    };
}

/// What a verdict says of the part of a stream that is not as most of it is.
fn contrary<'r, 'a>(record: &'r StreamRecord<'a>) -> Option<&'r (Text<'a>, f64)> {
    record.verdict.figures.iter().find(|(name, _)| &**name == "contrary")
}

/// What a proof means for the exposure of a stream.
fn proven(proof: &Proof) -> StreamKeyed {
    StreamKeyed {
        hold: KeyHold::Proven,
        told: proof.place.at.frame,
        clear: proof.place.clear,
        tried: Some(proof.frames.into()),
    }
}

/// What a key that was told means for the exposure of a stream that it was not proven to open.
fn told_of(place: KeyPlace, kept: Option<&Kept>) -> StreamKeyed {
    StreamKeyed {
        hold: if kept.is_some() { KeyHold::Refuted } else { KeyHold::Told },
        told: place.at.frame,
        clear: place.clear,
        tried: kept.map(|kept| kept.first.frames.into()),
    }
}

/// The key as it was told, and without the MKI, which some leave out although they announced it.
fn with_and_without_mki(key: MasterKey) -> impl Iterator<Item = MasterKey> {
    let without = (key.mki_octets() > 0).then(|| key.with_mki(0));
    std::iter::once(key).chain(without)
}

/// Whether all packets verify, the first one under this rollover counter.
fn verified(session: &Session, packets: &[&[u8]; 3], roc: u32) -> bool {
    let [first, ..] = packets;
    let start = sequence(first);
    packets.iter().all(|packet| {
        let wrapped = sequence(packet) < start;
        session.verify(packet, roc.wrapping_add(u32::from(wrapped)))
    })
}

fn sequence(packet: &[u8]) -> u16 {
    Header::parse(packet).map_or(0, |header| header.sequence)
}

#[cfg(test)]
mod tests {
    use super::super::key_ring::tests::exposed;
    use super::*;
    use crate::model::record::Side;

    const FRAMES: [FrameId; 3] = [FrameId { source: 0, number: 9 }; 3];

    fn packet(sequence: u16) -> Vec<u8> {
        let [high, low] = sequence.to_be_bytes();
        [&[0x80, 0, high, low, 0, 0, 0, 1, 0, 0, 0, 2][..], &[0xd5; 20]].concat()
    }

    /// Three packets from this sequence number on.
    fn sample(key: &MasterKey, sequence: u16, roc: u32, mki: &[u8]) -> Sample {
        let (session, mut octets, mut roc) = (key.session().unwrap(), Vec::new(), roc);
        for number in 0..3 {
            let sequence = sequence.wrapping_add(number);
            roc += u32::from(number > 0 && sequence == 0);
            let packet = session.protect(&packet(sequence), roc, mki).unwrap();
            octets.extend(u16::try_from(packet.len()).unwrap().to_be_bytes());
            octets.extend(packet);
        }
        Sample { octets: octets.into(), frames: FRAMES, at: Ts::MIN }
    }

    fn roc_of(kept: &Kept, keys: &[Exposed], expected: u64) -> Option<u32> {
        kept.prove(keys.iter(), expected).map(|found| found.proof.roc)
    }

    #[test]
    fn the_key_and_the_rollover_counter_are_found() {
        let keys = [5, 6, 7].map(|octet| exposed(octet, 1, Side::Caller, 7));
        let right = keys[2].key;
        for (sequence, roc, found) in [
            (100, 0, Some(0)),
            (65_534, 0, Some(0)),
            (65_535, 2, Some(2)),
            (7, 3, Some(3)),
            (7, 4, None),
        ] {
            let kept = Kept { first: sample(&right, sequence, roc, &[]), latest: None };
            assert_eq!(roc_of(&kept, &keys, 1_000), found, "{sequence} {roc}");
            assert_eq!(roc_of(&kept, &keys[..2], 1_000), None);
        }
    }

    #[test]
    fn a_long_stream_implies_its_rollover_counter() {
        let (right, other) = (exposed(5, 1, Side::Caller, 7), exposed(6, 1, Side::Caller, 7));
        let first = sample(&other.key, 100, 0, &[]);
        let kept = Kept { first, latest: Some(sample(&right.key, 9, 10, &[])) };
        assert_eq!(roc_of(&kept, &[right], 10 << 16), Some(10));
        assert_eq!(roc_of(&kept, &[right], 6 << 16), None);
    }

    #[test]
    fn an_announced_identifier_may_be_missing() {
        let mut named = exposed(5, 1, Side::Caller, 7);
        let bare = named.key;
        named.key = bare.with_mki(2);
        let with = Kept { first: sample(&named.key, 1, 0, &[0, 1]), latest: None };
        let without = Kept { first: sample(&bare, 1, 0, &[]), latest: None };
        let octets =
            |kept: &Kept| kept.prove([named].iter(), 9).map(|found| found.key.mki_octets());
        assert_eq!((octets(&with), octets(&without)), (Some(2), Some(0)));
    }

    #[test]
    fn two_good_packets_and_a_bad_one_prove_nothing() {
        let key = exposed(5, 1, Side::Caller, 7);
        let mut first = sample(&key.key, 1, 0, &[]);
        if let Some(last) = first.octets.last_mut() {
            *last ^= 1;
        }
        assert_eq!(roc_of(&Kept { first, latest: None }, &[key], 9), None);
    }
}
