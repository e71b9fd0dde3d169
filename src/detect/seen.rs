//! What rules see: plain data, handed on by the collector in the total order of the capture.

use std::cell::OnceCell;
use std::fmt;

use overhear_parsers::secret::Secret;
use overhear_parsers::sip::auth::AuthList;
use overhear_parsers::sip::{Anomalies, Auth, HeaderName, HeaderSet, Message};
use overhear_parsers::tls::{Suite, Weak, WeakOffers};

use super::agreements::Agreement;
use super::announced::Fingerprints;
use super::auth;
use super::kinds;
use super::rule::Interest;
use super::sink::Subject;
use super::sip::oversize;
pub use super::tap_seen::{CaptureSeen, TapSeen};
use super::text::printable;
use crate::correlate::company::Companion;
use crate::correlate::event::SipEvent;
use crate::correlate::handshake::HandshakeRead;
use crate::correlate::media::{Announced, Circumstances, Greeting};
use crate::correlate::outbox::MediaDescription;
use crate::correlate::placement::Placement;
use crate::correlate::rtcp::Byes;
use crate::correlate::tls_named::{Names, Told};
use crate::correlate::zrtp::{Exchange, HelloHash};
use crate::dissect::sip_marks;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::fact::SipMarks;
use crate::model::handshake::HandshakeRecord;
use crate::model::id::RecordKey;
use crate::model::key::{KeyPlace, Proof};
use crate::model::record::{HandshakeKind, Side, StreamRecord};
use crate::model::stream::StreamEnded;
use crate::model::time::Ts;

/// One SIP message with its place among the calls.
pub struct SipSeen<'a> {
    /// The message and who sent it to whom.
    pub event: &'a SipEvent<'a>,
    /// The call or registration it belongs to.
    pub placement: &'a Placement,
    /// The pair of peers, sorted.
    pub pair: Subject,
    /// What is in it, as far as it decides which rules look at it.
    pub kind: Interest,
    /// Read when the first rule asks.
    auths: OnceCell<Auths<'a>>,
}

/// Challenges or credentials.
#[derive(Default)]
struct Auths<'a> {
    first: [Option<Auth<'a>>; AUTHS],
    more: Vec<Auth<'a>>,
}

/// What the first look at a message found, for those beside the rules.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// It has lines with media keys.
    pub keyed: bool,
    /// It breaks a MUST of RFC 3261, and not because the capture cut it off.
    pub malformed: bool,
    /// Inside TLS that was opened: its digest is made with SHA-256 or better.
    pub digest: Option<bool>,
    /// It may name a server for TLS.
    pub names_tls: bool,
}

/// Challenges or credentials of a message for which there is room without allocating.
const AUTHS: usize = 3;

const CHALLENGES: [HeaderName; 2] = [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate];
const CREDENTIALS: [HeaderName; 2] = [HeaderName::Authorization, HeaderName::ProxyAuthorization];

impl<'a> Auths<'a> {
    /// Those of a message, all of the first name before those of the second.
    fn of(message: &Message<'a>) -> Self {
        let mut auths = Self::default();
        let names = if message.is_request() { CREDENTIALS } else { CHALLENGES };
        if !message.has_any(HeaderSet::of(&names)) {
            return auths;
        }
        let mut free = auths.first.iter_mut();
        for name in names {
            for header in message.spans.iter().filter(|header| header.name == name) {
                for auth in AuthList::new(header.value(message.octets)) {
                    match free.next() {
                        Some(slot) => *slot = Some(auth),
                        None => auths.more.push(auth),
                    }
                }
            }
        }
        auths
    }
}

impl<'a> SipSeen<'a> {
    /// Looks once at what several rules would look for.
    #[inline]
    pub fn new(event: &'a SipEvent<'a>, placement: &'a Placement) -> Self {
        let message = &event.message;
        let with_auth = match message.is_request() {
            true if message.has_any(HeaderSet::of(&CREDENTIALS)) => Interest::CREDENTIALS,
            false if message.has_any(HeaderSet::of(&CHALLENGES)) => Interest::CHALLENGE,
            _ => Interest::END,
        };
        let clipped = if event.clipped { Interest::CLIPPED } else { Interest::END };
        let keys = if event.marks.has(SipMarks::KEY) { Interest::CRYPTO } else { Interest::END };
        let about = kinds::about(event);
        let odd = if is_odd(event) { Interest::ODD } else { Interest::END };
        Self {
            event,
            placement,
            pair: Subject::pair(event.src.addr, event.dst.addr),
            kind: Interest::SIP | with_auth | clipped | keys | odd | about,
            auths: OnceCell::new(),
        }
    }

