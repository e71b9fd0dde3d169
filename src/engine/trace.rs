//! Notes which packets belong to calls that are to be cut out of a capture (`-w` with `--call`).
//!
//! Of the signalling it notes frames: the message's own, and over TCP the stretch of its
//! connection that ends with it. What lies between two such stretches of one direction is another's,
//! but for its headers: without them the connection would have holes that a reader waits for. Of
//! the media it notes between which endpoints and in which span
//! of time it flows, as SDP announced it and as streams were found: RTP, RTCP, STUN and DTLS alike.
//! Nothing is noted when no call is asked for.

use std::collections::HashMap;

use crate::correlate::event::SipEvent;
use crate::correlate::media::Binding;
use crate::correlate::outbox::Announcement;
use crate::correlate::placement::Placement;
use crate::decode::Packet;
use crate::model::addr::{Endpoint, Proto, STABLE};
use crate::model::frame::FrameId;
use crate::model::id::RecordKey;
use crate::model::record::StreamRecord;
use crate::model::stream::StreamKey;
use crate::model::time::{Span, Ts};
use crate::model::transport::Transport;
use crate::prove::audio::format::{Format, Formats};
use crate::prove::audio::heard::Heard;

/// Calls cut out at once: a Call-ID may be that of several.
const CALLS: usize = 1_024;
/// Endpoints of one call's media.
const ENDPOINTS: usize = 256;
/// Streams of all calls cut out.
const STREAMS: usize = 4_096;
/// Messages of all calls cut out, and stretches of connections.
const MESSAGES: usize = 1 << 20;
/// TCP connections whose last message is remembered, in each direction.
const CONNECTIONS: usize = 1 << 17;
/// RTCP may say goodbye after the last packet of a stream, and DTLS close.
const AFTERMATH: Span = Span::from_secs(2);

type Table<K, V> = HashMap<K, V, foldhash::quality::FixedState>;

/// What was noted.
#[derive(Debug)]
pub struct Trace {
    wanted: Vec<String>,
    calls: Vec<Traced>,
    heard: Vec<Heard>,
    /// Ordinals of frames that complete a message.
    messages: Vec<u64>,
    /// Of each direction of a connection the ordinals after which a stretch begins and with
    /// which it ends.
    stretches: Table<(Endpoint, Endpoint), Vec<(u64, u64)>>,
    /// The last message in each direction of a connection.
    spoken: Table<(Endpoint, Endpoint), u64>,
    noted: usize,
    overflowed: bool,
}

/// How much of a packet belongs to the calls.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// Nothing.
    Nothing,
    /// Its headers: it is of the same connection.
    Headers,
    /// All of it.
    Whole,
}

/// One call.
#[derive(Debug)]
struct Traced {
    call: RecordKey,
    /// Where its media comes from and goes to.
    endpoints: Vec<Endpoint>,
    first: Ts,
    last: Ts,
}

impl Trace {
    /// Notes the calls with these ids, beginnings of ids, or Call-IDs.
    pub fn new(wanted: Vec<String>) -> Self {
        Self {
            wanted,
            calls: Vec::new(),
            heard: Vec::new(),
            messages: Vec::new(),
            stretches: HashMap::with_hasher(STABLE),
            spoken: HashMap::with_hasher(STABLE),
            noted: 0,
            overflowed: false,
        }
    }

