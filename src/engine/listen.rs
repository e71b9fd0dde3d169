//! The second pass for who listens: the packets of the streams that were asked for, whatever they are
//! wrapped in, opened where a key is known, each in the recording of its stream.
//!
//! The dispatcher reads the sources once more, joins fragments and opens tunnels as it did before; what
//! TCP and TURN carry is unwrapped here. Everything else is passed over.

use std::collections::HashMap;
use std::sync::Arc;

use overhear_parsers::demux::{self, Kind};
use overhear_parsers::rtp::header::Header;
use overhear_parsers::stun;

use crate::model::addr::{Endpoint, Proto, STABLE};
use crate::model::fact::EpochFacts;
use crate::model::record::Protection;
use crate::model::stream::StreamKey;
use crate::model::time::Ts;
use crate::policy::Limits;
use crate::policy::limits::{CELLS, HEARD_OCTETS_IN_ALL};
use crate::prove::audio::heard::{Heard, Taken};
use crate::prove::audio::length::{Length, Lengths};
use crate::prove::audio::recording::Recording;
use crate::prove::opener::Opener;
use crate::prove::{KeyNames, Opened};
use crate::report::Outcome;
use crate::track::emit::Emitter;
use crate::track::input::Input;
use crate::track::shared::Shared;
use crate::track::tcp_flows::TcpFlows;

use super::batch::Batch;
use super::dispatcher::{Dispatcher, Lanes};
use super::{Config, Cut, cut};

/// The packets of `heard`, read from the sources again; `opened` has the keys that are known.
pub fn gather(
    config: &Config,
    outcome: &Outcome,
    heard: &[Heard],
    opened: &[Opened],
) -> Vec<Taken> {
    let mut ear = Ear::new(&config.policy.limits, heard, opened);
    let (merge, _) = cut::again(config, outcome);
    Dispatcher::new(merge, 1, Cut::default(), &config.policy, &config.keys)
        .run(&mut ear, &mut |_, _| {});
    ear.finish()
}

/// One stream while its packets come.
struct Ears {
    taken: Taken,
    opener: Option<Opener>,
    /// What the key is called, while nothing has shown that it opens anything.
    unproven: Option<String>,
    lengths: Lengths,
}

/// Takes the packets of some streams, and nothing else.
struct Ear {
    streams: Vec<Ears>,
    by_key: HashMap<StreamKey, Vec<usize>, foldhash::quality::FixedState>,
    connections: Vec<TcpFlows>,
    shared: Shared,
    facts: EpochFacts,
    octets: usize,
}

impl Lanes for Ear {
    fn send(&mut self, _lane: usize, batch: &mut Batch) {
        for input in &batch.inputs {
            self.packet(input, batch.octets(input));
        }
        batch.clear();
        self.facts.clear();
    }

    fn end_epoch(&mut self, own: &mut EpochFacts, _watermark: Ts) {
        own.clear();
    }
}

impl Ear {
    fn new(limits: &Limits, heard: &[Heard], opened: &[Opened]) -> Self {
        let mut by_key: HashMap<StreamKey, Vec<usize>, _> = HashMap::with_hasher(STABLE);
        for (place, heard) in heard.iter().enumerate() {
            by_key.entry(heard.key).or_default().push(place);
        }
        let mut names = KeyNames::default();
        let streams = heard.iter().map(|heard| {
            let own = Opener::of(&heard.key, heard.first_frame, opened);
            let name = own.as_ref().map(|(_, first)| names.of(first));
            let proven = own.as_ref().is_some_and(|(_, first)| first.proven);
            let (opened, unproven) = if proven { (name, None) } else { (None, name) };
            let taken = Taken { heard: heard.clone(), recording: Recording::default(), opened };
            let opener = own.map(|(opener, _)| opener);
            Ears { taken, opener, unproven, lengths: Lengths::default() }
        });
        Self {
            streams: streams.collect(),
            by_key,
            connections: (0..CELLS).map(|_| TcpFlows::new(limits)).collect(),
            // Media is not inside TLS.
            shared: Shared::new(limits.reassembly_octets, 0, &Arc::default()),
            facts: EpochFacts::default(),
            octets: 0,
        }
    }

