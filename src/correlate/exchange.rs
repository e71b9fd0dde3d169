//! Offers that have met their answers (RFC 3264 §5, §6), with what both say about keys. Kept and
//! handed on only where a description is about security at all: an exchange of plain `RTP/AVP`
//! without a keying attribute leaves no trace here, unless the call was secured before or a secure
//! offer was refused to somebody a moment ago. Each hop of a call has an exchange of its own, for
//! a proxy may write another description. What it means is judged elsewhere.

use overhear_parsers::sdp::{self, Field, Fingerprint, Media, Session};
use overhear_parsers::sip::identity::Identity;
use overhear_parsers::sip::{HeaderName, Method};

use super::event::SipEvent;
use super::outbox::MediaDescription;
use super::view::{self, View, hash_on};
use crate::model::addr::{Addr, Endpoint};
use crate::model::evidence::FrameRef;
use crate::model::id::RecordKey;
use crate::model::record::Side;
use crate::model::time::Span;

/// Hops of one call that are followed; a fifth is not.
const HOPS: usize = 4;
/// Octets of a description that are kept as they are; of a longer one the decisive lines.
const WHOLE: usize = 1_024;
/// Octets kept of one description.
const KEPT: usize = 4_096;
/// How long after the refusal of a secure offer plain ones are followed too.
pub(super) const WATCH: Span = Span::from_secs(30);

/// Attributes that decide how media is protected.
const DECISIVE: &[&[u8]] = &[
    b"crypto",
    b"fingerprint",
    b"setup",
    b"zrtp-hash",
    b"key-mgmt",
    b"tcap",
    b"pcfg",
    b"acap",
    b"acfg",
    b"extmap",
    b"cryptex",
    b"candidate",
];

/// What the media of a description that are not refused say about security: a set of bits.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(u8);

impl Notes {
    /// An RTP medium with a secure profile: `RTP/SAVP` and the like.
    pub const SECURE: Self = Self(1);
    /// An RTP medium with another profile: `RTP/AVP` and the like.
    pub const PLAIN: Self = Self(1 << 1);
    /// A keying attribute: `a=crypto`, `a=fingerprint`, `a=zrtp-hash`, `a=key-mgmt`.
    pub const KEYED: Self = Self(1 << 2);
    /// Capability negotiation (RFC 5939).
    pub const CAPABLE: Self = Self(1 << 3);

    /// Whether one of these bits is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the description is about security.
    pub(super) const fn matter(self) -> bool {
        self.has(Self(Self::SECURE.0 | Self::KEYED.0 | Self::CAPABLE.0))
    }

    /// Whether RTP is offered or accepted in a secure profile only.
    pub const fn secure_only(self) -> bool {
        self.has(Self::SECURE) && !self.has(Self::PLAIN)
    }

    /// Adds what one medium says.
    pub(super) fn note(&mut self, media: &MediaDescription) {
        let keyed = media.crypto || media.fingerprint || media.zrtp || media.mikey;
        let bits = [
            (media.secure, Self::SECURE),
            (media.plain, Self::PLAIN),
            (keyed, Self::KEYED),
            (media.capable, Self::CAPABLE),
        ];
        for (set, bit) in bits {
            self.0 |= if set { bit.0 } else { 0 };
        }
    }
}

/// What the tokens of Identity headers say of the fingerprints of a description, in the claim `mky`
/// (RFC 8225 §5.2.2). Nothing is verified.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignsKeys {
    /// Nothing that counts: no header, no such claim, or not each of several is named.
    #[default]
    No,
    /// Others are named: none of those of an m-line is.
    Others,
    /// Each of them is named.
    These,
}

/// One session description, as far as it decides how media is protected.
#[derive(Clone)]
pub struct Statement {
    /// The message that carries it.
    pub at: FrameRef,
    /// Who sent the message.
    pub src: Endpoint,
    /// To whom.
    pub dst: Endpoint,
    /// Whose description it is.
    pub side: Side,
    /// The status of the response that carries it; 0 for a request.
    pub status: u16,
    /// Readable only because a key was given.
    pub encrypted: bool,
    /// What an Identity header that came with it says of its fingerprints.
    pub signs_keys: SignsKeys,
    /// Names caller, callee and Request-URI of an initial INVITE; 0 for any other message.
    pub parties: u64,
    /// What it says.
    pub notes: Notes,
    body: Box<[u8]>,
}

impl std::fmt::Debug for Statement {
    /// Where it stands, not what it says: it may hold keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statement").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Statement {
    pub(super) fn new(
        event: &SipEvent<'_>,
        view: &View<'_>,
        side: Side,
        body: &[u8],
        notes: Notes,
    ) -> Self {
        let initial = view.is_initial_invite();
        Self {
            at: event.at,
            src: event.src,
            dst: event.dst,
            side,
            status: view.status,
            encrypted: event.encrypted,
            signs_keys: event
                .message
                .headers_named(HeaderName::Identity)
                .map(|value| names_keys(value, body))
                .max()
                .unwrap_or_default(),
            parties: if initial { parties(view) } else { 0 },
            notes,
            body: decisive(body),
        }
    }

