//! What a TCP connection carries other than SIP by itself: SIP in WebSocket frames, MSRP, datagrams, a
//! TLS handshake.

use overhear_parsers::framed::Way;
use overhear_parsers::sip;

use crate::dissect::frame_stream::FrameStream;
use crate::dissect::msrp_stream::MsrpStream;
use crate::dissect::tcp_probe::{Probe, TlsStart};
use crate::dissect::tls_handshake::TlsHandshake;
use crate::dissect::ws_stream::WsStream;
use crate::model::addr::Endpoint;
use crate::model::fact::Body;
use crate::model::transport::Transport;

use super::emit::Emitter;
use super::shared::Shared;
use super::sip_fact::{self, sip_fact};
use super::tcp_connection::Carries;

/// Both directions.
#[derive(Debug)]
pub(super) enum Carried {
    /// SIP over WebSocket.
    WebSocket([WsStream; 2]),
    /// MSRP, of which messages are counted; and whether a SEND was told of.
    Msrp([MsrpStream; 2], [bool; 2]),
    /// RTP or TURN in frames.
    Framed(Way, [FrameStream; 2]),
    /// A TLS handshake that is not over.
    Tls(Box<TlsHandshake>),
}

/// Octets on their way, with who sent them.
#[derive(Copy, Clone, Debug)]
pub(super) struct Piece<'a> {
    pub(super) side: usize,
    pub(super) src: Endpoint,
    pub(super) dst: Endpoint,
    pub(super) octets: &'a [u8],
    pub(super) after_gap: bool,
    pub(super) clipped: bool,
    /// What carried it: TCP, or TLS over it.
    pub(super) transport: Transport,
    /// It travelled encrypted and was opened.
    pub(super) encrypted: bool,
}

impl Carried {
    /// What the probe recognised, and what its frames are booked under.
    pub(super) fn of(judged: Probe) -> Option<(Self, Carries)> {
        Some(match judged {
            Probe::WebSocket => (Self::WebSocket(Default::default()), Carries::WebSocket),
            Probe::Msrp => (Self::Msrp(Default::default(), [false; 2]), Carries::Msrp),
            Probe::Framed(Way::Turn) => {
                (Self::Framed(Way::Turn, Default::default()), Carries::Turn)
            }
            // Connectivity checks come before the packets that they are made for (RFC 6544).
            Probe::Framed(Way::Length) => {
                (Self::Framed(Way::Length, Default::default()), Carries::Checks)
            }
            Probe::Tls(_) | Probe::Sip | Probe::Hep | Probe::More | Probe::Other => return None,
        })
    }

    /// A handshake of which these are the first octets, sent from `side`; `None` when its hellos are
    /// not in the capture.
    pub(super) fn tls(
        start: TlsStart,
        side: usize,
        shared: &mut Shared,
        emit: &Emitter<'_>,
    ) -> Option<Self> {
        let other = usize::from(side == 0);
        let (client, ssl2) = match start {
            TlsStart::Client => (side, false),
            TlsStart::Ssl2Client => (side, true),
            TlsStart::Server => (other, false),
            TlsStart::Handshake | TlsStart::Data => return None,
        };
        Some(Self::Tls(shared.handshake(client, ssl2, emit.frame())))
    }

    /// The TLS handshake.
    pub(super) fn handshake(&mut self) -> Option<&mut TlsHandshake> {
        match self {
            Self::Tls(handshake) => Some(handshake),
            _ => None,
        }
    }

    /// Memory taken by a direction.
    pub(super) fn cost(&self, side: usize) -> u64 {
        let cost = match self {
            Self::WebSocket(sides) => sides.get(side).map(WsStream::cost),
            Self::Msrp(sides, _) => sides.get(side).map(MsrpStream::cost),
            Self::Framed(_, sides) => sides.get(side).map(FrameStream::cost),
            Self::Tls(handshake) => Some(handshake.cost(side)),
        };
        cost.unwrap_or_default()
    }

    /// Forgets what is unfinished in a direction.
    pub(super) fn forget(&mut self, side: usize) {
        match self {
            Self::WebSocket(sides) => sides.get_mut(side).into_iter().for_each(WsStream::forget),
            Self::Msrp(sides, _) => {
                sides.get_mut(side).into_iter().for_each(|side| *side = MsrpStream::default());
            }
            Self::Framed(_, sides) => {
                sides.get_mut(side).into_iter().for_each(FrameStream::forget);
            }
            Self::Tls(handshake) => handshake.forget(side),
        }
    }

    /// Takes ordered octets; tells whether media was among them.
    pub(super) fn push(
        &mut self,
        piece: &Piece<'_>,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) -> bool {
        let &Piece { side, src, dst, octets, after_gap, clipped, encrypted, .. } = piece;
        let mut media = false;
        match self {
            Self::WebSocket(sides) => {
                let Some(stream) = sides.get_mut(side) else { return false };
                let over_tls = piece.transport.is_tls();
                let transport = if over_tls { Transport::Wss } else { Transport::Ws };
                let way = sip_fact::Way::within((src, dst), transport, clipped, encrypted);
                stream.push(octets, after_gap, &mut |message| {
                    if sip::probe(message) {
                        sip_fact(&way, message, emit);
                    }
                });
            }
            Self::Msrp(sides, told) => {
                let Some(stream) = sides.get_mut(side) else { return false };
                let messages = stream.push(octets, after_gap);
                shared.inner.msrp += messages;
                if let Some(told) = told.get_mut(side).filter(|told| !**told && messages > 0) {
                    *told = memchr::memmem::find(octets, b" SEND\r\n").is_some();
                    if *told {
                        emit.fact(Body::Msrp { src, dst });
                    }
                }
            }
            Self::Framed(way, sides) => {
                let Some(stream) = sides.get_mut(side) else { return false };
                stream.push(*way, octets, after_gap, &mut |datagram| {
                    media |= datagram.first().is_some_and(|first| *first >= 0x80);
                    shared.datagrams.push(src, dst, datagram);
                });
            }
            Self::Tls(handshake) => handshake.push(side, octets, after_gap, emit.frame()),
        }
        media
    }
}
