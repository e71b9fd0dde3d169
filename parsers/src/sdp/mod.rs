//! SDP (RFC 8866), read leniently: a session part and its media, found in one pass over the lines;
//! every value is read on demand and nothing is allocated. Lines end with CRLF, LF or CR; a line that
//! is not `letter=value` is counted and skipped. Offer and answer are matched elsewhere.

mod address;
mod capability;
mod crypto;
mod fax;
mod group;
mod hold;
mod ice;
mod media;
mod oddities;
mod walk;

use std::fmt;
use std::net::IpAddr;

use self::address::ip;
pub use self::capability::{
    AttributeCapability, Configuration, MAX_CAPABILITIES, TransportCapability,
};
pub(crate) use self::crypto::sextet;
pub use self::crypto::{Crypto, InlineKey, InlineKeys, MAX_KEY};
pub use self::fax::Fax;
pub use self::group::{Group, MAX_GROUPS};
pub use self::hold::{Change, Hold, change};
pub use self::ice::{Candidate, IceTcp, is_ice_pwd, is_ice_ufrag};
pub use self::media::{Fingerprint, KeyMgmt, Media, RtcpPort, RtpMap, Setup, Ssrc};
pub use self::oddities::{Oddities, Scope, oddities};
pub use self::walk::{Part, walk};

use crate::cursor::{cut, is_lws, line_end, narrow, number, split_once, trim, word};
use crate::secret::Secret;

/// Media descriptions that are read; more are counted.
pub const MAX_MEDIA: usize = 32;
/// Lines of one section (the session's, or one media description's) that are read.
pub const MAX_LINES: usize = 512;
/// Formats of one media line that are read: there are 128 payload types.
pub const MAX_FORMATS: usize = 128;

/// One `letter=value` line.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The letter.
    pub kind: u8,
    /// What follows `=`, trimmed.
    pub value: &'a [u8],
}

/// A session description.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Session<'a> {
    /// Lines that are not `letter=value`, and media lines without kind, port and protocol.
    pub malformed: u32,
    /// Media lines, those beyond [`MAX_MEDIA`] too.
    pub media_count: u32,
    /// True if the first line is `v=0`.
    pub has_version: bool,
    head: &'a [u8],
    rest: &'a [u8],
}

/// `o=` (RFC 8866 §5.2): names the session and its version.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// User name, `-` for none.
    pub username: &'a [u8],
    /// Session id, digits as written.
    pub session_id: &'a [u8],
    /// Session version: grows with each change. `None` if it is no 64-bit number.
    pub version: Option<u64>,
    /// The address of who made the session.
    pub address: &'a [u8],
}

/// `c=` (RFC 8866 §5.7): where media is to be sent.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Connection<'a> {
    /// `IP4` or `IP6`, as written.
    pub family: &'a [u8],
    /// The address or name, without TTL and count.
    pub address: &'a [u8],
}

/// Which way media flows (RFC 8866 §6.7), seen from who wrote the description.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default, Hash)]
pub enum Direction {
    /// `sendrecv`, and what holds without an attribute.
    #[default]
    SendRecv,
    /// `sendonly`.
    SendOnly,
    /// `recvonly`.
    RecvOnly,
    /// `inactive`.
    Inactive,
}

/// `k=` (RFC 8866 §5.12): a key in the clear, obsolete and not to be used.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct KeyField<'a> {
    /// `clear`, `base64`, `uri` or `prompt`.
    pub method: &'a [u8],
    /// The key.
    pub key: Secret<'a>,
}

/// Reads a description; whatever the octets are, there is one, perhaps empty.
pub fn parse(body: &[u8]) -> Session<'_> {
    let mut session =
        Session { malformed: 0, media_count: 0, has_version: false, head: body, rest: &[] };
    let mut fields = Fields::new(body);
    let mut first = true;
    loop {
        let before = fields.rest;
        let Some(line) = fields.line() else { break };
        match field(line) {
            Some(Field { kind: b'm', value }) => {
                if session.media_count == 0 {
                    session.head = cut(body, body.len().saturating_sub(before.len())).0;
                    session.rest = before;
                }
                session.media_count = session.media_count.saturating_add(1);
                if !Media::is_well_formed(value) {
                    session.malformed = session.malformed.saturating_add(1);
                }
            }
            Some(Field { kind: b'v', value }) if first => session.has_version = value == b"0",
            Some(_) => {}
            None => session.malformed = session.malformed.saturating_add(1),
        }
        first = false;
    }
    session
}