    /// The description: whole if it is short, else with the lines that decide about keys.
    pub fn session(&self) -> Session<'_> {
        sdp::parse(&self.body)
    }

    fn digest(&self) -> u64 {
        view::hash(&self.body)
    }
}

/// What became of an offer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It was answered.
    Answer(Statement),
    /// The request that carried it was refused.
    Refusal {
        /// The status.
        status: u16,
        /// The response.
        at: FrameRef,
    },
    /// The call was accepted; the answer came before.
    Acceptance {
        /// The 2xx.
        at: FrameRef,
    },
    /// Nothing was seen until the call left the table.
    Silence,
}

/// An offer and what became of it, on one hop.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The call.
    pub call: RecordKey,
    /// The offer, if it was seen and is about security.
    pub offer: Option<Statement>,
    /// What became of it.
    pub reply: Reply,
    /// Secured media was agreed on this hop before.
    pub secured_before: bool,
    /// The same answer to the same offer was told before.
    pub repeats: bool,
    /// The reply accepts the call.
    pub accepts: bool,
}

impl Exchange {
    /// The answer.
    pub const fn answer(&self) -> Option<&Statement> {
        match &self.reply {
            Reply::Answer(answer) => Some(answer),
            Reply::Refusal { .. } | Reply::Acceptance { .. } | Reply::Silence => None,
        }
    }

    /// Whether nothing but security was offered, and refused as such: 403, 415, 488, 580, 606.
    pub fn refuses_security(&self) -> bool {
        let offered = self.offer.as_ref().is_some_and(|offer| offer.notes.secure_only());
        offered && matches!(self.reply, Reply::Refusal { status: 403 | 415 | 488 | 580 | 606, .. })
    }
}

/// The exchanges of one call, by hop.
#[derive(Default)]
pub(super) struct Exchanges {
    hops: Vec<Hop>,
}

/// Two hosts between which the call was seen.
struct Hop {
    /// Names both, whoever sends.
    name: u64,
    offer: Option<Box<Statement>>,
    /// The answer told last.
    told: u64,
    secured: bool,
}

impl Exchanges {
    /// Whether there is nothing to follow.
    pub(super) const fn is_empty(&self) -> bool {
        self.hops.is_empty()
    }

    /// Octets held.
    pub(super) fn weight(&self) -> usize {
        let held = |hop: &Hop| {
            let offer = hop.offer.as_ref();
            offer.map_or(0, |offer| size_of::<Statement>().saturating_add(offer.body.len()))
        };
        self.hops.iter().map(|hop| held(hop).saturating_add(size_of::<Hop>())).sum()
    }

    /// Keeps an offer until something becomes of it.
    pub(super) fn offer(&mut self, offer: Statement) {
        if let Some(hop) = self.hop(offer.src, offer.dst) {
            hop.offer = Some(Box::new(offer));
            hop.told = 0;
        }
    }

    /// Puts an answer and its offer together. `last`: no other answer to the same offer follows.
    pub(super) fn answer(
        &mut self,
        call: RecordKey,
        answer: Statement,
        last: bool,
    ) -> Option<Exchange> {
        let hop = self.hop(answer.src, answer.dst)?;
        let offer =
            if last { hop.offer.take().map(|offer| *offer) } else { hop.offer.as_deref().cloned() };
        let digest = answer.digest();
        let repeats = hop.told == digest;
        let secured_before = hop.secured;
        if !repeats {
            hop.secured = answer.notes.has(Notes::SECURE) || answer.notes.has(Notes::KEYED);
        }
        hop.told = digest;
        Some(Exchange {
            call,
            offer,
            reply: Reply::Answer(answer),
            secured_before,
            repeats,
            accepts: last,
        })
    }

    /// The final response to a request with an offer, without an answer of its own.
    pub(super) fn conclude(
        &mut self,
        call: RecordKey,
        event: &SipEvent<'_>,
        status: u16,
    ) -> Option<Exchange> {
        let name = name(event.src.addr, event.dst.addr);
        let hop = self.hops.iter_mut().find(|hop| hop.name == name)?;
        let offer = hop.offer.take_if(|offer| offer.src.addr == event.dst.addr)?;
        let accepts = status < 300;
        let at = event.at;
        let reply = if accepts { Reply::Acceptance { at } } else { Reply::Refusal { status, at } };
        Some(Exchange {
            call,
            offer: Some(*offer),
            reply,
            secured_before: hop.secured,
            repeats: false,
            accepts,
        })
    }

