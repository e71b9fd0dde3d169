//! Facts: what the lanes tell the collector, thousands of times fewer than packets.
//!
//! Facts carry no meaning, only what a flow's bytes showed. They sort by [`FactKey`], which does
//! not depend on lanes or epochs, so the collector sees one order however the work was divided.

use std::ops::Range;

use overhear_parsers::sip::{Anomalies, Layout, Part};

use super::addr::{Endpoint, Proto};
use super::evidence::FrameRef;
use super::frame::FrameId;
use super::notes::Marked;
use super::record::HandshakeKind;
use super::stream::{StreamEnded, StreamKey};
use super::time::{Span, Ts};
use super::transport::Transport;

pub use self::epoch::{EpochFacts, length};

mod epoch;

/// The total order of facts.
///
/// A frame's fact stands at the watermark of its frame; a timer's at its deadline, which is not
/// the moment of the sweep. The watermark never falls as ordinals rise, so this is the order of
/// ordinals with each timer put before the first frame that finds it due.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FactKey {
    /// Watermark of the frame, or deadline of the timer.
    pub at: Ts,
    /// Ordinal of the frame, from 1; 0 for a timer.
    pub ordinal: u64,
    /// Hash of the flow.
    pub flow: u64,
    /// Counts facts of one flow under one frame or deadline.
    pub sequence: u32,
}

/// One fact.
#[derive(Debug)]
pub struct Fact {
    /// Its place in the order.
    pub key: FactKey,
    /// The frame that triggered it; for a timer the last frame of the flow.
    pub frame: FrameRef,
    /// What was seen.
    pub body: Body,
}

/// The flow that a packet, a record or a finding names, from sender to receiver.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Sender, client, calling side.
    pub src: Endpoint,
    /// The other.
    pub dst: Endpoint,
    /// UDP, TCP or SCTP.
    pub proto: Proto,
}