impl<'a> Session<'a> {
    /// The media descriptions, in order, at most [`MAX_MEDIA`].
    pub fn media(&self) -> impl Iterator<Item = Media<'a>> + use<'a> {
        Sections { head: self.head, rest: self.rest }.take(MAX_MEDIA)
    }

    /// The `letter=value` lines before the first media line.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        fields(self.head)
    }

    /// Who made the session.
    pub fn origin(&self) -> Option<Origin<'a>> {
        let value = self.value(b'o')?;
        let (username, rest) = word(value);
        let (session_id, rest) = word(rest);
        let (version, rest) = word(rest);
        let (_, rest) = word(rest);
        let (_, address) = word(rest);
        Some(Origin { username, session_id, version: number(version), address })
    }

    /// The session name, `-` or a space for none.
    pub fn name(&self) -> Option<&'a [u8]> {
        self.value(b's')
    }

    /// The address for all media that have none of their own.
    pub fn connection(&self) -> Option<Connection<'a>> {
        connection(self.head)
    }

    /// The direction for all media that have none of their own.
    pub fn direction(&self) -> Option<Direction> {
        direction(self.head)
    }

    /// The value of a session attribute; empty for one that is only a name.
    pub fn attribute(&self, name: &[u8]) -> Option<&'a [u8]> {
        attributes(self.head, name).next()
    }

    /// The session's `k=`.
    pub fn key(&self) -> Option<KeyField<'a>> {
        key(self.head)
    }

    fn value(&self, kind: u8) -> Option<&'a [u8]> {
        fields(self.head).find(|field| field.kind == kind).map(|field| field.value)
    }
}

impl fmt::Debug for Session<'_> {
    /// Counts only: the lines may hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("media_count", &self.media_count)
            .field("malformed", &self.malformed)
            .finish_non_exhaustive()
    }
}

impl<'a> Connection<'a> {
    /// The value of a `c=` line; whatever it is, there is one.
    pub fn parse(value: &'a [u8]) -> Self {
        connection_value(value)
    }

    /// The address, if it is one and no name.
    pub fn ip(&self) -> Option<IpAddr> {
        ip(self.address)
    }
}

/// The lines of a description, empty ones skipped.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// The next line that is not empty.
    #[inline]
    fn line(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let (line, rest) = cut(self.rest, line_end(self.rest));
            // The LF of a CR LF would be an empty line.
            self.rest = match rest {
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => rest,
            };
            if !line.is_empty() {
                return Some(line);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<Field<'a>>;

    fn next(&mut self) -> Option<Option<Field<'a>>> {
        self.line().map(field)
    }
}

/// The media sections: each from its `m=` line to the next.
struct Sections<'a> {
    head: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Iterator for Sections<'a> {
    type Item = Media<'a>;

    fn next(&mut self) -> Option<Media<'a>> {
        let mut fields = Fields::new(self.rest);
        let line = field(fields.line()?)?;
        let from = fields.rest;
        let mut end = from;
        while let Some(line) = fields.line() {
            if field(line).is_some_and(|field| field.kind == b'm') {
                break;
            }
            end = fields.rest;
        }
        let (section, rest) = cut(from, from.len().saturating_sub(end.len()));
        self.rest = rest;
        Some(Media::new(line.value, self.head, section))
    }
}

/// `letter=value`, white space around it tolerated.
#[inline]
fn field(line: &[u8]) -> Option<Field<'_>> {
    if let [kind @ b'a'..=b'z', b'=', value @ ..] = line
        && let [first, .., last] = value
        && !is_lws(*first)
        && !is_lws(*last)
    {
        return Some(Field { kind: *kind, value });
    }
    match trim(line) {
        [kind, b'=', value @ ..] if kind.is_ascii_alphabetic() => {
            Some(Field { kind: kind.to_ascii_lowercase(), value: trim(value) })
        }
        _ => None,
    }
}

/// The readable lines of one section.
fn fields(section: &[u8]) -> impl Iterator<Item = Field<'_>> {
    Fields::new(section).take(MAX_LINES).flatten()
}

/// The values of the attributes of this name in one section; empty for those without a value.
fn attributes<'a, 'n>(
    section: &'a [u8],
    name: &'n [u8],
) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
    fields(section).filter(|field| field.kind == b'a').filter_map(move |field| {
        let (other, value) = split_once(field.value, b':');
        trim(other).eq_ignore_ascii_case(name).then(|| trim(value.unwrap_or_default()))
    })
}

/// The first `c=` of one section.
fn connection(section: &[u8]) -> Option<Connection<'_>> {
    let field = fields(section).find(|field| field.kind == b'c')?;
    Some(connection_value(field.value))
}