    /// Whether nothing of the calls was met.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.stretches.is_empty()
    }

    /// Whether more belonged to the calls than could be noted.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// The calls that were met, in the order of their first frames.
    pub fn calls(&self) -> Vec<RecordKey> {
        let mut calls: Vec<RecordKey> = self.calls.iter().map(|traced| traced.call).collect();
        calls.sort_unstable();
        calls
    }

    /// The streams of the calls, in the order of their first frames.
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// Notes a message, before what it announces.
    pub(super) fn sip(&mut self, event: &SipEvent<'_>, placement: &Placement) {
        if self.wanted.is_empty() {
            return;
        }
        // A copy in HEP came in a datagram, whatever carried the message itself.
        let before = if event.hep.is_some() { None } else { self.spoken(event) };
        let call_id = event.message.call_id();
        let asked = self.wanted.iter().any(|wanted| {
            wanted.as_bytes() == call_id || placement.call.is_some_and(|call| names(wanted, call))
        });
        if !asked {
            return;
        }
        if let Some(call) = placement.call {
            self.meet(call, event.at.time);
        }
        if self.noted >= MESSAGES {
            self.overflowed = true;
            return;
        }
        self.noted += 1;
        match before {
            None => self.messages.push(event.ordinal),
            Some(before) => self
                .stretches
                .entry((event.src, event.dst))
                .or_default()
                .push((before, event.ordinal)),
        }
    }

    /// Notes where media of a call is expected.
    pub(super) fn announced(&mut self, announcement: &Announcement) {
        let Some(traced) = self.traced(announcement.call) else { return };
        traced.endpoint(announcement.endpoint);
        match announcement.rtcp {
            Some(rtcp) => traced.endpoint(rtcp),
            None => traced.endpoint(neighbour(announcement.endpoint)),
        }
    }

    /// Notes between whom media of a call flows.
    pub(super) fn stream(&mut self, stream: &StreamRecord<'_>, call: Option<RecordKey>) {
        let Some(traced) = call.and_then(|call| self.traced(call)) else { return };
        for end in [stream.src, stream.dst] {
            traced.endpoint(end);
            traced.endpoint(neighbour(end));
        }
        traced.first = traced.first.min(stream.first);
        traced.last = traced.last.max(stream.last);
    }

    /// Notes a stream of a call for who wants to listen to it.
    pub(super) fn hear(&mut self, stream: &StreamRecord<'_>, binding: Option<&Binding<'_>>) {
        let Some(binding) = binding.filter(|binding| self.has(binding.call)) else { return };
        if self.heard.len() >= STREAMS {
            self.overflowed = true;
            return;
        }
        let (formats, codecs) = formats(stream, binding);
        self.heard.push(Heard {
            call: binding.call,
            id: stream.id,
            key: StreamKey { src: stream.src, dst: stream.dst, ssrc: stream.ssrc },
            sender: binding.sender,
            first: stream.first,
            last: stream.last,
            first_frame: stream.key().first,
            last_frame: FrameId { source: stream.last_source, number: stream.last_frame },
            packets: stream.packets,
            protection: stream.protection,
            secure: binding.media.profile.contains("SAVP"),
            formats,
            codecs,
        });
    }

    /// Everything is noted: makes it quick to look up.
    pub(super) fn finish(mut self) -> Self {
        self.heard.sort_by_key(|heard| (heard.first_frame, heard.id));
        self.messages.sort_unstable();
        // Each list was filled in the order of ordinals.
        self.spoken.clear();
        self
    }

    /// How much of a packet completed by the frame with this ordinal belongs to a call; `sip` says
    /// whether it looks like a message, which media is not.
    pub(super) fn share(&self, packet: &Packet, ordinal: u64, ts: Ts, sip: bool) -> Share {
        if packet.proto == Proto::TCP {
            let way = (packet.src, packet.dst);
            return self.stretches.get(&way).map_or(Share::Nothing, |way| of(way, ordinal));
        }
        let whole = self.messages.binary_search(&ordinal).is_ok()
            || (!sip && self.calls.iter().any(|call| call.has(packet, ts)));
        if whole { Share::Whole } else { Share::Nothing }
    }

    /// The ordinal of the message before this one on its connection, 0 if there was none; `None`
    /// if it came in a datagram.
    fn spoken(&mut self, event: &SipEvent<'_>) -> Option<u64> {
        if matches!(event.transport, Transport::Udp | Transport::Sctp) {
            return None;
        }
        let way = (event.src, event.dst);
        if self.spoken.len() >= CONNECTIONS && !self.spoken.contains_key(&way) {
            self.spoken.clear();
            // What the others said last is forgotten: their next stretch begins where it ends.
            return Some(event.ordinal.saturating_sub(1));
        }
        Some(self.spoken.insert(way, event.ordinal).unwrap_or(0))
    }

    fn meet(&mut self, call: RecordKey, at: Ts) {
        if let Some(traced) = self.traced(call) {
            traced.first = traced.first.min(at);
            traced.last = traced.last.max(at);
        } else if self.calls.len() < CALLS {
            self.calls.push(Traced { call, endpoints: Vec::new(), first: at, last: at });
        } else {
            self.overflowed = true;
        }
    }

    fn has(&self, call: RecordKey) -> bool {
        self.calls.iter().any(|traced| traced.call == call)
    }

    fn traced(&mut self, call: RecordKey) -> Option<&mut Traced> {
        self.calls.iter_mut().find(|traced| traced.call == call)
    }
}

impl Traced {
    fn endpoint(&mut self, endpoint: Endpoint) {
        if self.endpoints.len() < ENDPOINTS && !self.endpoints.contains(&endpoint) {
            self.endpoints.push(endpoint);
        }
    }

    /// Both ends must be the call's: one alone may be a port that many calls share.
    fn has(&self, packet: &Packet, ts: Ts) -> bool {
        (self.first..=self.last.plus(AFTERMATH)).contains(&ts)
            && self.endpoints.contains(&packet.src)
            && self.endpoints.contains(&packet.dst)
    }
}

/// What the payload types of a stream stand for, those that SDP names and those that were seen; and
/// the names of the latter.
fn formats(stream: &StreamRecord<'_>, binding: &Binding<'_>) -> (Formats, Vec<String>) {
    let (mut formats, mut codecs) = (Formats::default(), Vec::new());
    for seen in &stream.payload_types {
        let name = seen.codec.as_ref().map(AsRef::as_ref);
        formats.add(seen.pt, Format::named(seen.pt, name, seen.clock_rate.unwrap_or(0)));
        codecs.push(name.map_or_else(|| format!("payload type {}", seen.pt), str::to_owned));
    }
    for (pt, name, clock_rate) in &binding.media.codecs {
        let name = Some(name.as_str()).filter(|name| !name.is_empty());
        formats.add(*pt, Format::named(*pt, name, *clock_rate));
    }
    (formats, codecs)
}

/// The share of a segment among the stretches of its direction.
fn of(stretches: &[(u64, u64)], ordinal: u64) -> Share {
    let next = stretches.partition_point(|(_, end)| *end < ordinal);
    match stretches.get(next) {
        Some((after, _)) if *after < ordinal => Share::Whole,
        // Behind the first and before the last.
        Some(_) if next > 0 => Share::Headers,
        _ => Share::Nothing,
    }
}

/// Whether `wanted` is the id of a call or the beginning of it.
pub(super) fn names(wanted: &str, call: RecordKey) -> bool {
    wanted.len() >= 2 && call.id.to_string().starts_with(wanted)
}

/// Where the RTCP of a port goes if nobody says otherwise (RFC 3550 §11).
fn neighbour(endpoint: Endpoint) -> Endpoint {
    Endpoint { port: endpoint.port.saturating_add(1), ..endpoint }
}