/// What was seen. Octets and spans are ranges of the epoch's buffers.
#[derive(Debug)]
pub enum Body {
    /// A SIP message.
    Sip(SipFact),
    /// A media stream, or what looked like one, ended: [`EpochFacts::stream`] has it.
    StreamEnded(u32),
    /// A stream lost packets in this second of capture time, for the first time in it.
    StreamLoss {
        /// Seconds since the epoch.
        second: i64,
        /// The stream: [`StreamKey::hash64`].
        stream: u64,
    },
    /// Three consecutive packets of a stream that does not look clear, captured whole: once for each
    /// closer look.
    SrtpSample {
        /// The stream.
        key: StreamKey,
        /// The packets from their RTP headers on, each behind its length in two octets, big endian.
        octets: Range<u32>,
        /// Where they were seen.
        frames: [FrameId; 3],
    },
    /// SRTCP whose content is not encrypted (E is 0, RFC 3711 §3.4): once for each sender.
    SrtcpClear {
        /// Sender.
        src: Endpoint,
        /// Receiver.
        dst: Endpoint,
        /// The SSRC of its sender.
        ssrc: u32,
    },
    /// SRTCP (RFC 3711 §3.4): of all that it says its sender can be read.
    Srtcp {
        /// Sender.
        src: Endpoint,
        /// Receiver.
        dst: Endpoint,
        /// The SSRC of its sender.
        ssrc: u32,
    },
    /// An RTCP compound packet in clear.
    Rtcp {
        /// Sender.
        src: Endpoint,
        /// Receiver.
        dst: Endpoint,
        /// The datagram.
        octets: Range<u32>,
    },
    /// A ZRTP packet.
    Zrtp {
        /// Sender.
        src: Endpoint,
        /// Receiver.
        dst: Endpoint,
        /// The datagram.
        octets: Range<u32>,
    },
    /// The ClientHello of a QUIC connection.
    QuicHello {
        /// Who sent it.
        client: Endpoint,
        /// To whom.
        server: Endpoint,
        /// The message behind its type and length, within the epoch's octets.
        message: Range<u32>,
    },
    /// The first SEND of a connection that carries MSRP, one for each direction.
    Msrp {
        /// Sender.
        src: Endpoint,
        /// Receiver.
        dst: Endpoint,
    },
    /// Datagrams built like UDPTL (ITU-T T.38), of one direction, have ended.
    UdptlEnded(Box<UdptlEnded>),
    /// A handshake is over: [`EpochFacts::handshake`] has it.
    Handshake(u32),
    /// A DTLS handshake whose secrets were supplied made keys for SRTP (RFC 5764).
    DtlsSrtpKeys {
        /// Who sent the ClientHello.
        client: Endpoint,
        /// The other side.
        server: Endpoint,
        /// The protection profile.
        profile: u16,
        /// The client's key, the server's key, the client's salt, the server's salt; a range of
        /// the epoch's octets, and secret.
        material: Range<u32>,
    },
    /// Secrets that came when a DTLS handshake had been told of opened what was kept of it.
    DtlsOpened {
        /// Who sent the ClientHello.
        client: Endpoint,
        /// The other side.
        server: Endpoint,
        /// Its first message.
        first: FrameRef,
        /// What carries it.
        proto: Proto,
    },
    /// TLS or DTLS records on a connection of whose handshake the beginning was not captured.
    MidstreamTls {
        /// Sender of the first record.
        src: Endpoint,
        /// The other side.
        dst: Endpoint,
        /// What carries it.
        proto: Proto,
    },
    /// A connection to the port of SIP over TLS that the server refused (RST; of SCTP ABORT) or did not
    /// answer.
    Unanswered {
        /// Who wanted it.
        src: Endpoint,
        /// Of whom.
        dst: Endpoint,
        /// It was refused; otherwise the SYN, or INIT, was sent again.
        reset: bool,
        /// What was to carry it.
        proto: Proto,
    },
    /// Both sides of a TLS or DTLS connection, up to 1.2, agree on keys once more.
    Renegotiated {
        /// Who sent the first ClientHello.
        client: Endpoint,
        /// The other side.
        server: Endpoint,
        /// What carries it.
        proto: Proto,
    },
    /// The same frame was seen twice (at most a few of these a cell; all are counted).
    Duplicate {
        /// Sender.
        src: Endpoint,
        /// Receiver.
        dst: Endpoint,
    },
    /// A datagram of SIP was seen with one DSCP, and once more with another.
    Remarked {
        /// Sender.
        src: Endpoint,
        /// Receiver.
        dst: Endpoint,
        /// The two sightings.
        marked: Marked,
    },
    /// Capture time ran backwards within a source.
    BackwardJump {
        /// By how much.
        by: Span,
    },
}

/// Datagrams built like UDPTL that one socket sent to another.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct UdptlEnded {
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// The first.
    pub first: FrameRef,
    /// The last.
    pub last: FrameRef,
    /// How many.
    pub packets: u64,
    /// Of these, such as follow the one before by number.
    pub in_order: u64,
    /// Frames to book for them.
    pub frames: u64,
}

/// A SIP message in an epoch's buffers.
#[derive(Clone, Debug)]
pub struct SipFact {
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// What carried it.
    pub transport: Transport,
    /// The message's octets.
    pub octets: Range<u32>,
    /// The spans of its headers, relative to `octets.start`.
    pub spans: Range<u32>,
    /// Start line, body and anomalies.
    pub layout: Layout,
    /// By what its dialog and its transaction are found.
    pub names: SipNames,
    /// What is off in it: of every message what its layout shows, of those that are looked at closely
    /// also what their values show. Nothing where the snap length cut it: that is not the sender's
    /// fault.
    pub faults: Anomalies,
    /// What it shows at a glance.
    pub marks: SipMarks,
    /// The snap length cut the datagram.
    pub clipped: bool,
    /// It travelled encrypted, and was opened with secrets that were supplied.
    pub encrypted: bool,
    /// It is a copy that a capture agent sent in HEP.
    pub hep: Option<HepCopy>,
    /// How its IP packets travelled.
    pub carriage: Carriage,
}