    /// The call leaves the table: offers of which nothing became.
    pub(super) fn leave(self, call: RecordKey) -> impl Iterator<Item = Exchange> {
        let open = self.hops.into_iter().filter(|hop| hop.told == 0);
        open.filter_map(move |hop| {
            Some(Exchange {
                call,
                offer: Some(*hop.offer?),
                reply: Reply::Silence,
                secured_before: hop.secured,
                repeats: false,
                accepts: false,
            })
        })
    }

    fn hop(&mut self, one: Endpoint, other: Endpoint) -> Option<&mut Hop> {
        let name = name(one.addr, other.addr);
        let known = self.hops.iter().position(|hop| hop.name == name);
        if known.is_none() && self.hops.len() < HOPS {
            self.hops.push(Hop { name, offer: None, told: 0, secured: false });
        }
        let place = known.unwrap_or_else(|| self.hops.len().saturating_sub(1));
        self.hops.get_mut(place).filter(|hop| hop.name == name)
    }
}

/// A name of two hosts that does not depend on their order.
fn name(one: Addr, other: Addr) -> u64 {
    // A sum does not tell which came first.
    hash_on(0, one.octets()).wrapping_add(hash_on(0, other.octets()))
}

/// Names who calls whom: the URIs of From and To, and the Request-URI, without their parameters.
fn parties(view: &View<'_>) -> u64 {
    let mut hash = 0;
    for address in [view.from(), view.to()] {
        let Some(address) = address else { return 0 };
        let uri = address.uri();
        hash = hash_on(hash_on(hash, uri.user.unwrap_or_default()), uri.host);
    }
    let user = overhear_parsers::sip::Uri::parse(view.message.request_uri());
    hash_on(hash, user.user.unwrap_or_default())
}

/// Whether the token of an Identity header has the claim `mky`, and in it the fingerprints of the
/// description: their digits without colons (RFC 8225 §5.2.2).
fn names_keys(value: &[u8], description: &[u8]) -> SignsKeys {
    let claims = Identity::parse(value).and_then(|identity| identity.claims());
    let Some(mut claims) = claims else { return SignsKeys::No };
    claims.make_ascii_uppercase();
    let has = |text: &[u8]| memchr::memmem::find(&claims, text).is_some();
    if !has(b"\"MKY\"") {
        return SignsKeys::No;
    }
    let mut digits = Vec::new();
    let mut named = |print: Fingerprint<'_>| {
        digits.clear();
        digits.extend(print.value.iter().filter(|octet| **octet != b':'));
        digits.make_ascii_uppercase();
        !digits.is_empty() && has(&digits)
    };
    let mut signs = SignsKeys::These;
    for media in sdp::parse(description).media() {
        let (mut all, mut any) = (true, media.fingerprints().next().is_none());
        for print in media.fingerprints() {
            let named = named(print);
            (all, any) = (all && named, any || named);
        }
        signs = match (all, any) {
            (_, false) => return SignsKeys::Others,
            (false, true) => SignsKeys::No,
            (true, true) => signs,
        };
    }
    signs
}

/// A description that is short, or its decisive lines.
fn decisive(body: &[u8]) -> Box<[u8]> {
    if body.len() <= WHOLE {
        return body.into();
    }
    let mut lines = Lines(Vec::with_capacity(WHOLE));
    let session = sdp::parse(body);
    session.fields().filter(decides).for_each(|field| lines.add(field));
    for media in session.media() {
        lines.medium(&media);
        media.fields().filter(decides).for_each(|field| lines.add(field));
    }
    lines.0.into_boxed_slice()
}

/// Lines put together, as many as there is room for.
struct Lines(Vec<u8>);

impl Lines {
    fn add(&mut self, field: Field<'_>) {
        self.line(field.kind, &[field.value]);
    }

    fn medium(&mut self, media: &Media<'_>) {
        let port = media.port.to_string();
        let words = [media.kind, b" ", port.as_bytes(), b" ", media.proto, b" "];
        let formats = media.formats_text();
        self.line(b'm', &[&words.concat(), formats]);
    }

    fn line(&mut self, kind: u8, value: &[&[u8]]) {
        let length: usize = value.iter().map(|part| part.len()).sum();
        if self.0.len().saturating_add(length) < KEPT {
            self.0.extend([kind, b'=']);
            for part in value {
                self.0.extend_from_slice(part);
            }
            self.0.push(b'\n');
        }
    }
}

fn decides(field: &Field<'_>) -> bool {
    let name = || field.value.split(|octet| matches!(octet, b':' | b' ')).next();
    match field.kind {
        b'c' | b'k' => true,
        b'a' => name().is_some_and(|name| DECISIVE.iter().any(|of| of.eq_ignore_ascii_case(name))),
        _ => false,
    }
}

/// Whether a response of this method concludes an offer in its request.
pub(super) const fn may_conclude(view: &View<'_>) -> bool {
    !view.request && view.status >= 200 && matches!(view.method, Method::Invite | Method::Update)
}
