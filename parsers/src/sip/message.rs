//! A parsed message: octets, layout and header spans together, read on demand. Values are those of
//! RFC 3261 §20; each accessor reads only the header it names and allocates nothing.

use std::fmt;

use super::address::{AddressList, NameAddr};
use super::auth::{Auth, AuthList};
use super::via::{Via, ViaList};
use super::{
    Anomalies, HeaderName, HeaderSet, HeaderSpan, Layout, Method, Part, StartLine, Uri, ambiguity,
    glance, multipart,
};
use crate::cursor::{index, slice, split_once, trim};

/// One message, borrowed.
#[derive(Copy, Clone)]
pub struct Message<'a> {
    /// The octets that were parsed; the message is their first `layout.len`.
    pub octets: &'a [u8],
    /// Start line, body and anomalies.
    pub layout: Layout,
    /// The headers in order.
    pub spans: &'a [HeaderSpan],
}

/// One header line.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Which header.
    pub name: HeaderName,
    /// The name as written; empty for a line without a colon.
    pub raw_name: &'a [u8],
    /// The value: trimmed at both ends, inner folds kept.
    pub value: &'a [u8],
}

impl<'a> Message<'a> {
    /// Puts together what one parse of `octets` gave.
    pub const fn new(octets: &'a [u8], layout: Layout, spans: &'a [HeaderSpan]) -> Self {
        Self { octets, layout, spans }
    }

    /// True for a request, false for a response.
    pub const fn is_request(&self) -> bool {
        matches!(self.layout.start, StartLine::Request { .. })
    }

    /// The method of a request; of a response, the one its `CSeq` names.
    pub fn method(&self) -> Method {
        match (self.layout.start, self.layout.places.cseq) {
            (StartLine::Request { method, .. }, _) => method,
            (StartLine::Response { .. }, cseq) => cseq.map_or(Method::Other, |cseq| cseq.method),
        }
    }

    /// True if one of these headers is there: one look at a set, whatever the number of headers.
    #[inline]
    pub const fn has_any(&self, names: HeaderSet) -> bool {
        self.layout.places.present.meets(names)
    }