    fn packet(&mut self, input: &Input, octets: &[u8]) {
        let (packet, payload) = (&input.packet, input.packet.payload(octets));
        if packet.proto == Proto::UDP {
            return self.datagram((packet.src, packet.dst), payload, input.ts, packet.clipped);
        }
        let Some(connections) = self.connections.get_mut(usize::from(input.cell)) else { return };
        if packet.proto != Proto::TCP {
            return;
        }
        let mut emit = Emitter::of_packet(&mut self.facts, input);
        connections.packet(input, payload, &mut self.shared, &mut emit);
        if self.shared.datagrams.is_empty() {
            return;
        }
        let mut datagrams = std::mem::take(&mut self.shared.datagrams);
        for (src, dst, datagram) in datagrams.iter() {
            self.datagram((src, dst), datagram, input.ts, false);
        }
        datagrams.clear();
        self.shared.datagrams = datagrams;
    }

    /// A datagram, or what TURN carries in it.
    fn datagram(&mut self, ends: (Endpoint, Endpoint), datagram: &[u8], at: Ts, clipped: bool) {
        let inner = match demux::classify(datagram) {
            Kind::Rtp => Some(datagram),
            Kind::TurnChannel => stun::channel_data(datagram).map(|(_, data)| data),
            Kind::Stun => stun::Message::parse(datagram).ok().and_then(|message| message.data()),
            _ => None,
        };
        let Some(inner) = inner else { return };
        if let Ok(header) = demux::rtp(inner) {
            self.media(ends, &header, inner, at, clipped);
        }
    }

    fn media(
        &mut self,
        (src, dst): (Endpoint, Endpoint),
        header: &Header<'_>,
        packet: &[u8],
        at: Ts,
        clipped: bool,
    ) {
        let key = StreamKey { src, dst, ssrc: header.ssrc };
        let Some(places) = self.by_key.get(&key) else { return };
        // One that fell silent and began again is two streams of one key.
        let now = |place: &&usize| {
            let heard = self.streams.get(**place).map(|ears| &ears.taken.heard);
            heard.is_some_and(|heard| (heard.first..=heard.last).contains(&at))
        };
        let Some(ears) = places.iter().find(now).and_then(|place| self.streams.get_mut(*place))
        else {
            return;
        };
        let Taken { heard, recording, opened: name } = &mut ears.taken;
        if self.octets.saturating_add(packet.len()) > HEARD_OCTETS_IN_ALL {
            recording.left_out.beyond += 1;
            return;
        }
        recording.clipped += u64::from(clipped);
        let before = recording.octets();
        let length = ears.lengths.of(header, &heard.formats);
        // In the other part of a stream that turned.
        let sealed = heard.protection == Protection::Cleartext && length == Length::Tagged;
        let only_authenticated = heard.protection == Protection::AuthenticatedOnly;
        let clear = length == Length::Exact || heard.is_clear() && !sealed;
        let may_open = ears.unproven.is_none() || !clear;
        let opener = ears.opener.as_mut().filter(|_| may_open);
        match opener.and_then(|opener| opener.open(packet)).map(Header::parse) {
            Some(Ok(inner)) => {
                recording.push(at, &inner, inner.unpadded().unwrap_or(inner.payload));
                if let Some(shown) = ears.unproven.take() {
                    *name = Some(shown);
                }
            }
            _ if clear => {
                let payload = header.unpadded().unwrap_or(header.payload);
                let tag = if only_authenticated { ears.lengths.tag() } else { 0 };
                let end = payload.len().saturating_sub(tag);
                recording.push(at, header, payload.get(..end).unwrap_or(payload));
            }
            _ => recording.left_out.sealed += 1,
        }
        self.octets = self.octets.saturating_add(recording.octets().saturating_sub(before));
    }

    fn finish(self) -> Vec<Taken> {
        let finished = |mut ears: Ears| {
            let Taken { heard, recording, .. } = &mut ears.taken;
            recording.finish();
            // SDP says so, but what is kept of it does not: 16 bits twice for each tick.
            heard.formats.widen(|payload_type| recording.keeps(payload_type, 4));
            ears.taken
        };
        self.streams.into_iter().map(finished).collect()
    }
}