    /// Every challenge of a response, every set of credentials of a request.
    pub fn auths(&self) -> impl Iterator<Item = &Auth<'a>> {
        let Auths { first, more } = self.auths.get_or_init(|| Auths::of(&self.event.message));
        first.iter().map_while(Option::as_ref).chain(more)
    }

    /// What is off in it.
    pub const fn anomalies(&self) -> Anomalies {
        self.event.faults
    }

    /// Whether there is an `a=crypto` line somewhere in the body.
    pub const fn has_crypto(&self) -> bool {
        self.kind.meets(Interest::CRYPTO)
    }

    /// What is for others than the rules.
    pub fn looked(&self) -> Looked {
        let inside = self.event.encrypted && self.kind.meets(Interest::CREDENTIALS);
        let (opens, secure) = (self.kind.meets(Interest::OPENS), self.kind.meets(Interest::SIPS));
        Looked {
            names_tls: opens && secure || self.event.marks.has(SipMarks::NAMES),
            keyed: self.has_crypto(),
            malformed: self.anomalies().is_malformed(),
            digest: if inside { auth::digest_is_strong(self) } else { None },
        }
    }

    /// Whether one end of this hop is on the public Internet.
    pub fn public(&self) -> bool {
        self.event.src.addr.is_public() || self.event.dst.addr.is_public()
    }

    /// The method of a request, or the status of a response with the method it answers.
    pub fn describe(&self) -> impl fmt::Display {
        Described(&self.event.message)
    }
}

/// Whether it is for the rules about what is off (`CATALOGUE.md` E.3). What the capture cut off is not
/// the sender's fault.
#[inline]
fn is_odd(event: &SipEvent<'_>) -> bool {
    let large = oversize::is_worth_measuring(&event.message) || event.carriage.fragments > 1;
    !event.clipped && (large || event.faults.is_malformed())
}

/// Whether a message is a request that begins something: a call, a registration, a text.
#[inline]
pub fn opens(event: &SipEvent<'_>) -> bool {
    event.message.is_request() && sip_marks::opens(event.message.method())
}

struct Described<'a>(&'a Message<'a>);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(message) = *self;
        let Some(status) = message.status() else {
            return printable(message.method_text(), 32).fmt(f);
        };
        status.fmt(f)?;
        match message.cseq() {
            Some((_, _, method)) => {
                f.write_str(" to ")?;
                printable(method, 32).fmt(f)
            }
            None => Ok(()),
        }
    }
}

/// One finished RTP stream.
#[derive(Copy, Clone, Debug)]
pub struct StreamSeen<'a> {
    /// The stream as the report prints it.
    pub record: &'a StreamRecord<'a>,
    /// Its place in the report.
    pub key: RecordKey,
    /// Its two hosts.
    pub pair: Subject,
    /// The call it is bound to.
    pub call: Option<RecordKey>,
    /// It began before the call was answered.
    pub early: bool,
    /// Packets of which the snap length cut something off.
    pub clipped: u64,
    /// It passes a plain RTP header check, but is no stream: never listed, only counted.
    pub lookalike: bool,
    /// How much faster (positive) or slower the RTP clock runs than the capture clock, percent;
    /// `None` when the stream restarted, its clock rate is unknown or it is too short to tell.
    pub drift_pct: Option<f64>,
    /// The key of signalling that it was proven to be protected with.
    pub proof: Option<&'a Proof>,
    /// What was seen beside it.
    pub around: Around<'a>,
    /// What the call agreed on about security, if it did; the rules' own record of it, which
    /// [`super::Detectors::stream`] fills in.
    pub agreement: Option<Agreement>,
}

/// An SRTP key that stood in the signalling of a call, for the first time in its place: a call, a
/// side and an m-line.
#[derive(Copy, Clone, Debug)]
pub struct KeySeen<'a> {
    /// Where it stands.
    pub place: KeyPlace,
    /// The pair of peers of the message.
    pub pair: Subject,
    /// Master key and salt.
    pub secret: Secret<'a>,
    /// The registered name of its suite.
    pub suite: &'static str,
    /// Where the same key and salt stood first, if that was another place.
    pub before: Option<KeyPlace>,
}

/// What is known of a stream beyond its record: plain facts of the tables that hold them. Nothing
/// where a rule is tried by itself.
#[derive(Copy, Clone, Debug, Default)]
pub struct Around<'a> {
    /// What the lane counted.
    pub ended: Option<&'a StreamEnded>,
    /// The stream as others are compared with it.
    pub own: Option<&'a Companion>,
    /// The streams that used one of its sockets in the same minute and ended before it.
    pub company: &'a [Companion],
    /// When its call announced addresses.
    pub announced: Option<Announced<'a>>,
    /// When its call's dialog ended, if it has.
    pub over: Option<Ts>,
    /// When its call was answered, if it was, to 10 ms.
    pub answered: Option<Ts>,
    /// Which side of its call sends it.
    pub sender: Option<Side>,
    /// The m-line that it belongs to.
    pub media: Option<&'a MediaDescription>,
    /// What its call says of its media as a whole.
    pub circumstances: Circumstances,
    /// RTCP goodbyes that its receiver was sent about its SSRC.
    pub byes: Byes,
    /// What was seen of ZRTP between its sockets.
    pub zrtp: Option<&'a Exchange>,
}