/// `IN IP4 192.0.2.1/127`.
fn connection_value(value: &[u8]) -> Connection<'_> {
    // Nearly always this and nothing after the address.
    if let Some((b"IN IP4 ", address)) = value.split_first_chunk()
        && address.iter().all(|octet| octet.is_ascii_digit() || *octet == b'.')
    {
        return Connection { family: b"IP4", address };
    }
    let (_, rest) = word(value);
    let (family, rest) = word(rest);
    Connection { family, address: trim(split_once(word(rest).0, b'/').0) }
}

/// The first direction attribute of one section.
fn direction(section: &[u8]) -> Option<Direction> {
    fields(section).filter(|field| field.kind == b'a').find_map(|field| {
        [
            (&b"sendrecv"[..], Direction::SendRecv),
            (b"sendonly", Direction::SendOnly),
            (b"recvonly", Direction::RecvOnly),
            (b"inactive", Direction::Inactive),
        ]
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(field.value))
        .map(|(_, direction)| direction)
    })
}

/// The first `k=` of one section.
fn key(section: &[u8]) -> Option<KeyField<'_>> {
    let field = fields(section).find(|field| field.kind == b'k')?;
    let (method, key) = split_once(field.value, b':');
    Some(KeyField { method, key: Secret::new(key.unwrap_or_default()) })
}

/// The leading digits of a decimal like `20.5`, in whole units.
fn whole(value: &[u8]) -> Option<u32> {
    narrow(split_once(word(value).0, b'.').0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"v=0\r\no=al 289 1890 IN IP4 host.example\r\ns=x\r\nc=IN IP4 192.0.2.1/127\r\n\
        t=0 0\r\na=sendonly\r\na=setup:actpass\r\nnonsense\r\nm=audio 49170/2 RTP/AVP 0 8 101\r\n\
        a=rtpmap:0 PCMU/8000\r\nm=video 51372 RTP/SAVPF 31\r\nc=IN IP6 2001:db8::1\r\na=recvonly\r\n";

    #[test]
    fn the_session_part_ends_at_the_first_media_line() {
        let session = parse(PLAIN);
        assert_eq!((session.media_count, session.malformed, session.has_version), (2, 1, true));
        let origin = session.origin().unwrap();
        assert_eq!((origin.username, origin.session_id), (&b"al"[..], &b"289"[..]));
        assert_eq!((origin.version, origin.address), (Some(1890), &b"host.example"[..]));
        assert_eq!(session.connection().unwrap().address, b"192.0.2.1");
        assert_eq!(session.name(), Some(&b"x"[..]));
    }

    #[test]
    fn media_take_from_the_session_what_they_do_not_say() {
        let media: Vec<_> = parse(PLAIN).media().collect();
        assert_eq!((media.len(), media[0].port, media[0].port_count), (2, 49170, 2));
        assert_eq!(media[0].connection().unwrap().ip(), "192.0.2.1".parse().ok());
        assert_eq!(media[1].connection().unwrap().ip(), "2001:db8::1".parse().ok());
        assert_eq!(media[0].direction(), Direction::SendOnly);
        assert_eq!(media[1].direction(), Direction::RecvOnly);
        assert_eq!(media[1].setup(), Some(Setup::ActPass));
    }

    #[test]
    fn lf_and_cr_alone_end_lines_too() {
        for ending in ["\n", "\r"] {
            let text = String::from_utf8_lossy(PLAIN).replace("\r\n", ending);
            let session = parse(text.as_bytes());
            assert_eq!((session.media_count, session.malformed), (2, 1));
            assert_eq!(session.media().map(|media| media.port).collect::<Vec<_>>(), [49170, 51372]);
        }
    }

    #[test]
    fn nothing_is_a_description_without_media() {
        assert_eq!(parse(b"").media().count(), 0);
        let session = parse(b"m=\r\nm=audio x RTP/AVP 0");
        assert_eq!((session.media_count, session.malformed, session.has_version), (2, 2, false));
        assert_eq!(session.media().map(|media| media.port).collect::<Vec<_>>(), [0, 0]);
    }

    #[test]
    fn media_lines_beyond_the_limit_are_counted_only() {
        let many = b"m=audio 1 RTP/AVP 0\r\n".repeat(100);
        let session = parse(&many);
        assert_eq!((session.media_count, session.media().count()), (100, MAX_MEDIA));
    }

    #[test]
    fn a_key_in_the_clear_is_found_and_not_shown() {
        let session = parse(b"v=0\r\nk=base64:c2VjcmV0\r\n");
        let key = session.key().unwrap();
        assert_eq!((key.method, key.key.len()), (&b"base64"[..], 8));
        assert!(!format!("{session:?}{key:?}").contains("c2Vj"));
    }
}