/// What a message shows at a glance: which of the closer looks are worth their while.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SipMarks(u8);

impl SipMarks {
    /// A line of its body may hold a media key.
    pub const KEY: Self = Self(1);
    /// It is a request to a `sips` URI, or one that begins something and names a hop over TLS.
    pub const SECURE: Self = Self(2);
    /// It says where later requests go, and speaks of TLS there.
    pub const NAMES: Self = Self(4);

    /// These, and that one if it is so.
    #[must_use]
    pub const fn with(self, mark: Self, is: bool) -> Self {
        if is { Self(self.0 | mark.0) } else { self }
    }

    /// Whether the mark is among them.
    pub const fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }
}

/// How the IP packets of a datagram travelled; of messages in byte streams nothing is known.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Carriage {
    /// The differentiated services code point (RFC 2474).
    pub dscp: Option<u8>,
    /// IP fragments that it came in; 1 if it came whole, 0 if that is not known.
    pub fragments: u8,
}

/// What a capture agent says of a message of which it sent a copy.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct HepCopy {
    /// The agent.
    pub agent: u32,
    /// When it saw the message, by its own clock.
    pub time: Option<Ts>,
}

/// By what the dialog and the transaction of a SIP message are found; all zero without a Call-ID.
/// Hashes are stable: ids of the report are made of some. Tags are places in the message's octets.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SipNames {
    /// Hash of the Call-ID.
    pub call_id: u64,
    /// Hash of Call-ID and From tag.
    pub from: u64,
    /// Hash of Call-ID and To tag.
    pub to: u64,
    /// Names the request of the transaction between these two addresses: this one, or the one that
    /// this response answers.
    pub request: u64,
    /// Names this response; 0 for a request.
    pub response: u64,
    /// The From tag; empty without one (RFC 2543).
    pub from_tag: Part,
    /// The To tag; empty without one.
    pub to_tag: Part,
}

impl Body {
    /// The flow of the packet that showed it; for a timer, of the flow that it belongs to.
    pub fn flow(&self, epoch: &EpochFacts) -> Option<Flow> {
        let (src, dst, proto) = match self {
            Self::Sip(sip) => (sip.src, sip.dst, sip.transport.proto()),
            Self::StreamEnded(place) => {
                let StreamEnded { key, .. } = epoch.stream(*place)?;
                (key.src, key.dst, Proto::UDP)
            }
            Self::Rtcp { src, dst, .. }
            | Self::Zrtp { src, dst, .. }
            | Self::Remarked { src, dst, .. }
            | Self::Srtcp { src, dst, .. }
            | Self::SrtcpClear { src, dst, .. } => (*src, *dst, Proto::UDP),
            Self::SrtpSample { key, .. } => (key.src, key.dst, Proto::UDP),
            Self::UdptlEnded(ended) => (ended.src, ended.dst, Proto::UDP),
            Self::DtlsSrtpKeys { client, server, .. } | Self::QuicHello { client, server, .. } => {
                (*client, *server, Proto::UDP)
            }
            Self::Handshake(place) => {
                let handshake = epoch.handshake(*place)?;
                let proto = match handshake.kind {
                    _ if handshake.over_sctp => Proto::SCTP,
                    HandshakeKind::Tls => Proto::TCP,
                    HandshakeKind::Dtls => Proto::UDP,
                };
                (handshake.client, handshake.server, proto)
            }
            Self::MidstreamTls { src, dst, proto }
            | Self::Unanswered { src, dst, proto, .. }
            | Self::Renegotiated { client: src, server: dst, proto }
            | Self::DtlsOpened { client: src, server: dst, proto, .. } => (*src, *dst, *proto),
            Self::Msrp { src, dst } => (*src, *dst, Proto::TCP),
            Self::Duplicate { .. } | Self::StreamLoss { .. } | Self::BackwardJump { .. } => {
                return None;
            }
        };
        Some(Flow { src, dst, proto })
    }
}