impl StreamSeen<'_> {
    /// First packet.
    pub fn first(&self) -> FrameRef {
        FrameRef { frame: self.key.first, time: self.record.first }
    }

    /// Last packet.
    pub fn last(&self) -> FrameRef {
        FrameRef {
            frame: crate::model::frame::FrameId {
                source: self.record.last_source,
                number: self.record.last_frame,
            },
            time: self.record.last,
        }
    }
}

/// One TLS or DTLS handshake.
#[derive(Copy, Clone, Debug)]
pub struct HandshakeSeen<'a> {
    /// What its messages say.
    pub read: &'a HandshakeRead<'a>,
    /// The handshake as the report prints it.
    pub record: &'a HandshakeRecord<'a>,
    /// Its place in the report.
    pub key: RecordKey,
    /// The pair of peers, sorted.
    pub pair: Subject,
    /// The suite that was agreed on.
    pub suite: Option<&'static Suite>,
    /// What is weak about any of the suites offered.
    pub offered_weak: WeakOffers,
    /// The call between whose sockets it is.
    pub greeting: Option<Greeting>,
    /// How signalling named the server before, if it did.
    pub named: Option<Told>,
    /// Which fingerprints SDP announced for which media address; the rules' own record of it, which
    /// [`super::Detectors::handshake`] fills in.
    pub announced: Option<&'a Fingerprints>,
}

impl<'a> HandshakeSeen<'a> {
    /// Looks once at what several rules look for.
    pub fn new(read: &'a HandshakeRead<'a>, record: &'a HandshakeRecord<'a>) -> Self {
        let pair = Subject::pair(record.client.addr, record.server.addr);
        let (key, suite) = (record.key(), read.suite);
        let offered = || read.hello.iter().flat_map(|hello| hello.suites.iter());
        let known = read.prints.as_ref().map(|prints| prints.weak);
        let offered_weak = known.unwrap_or_else(|| WeakOffers::of(offered()));
        let (greeting, named, announced) = (None, None, None);
        Self { read, record, key, pair, suite, offered_weak, greeting, named, announced }
    }

    /// What is weak about the suites offered and the one agreed on.
    pub fn weak(&self) -> Weak {
        let agreed = self.suite.map(|suite| suite.weak).unwrap_or_default();
        self.offered_weak.all().or(agreed)
    }

    /// Whether it is one of DTLS over UDP, as media has it (RFC 5764); over SCTP it is for signalling.
    pub fn is_for_media(&self) -> bool {
        self.record.kind == HandshakeKind::Dtls && !self.record.over_sctp
    }

    /// Whether it is known to be for SIP: by ALPN, else by signalling that names the server; `None` where
    /// neither says anything.
    pub fn is_sip(&self) -> Option<bool> {
        let named = || self.named.map(|told| told.names == Names::Sip);
        self.read.names_sip().or_else(named)
    }

    /// The client's hello.
    pub fn offered_at(&self) -> FrameRef {
        self.read.facts.first
    }

    /// The server's hello; the client's while there is none.
    pub fn answered_at(&self) -> FrameRef {
        self.read.facts.answered.unwrap_or(self.read.facts.first)
    }
}

/// What goes beside RTP, in the order of the capture.
#[derive(Copy, Clone, Debug)]
pub enum MediaSeen<'a> {
    /// An RTCP compound packet in clear.
    Rtcp {
        /// Who sent it.
        src: Endpoint,
        /// To whom.
        dst: Endpoint,
        /// The packet.
        at: FrameRef,
        /// The datagram.
        octets: &'a [u8],
        /// The call that announced one of the two sockets, or the one below it.
        call: Option<RecordKey>,
    },
    /// SRTCP whose content is not encrypted; once for each sender.
    SrtcpClear {
        /// Who sent it.
        src: Endpoint,
        /// To whom.
        dst: Endpoint,
        /// The third of three packets whose index rose by one.
        at: FrameRef,
        /// The SSRC of the sender.
        ssrc: u32,
        /// The call whose media it is about.
        call: Option<RecordKey>,
    },
    /// The first SEND of a connection that carries MSRP in clear, one for each direction.
    Msrp {
        /// Who sent it.
        src: Endpoint,
        /// To whom.
        dst: Endpoint,
        /// The segment.
        at: FrameRef,
    },
    /// UDPTL datagrams between sockets that SDP announced for T.38, of one direction.
    Fax {
        /// Who sent them.
        src: Endpoint,
        /// To whom.
        dst: Endpoint,
        /// The first of them.
        first: FrameRef,
        /// The last one.
        last: FrameRef,
        /// How many.
        packets: u64,
        /// The call.
        call: RecordKey,
    },
    /// A ZRTP Hello of a party that a call announced.
    Hello {
        /// Who sent it.
        src: Endpoint,
        /// To whom.
        dst: Endpoint,
        /// The packet.
        at: FrameRef,
        /// The call.
        call: RecordKey,
        /// What the party's SDP says of it.
        announced: HelloHash,
    },
}