    /// The method of a request as written; empty for a response.
    pub fn method_text(&self) -> &'a [u8] {
        match self.layout.start {
            StartLine::Request { method_text, .. } => method_text.of(self.octets),
            StartLine::Response { .. } => &[],
        }
    }

    /// The status code of a response, 100 to 699 unless the message says otherwise.
    pub const fn status(&self) -> Option<u16> {
        match self.layout.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(status),
        }
    }

    /// The Request-URI; empty for a response.
    pub fn request_uri(&self) -> &'a [u8] {
        match self.layout.start {
            StartLine::Request { uri, .. } => uri.of(self.octets),
            StartLine::Response { .. } => &[],
        }
    }

    /// The reason phrase; empty for a request.
    pub fn reason(&self) -> &'a [u8] {
        match self.layout.start {
            StartLine::Request { .. } => &[],
            StartLine::Response { reason, .. } => reason.of(self.octets),
        }
    }

    /// Every header line that has a span, in order.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        let octets = self.octets;
        self.spans.iter().map(move |span| Header {
            name: span.name,
            raw_name: span.raw_name(octets),
            value: span.value(octets),
        })
    }

    /// The value of the first header of this name.
    #[inline]
    pub fn header(&self, name: HeaderName) -> Option<&'a [u8]> {
        let span = self.layout.places.first(name, self.spans)?;
        Some(span.value(self.octets))
    }

    /// The values of all headers of this name, in order.
    pub fn headers_named(&self, name: HeaderName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let octets = self.octets;
        let spans = if self.layout.places.present.contains(name) { self.spans } else { &[] };
        spans.iter().filter(move |span| span.name == name).map(move |span| span.value(octets))
    }

    /// The values of headers without a place in [`HeaderName`], by name in any case.
    pub fn headers_called<'b>(
        &self,
        name: &'b [u8],
    ) -> impl Iterator<Item = &'a [u8]> + use<'a, 'b> {
        self.headers().filter(|header| header.raw_name.eq_ignore_ascii_case(name)).map(|h| h.value)
    }

    /// Where `part` stands, which was read from this message; empty for any other octets.
    pub fn place_of(&self, part: &[u8]) -> Part {
        let at = part.as_ptr().addr().wrapping_sub(self.octets.as_ptr().addr());
        match at.checked_add(part.len()) {
            Some(end) if end <= self.octets.len() => Part::new(at, part.len()),
            _ => Part::default(),
        }
    }

    /// The body, as Content-Length or the end of the datagram cut it.
    pub fn body(&self) -> &'a [u8] {
        slice(self.octets, index(self.layout.body_at), index(self.layout.len))
    }

    /// Octets after the message: noise, or a second message.
    pub fn trailing(&self) -> &'a [u8] {
        slice(self.octets, index(self.layout.len), self.octets.len())
    }

    /// The first Call-ID; empty without one.
    pub fn call_id(&self) -> &'a [u8] {
        self.header(HeaderName::CallId).unwrap_or_default()
    }

    /// Number, method and method text of the first `CSeq` (RFC 3261 §20.16).
    pub fn cseq(&self) -> Option<(u32, Method, &'a [u8])> {
        let cseq = self.layout.places.cseq?;
        Some((cseq.number, cseq.method, cseq.text.of(self.octets)))
    }

    /// The caller's side of the dialog (RFC 3261 §20.20).
    pub fn from(&self) -> Option<NameAddr<'a>> {
        NameAddr::parse(self.header(HeaderName::From)?)
    }

    /// The callee's side of the dialog (RFC 3261 §20.39).
    pub fn to(&self) -> Option<NameAddr<'a>> {
        NameAddr::parse(self.header(HeaderName::To)?)
    }

    /// The Via on top: the last hop (RFC 3261 §20.42).
    pub fn top_via(&self) -> Option<Via<'a>> {
        self.vias().next()
    }

    /// Every Via value, top first, over all header lines.
    pub fn vias(&self) -> impl Iterator<Item = Via<'a>> + use<'a> {
        self.headers_named(HeaderName::Via).flat_map(ViaList::new)
    }

    /// Every address of the headers of this name: Contact, Route, P-Asserted-Identity and so on.
    pub fn addresses(&self, name: HeaderName) -> impl Iterator<Item = NameAddr<'a>> + use<'a> {
        self.headers_named(name).flat_map(AddressList::new)
    }

    /// Every challenge or credential of the headers of this name (RFC 3261 §20.44, §20.7).
    pub fn auths(&self, name: HeaderName) -> impl Iterator<Item = Auth<'a>> + use<'a> {
        self.headers_named(name).flat_map(AuthList::new)
    }

    /// Content-Type without parameters, trimmed; compare in any case of letters.
    pub fn content_type(&self) -> Option<&'a [u8]> {
        self.header(HeaderName::ContentType).map(|value| trim(split_once(value, b';').0))
    }

    /// The session description: the body if it is one, or the first one in a multipart body.
    ///
    /// Without a Content-Type a body that begins with `v=0` is taken for one.
    pub fn sdp(&self) -> Option<&'a [u8]> {
        let body = self.body();
        match self.header(HeaderName::ContentType) {
            Some(value) => multipart::find_sdp(value, body),
            None => body.starts_with(b"v=0").then_some(body),
        }
    }

    /// What is off, as far as a glance sees that there may be something: reading values closely costs
    /// more than all else that is done with a message.
    pub fn faults(&self) -> Anomalies {
        if self.needs_inspection() { self.inspect() } else { Anomalies::NONE }
    }

    /// Whether [`Message::inspect`] may find a fault: the layout is odd, or a glance at the values that
    /// every request opens with, at numbers and at bodies in parts says so.
    pub fn needs_inspection(&self) -> bool {
        !self.layout.anomalies.is_empty() || glance::finds_something(self)
    }

    /// The oddities of the layout and those of the values: whether Via, From, To, Contact and the like
    /// hold to their grammar, and what two readers could read in two ways. Reads all of these, so it
    /// is for messages that are looked at.
    pub fn inspect(&self) -> Anomalies {
        let mut found = self.layout.anomalies;
        for via in self.headers_named(HeaderName::Via) {
            if !ViaList::is_well_formed(via) {
                found |= Anomalies::BAD_VIA;
            }
        }
        for (name, anomaly) in [
            (HeaderName::From, Anomalies::BAD_FROM),
            (HeaderName::To, Anomalies::BAD_TO),
            (HeaderName::Contact, Anomalies::BAD_CONTACT),
        ] {
            if self.headers_named(name).any(|value| !AddressList::is_well_formed(value)) {
                found |= anomaly;
            }
        }
        if !Uri::parse(self.request_uri()).headers.is_empty() {
            found |= Anomalies::REQUEST_URI_WITH_HEADERS;
        }
        found | ambiguity::of(self)
    }
}

impl fmt::Debug for Message<'_> {
    /// Where things are, not what they say: bodies hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("layout", &self.layout).finish_non_exhaustive()
    }
}
