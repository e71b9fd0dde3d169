//! What is off in a description that is one all the same (RFC 8866 §5, §9): lines that are none, lines
//! missing or doubled, and what two readers may read in two ways. Reads the whole description; it is
//! for descriptions that are looked at.

use super::{Connection, Fields, Group, MAX_LINES, MAX_MEDIA, Media, Session, field, parse};
use crate::cursor::{is_lws, narrow, split_once, word};

/// A set of oddities of one description.
#[derive(Copy, Clone, PartialEq, Eq, Default, Hash, Debug)]
pub struct Oddities(u32);

macro_rules! oddities {
    ($($(#[$doc:meta])+ $bit:literal $constant:ident $name:literal;)+) => {
        impl Oddities {
            $($(#[$doc])+ pub const $constant: Self = Self(1 << $bit);)+
            const NAMES: &'static [(u32, &'static str)] = &[$((1 << $bit, $name)),+];
        }
    };
}

oddities! {
    /// A line that is not `letter=value`.
    0 NO_LINE "sdp-no-line";
    /// White space around the equals sign, or a letter in upper case: read all the same.
    1 LOOSE_LINE "sdp-loose-line";
    /// A media line without kind, port, protocol or format.
    2 BAD_MEDIA "sdp-bad-media";
    /// The first line is not `v=0`.
    3 NO_VERSION "sdp-no-version";
    /// No `o=`.
    4 NO_ORIGIN "sdp-no-origin";
    /// No `s=`.
    5 NO_NAME "sdp-no-name";
    /// No `t=`.
    6 NO_TIME "sdp-no-time";
    /// A medium that is not refused has no `c=`, nor has the session.
    7 NO_CONNECTION "sdp-no-connection";
    /// `v=`, `o=`, `s=` or the session's `c=` came again.
    8 DOUBLED "sdp-doubled";
    /// A line ends in CR alone.
    9 BARE_CR "sdp-bare-cr";
    /// Lines end in different ways.
    10 MIXED_LINE_ENDS "sdp-mixed-line-ends";
    /// Two media that are not refused go to one port of one address, and are not in one BUNDLE.
    11 PORT_TWICE "sdp-port-twice";
    /// An address of another family than its line names.
    12 WRONG_FAMILY "sdp-wrong-family";
    /// A multicast address without TTL, or a unicast address with one (RFC 8866 §5.7).
    13 BAD_TTL "sdp-bad-ttl";
    /// More media lines or lines than are read.
    14 TOO_MANY "sdp-too-many";
    /// NUL in the description.
    15 NUL "sdp-nul";
    /// Two media have the same identification tag.
    16 MID_TWICE "sdp-mid-twice";
}

impl Oddities {
    /// Nothing is off.
    pub const NONE: Self = Self(0);

    /// True when nothing is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True when everything of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Name of everything that is set, in bit order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, name)| *name)
    }

    fn add(&mut self, condition: bool, other: Self) {
        if condition {
            self.0 |= other.0;
        }
    }
}

/// `/ttl/count` behind a multicast address (RFC 8866 §5.7): IPv6 has no TTL.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Time to live of the packets, 0 to 255.
    pub ttl: Option<u8>,
    /// How many addresses, each one higher than the last; 1 unless given.
    pub count: u32,
}

impl Scope {
    /// Reads the value of a `c=` line; `None` if the address is not multicast or a number is none.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let ip = Connection::parse(value).ip().filter(std::net::IpAddr::is_multicast)?;
        let mut numbers = suffix(value).into_iter().flat_map(|s| s.split(|&octet| octet == b'/'));
        let ttl = if ip.is_ipv4() { Some(narrow(numbers.next()?)?) } else { None };
        let count = numbers.next().map_or(Some(1), narrow)?;
        numbers.next().is_none().then_some(Self { ttl, count })
    }
}

/// What follows the first slash of the address.
fn suffix(value: &[u8]) -> Option<&[u8]> {
    let (_, rest) = word(value);
    let (_, rest) = word(rest);
    split_once(word(rest).0, b'/').1
}

impl<'a> Session<'a> {
    /// The lines of the whole description that are not `letter=value`, as written, in order.
    pub fn malformed_lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        // The head ends where the media begin, and is all there is without any.
        let all = LineTexts(Fields::new(self.head)).chain(LineTexts(Fields::new(self.rest)));
        all.filter(|line| field(line).is_none())
    }
}

/// The texts of lines.
struct LineTexts<'a>(Fields<'a>);

impl<'a> Iterator for LineTexts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.line()
    }
}

/// All that is off in a description.
pub fn oddities(body: &[u8]) -> Oddities {
    let session = parse(body);
    let mut found = Oddities::NONE;
    lines(body, &mut found);
    let mut letters = [0_u32; 4];
    for field in session.fields() {
        let place = b"vosc".iter().position(|&letter| letter == field.kind);
        if let Some(count) = place.and_then(|place| letters.get_mut(place)) {
            *count = count.saturating_add(1);
        }
    }
    let [_, origins, names, _] = letters;
    found.add(!session.has_version, Oddities::NO_VERSION);
    found.add(origins == 0, Oddities::NO_ORIGIN);
    found.add(names == 0, Oddities::NO_NAME);
    found.add(!session.fields().any(|field| field.kind == b't'), Oddities::NO_TIME);
    found.add(letters.iter().any(|&count| count > 1), Oddities::DOUBLED);
    found.add(
        session.media_count > u32::try_from(MAX_MEDIA).unwrap_or(u32::MAX),
        Oddities::TOO_MANY,
    );
    found.add(session.fields().count() >= MAX_LINES, Oddities::TOO_MANY);
    media(&session, &mut found);
    found
}

/// What the octets and the shape of the lines show.
fn lines(body: &[u8], found: &mut Oddities) {
    let (mut crlf, mut lf, mut cr) = (false, false, false);
    let next = body.iter().skip(1).chain([&0]);
    let mut before = 0;
    for (&octet, &next) in body.iter().zip(next) {
        match octet {
            b'\r' if next == b'\n' => crlf = true,
            b'\r' => cr = true,
            b'\n' if before != b'\r' => lf = true,
            0 => found.add(true, Oddities::NUL),
            _ => {}
        }
        before = octet;
    }
    found.add(cr, Oddities::BARE_CR);
    let kinds = [crlf, lf, cr].into_iter().filter(|seen| *seen).count();
    found.add(kinds > 1, Oddities::MIXED_LINE_ENDS);
    for line in LineTexts(Fields::new(body)) {
        let Some(read) = field(line) else {
            found.add(true, Oddities::NO_LINE);
            continue;
        };
        let tight = matches!(line, [letter, b'=', rest @ ..] if *letter == read.kind
            && !rest.first().copied().is_some_and(is_lws));
        // `s= ` is how a session without a name is written (RFC 8866 §5.3).
        found.add(!tight && read.kind != b's', Oddities::LOOSE_LINE);
        found.add(read.kind == b'm' && !Media::is_well_formed(read.value), Oddities::BAD_MEDIA);
        if read.kind == b'c' {
            let connection = Connection::parse(read.value);
            let multicast = connection.ip().is_some_and(|ip| ip.is_multicast());
            let scoped = if multicast {
                Scope::parse(read.value).is_some()
            } else {
                suffix(read.value).is_none()
            };
            found.add(!scoped, Oddities::BAD_TTL);
            found.add(!connection.is_of_its_family(), Oddities::WRONG_FAMILY);
        }
    }
}

/// A medium with what it is compared by, read once.
#[derive(Copy, Clone)]
struct Known<'a> {
    port: u16,
    mid: Option<&'a [u8]>,
    connection: Option<Connection<'a>>,
    bundle: Option<Group<'a>>,
}

/// What the media say together.
fn media(session: &Session<'_>, found: &mut Oddities) {
    let mut all = [None; MAX_MEDIA];
    let mut places = all.iter_mut();
    for media in session.media().filter(|media| !media.is_refused()) {
        let mid = media.mid();
        let bundle = mid.and_then(|mid| session.bundle_of(mid));
        let connection = media.connection();
        found.add(connection.is_none(), Oddities::NO_CONNECTION);
        if let Some(place) = places.next() {
            *place = Some(Known { port: media.port, mid, connection, bundle });
        }
    }
    let mut pairs = all.iter().flatten();
    while let Some(one) = pairs.next() {
        for other in pairs.clone() {
            found.add(one.mid.is_some() && one.mid == other.mid, Oddities::MID_TWICE);
            // Port 9 is the one that stands for none (RFC 8840 §4.1.1).
            let one_place = one.port == other.port && one.connection == other.connection;
            if one_place && one.port != 0 && one.port != 9 {
                let shared = one.bundle.is_some() && one.bundle == other.bundle;
                found.add(!shared, Oddities::PORT_TWICE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 31\r\n";

    fn with(from: &str, to: &str) -> Oddities {
        assert!(PLAIN.contains(from));
        oddities(PLAIN.replacen(from, to, 1).as_bytes())
    }

    #[test]
    fn a_plain_description_has_nothing_odd() {
        assert_eq!(oddities(PLAIN.as_bytes()), Oddities::NONE);
        assert_eq!(with("s=-", "s= "), Oddities::NONE);
    }

    #[test]
    fn each_oddity_has_its_name() {
        let origin = "o=- 1 1 IN IP4 192.0.2.1\r\n";
        for (from, to, expected) in [
            ("t=0 0\r\n", "t=0 0\r\nnonsense\r\n", Oddities::NO_LINE),
            ("m=video", "m =video", Oddities::NO_LINE),
            ("t=0 0", "t= 0 0", Oddities::LOOSE_LINE),
            ("m=video 4002", "m=video x", Oddities::BAD_MEDIA),
            ("v=0", "v=1", Oddities::NO_VERSION),
            (origin, "", Oddities::NO_ORIGIN),
            ("s=-\r\n", "", Oddities::NO_NAME),
            ("t=0 0\r\n", "", Oddities::NO_TIME),
            ("c=IN IP4 192.0.2.1\r\n", "", Oddities::NO_CONNECTION),
            ("s=-\r\n", "s=-\r\ns=-\r\n", Oddities::DOUBLED),
            ("s=-\r\n", "s=-\n", Oddities::MIXED_LINE_ENDS),
            ("4002", "4000", Oddities::PORT_TWICE),
            ("c=IN IP4 192.0.2.1", "c=IN IP6 192.0.2.1", Oddities::WRONG_FAMILY),
            ("c=IN IP4 192.0.2.1", "c=IN IP4 192.0.2.1/64", Oddities::BAD_TTL),
            ("c=IN IP4 192.0.2.1", "c=IN IP4 233.252.0.1", Oddities::BAD_TTL),
            ("c=IN IP4 192.0.2.1", "c=IN IP4 233.252.0.1/127/3", Oddities::NONE),
            ("c=IN IP4 192.0.2.1", "c=IN IP4 host.example", Oddities::NONE),
            ("s=-", "s=\0", Oddities::NUL),
            (
                "RTP/AVP 0\r\n",
                "RTP/AVP 0\r\na=mid:1\r\nm=audio 5 RTP/AVP 0\r\na=mid:1\r\n",
                Oddities::MID_TWICE,
            ),
        ] {
            let found = with(from, to);
            assert_eq!(found, expected, "{to}: {:?}", found.names().collect::<Vec<_>>());
        }
        let all_cr = PLAIN.replace("\r\n", "\r");
        assert_eq!(oddities(all_cr.as_bytes()), Oddities::BARE_CR);
        let many = [PLAIN, &"m=audio 0 RTP/AVP 0\r\n".repeat(40)].concat();
        assert_eq!(oddities(many.as_bytes()), Oddities::TOO_MANY);
    }

    #[test]
    fn media_in_one_bundle_may_share_a_port() {
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=group:BUNDLE a b\r\n\
            m=audio 4000 RTP/AVP 0\r\na=mid:a\r\nm=video 4000 RTP/AVP 31\r\na=mid:b\r\n";
        assert_eq!(oddities(text.as_bytes()), Oddities::NONE);
    }

    #[test]
    fn lines_that_are_none_are_kept_wherever_they_stand() {
        let text = b"v=0\r\nhead\r\nm=audio 1 RTP/AVP 0\r\n=x\r\nm=video 1 RTP/AVP 0\r\n1=y";
        let lines: Vec<_> = parse(text).malformed_lines().collect();
        assert_eq!(lines, [&b"head"[..], b"=x", b"1=y"]);
    }

    #[test]
    fn a_multicast_address_has_a_time_to_live_and_a_count() {
        assert_eq!(
            Scope::parse(b"IN IP4 233.252.0.1/127/3"),
            Some(Scope { ttl: Some(127), count: 3 })
        );
        assert_eq!(Scope::parse(b"IN IP6 ff00::db8:0:101/3"), Some(Scope { ttl: None, count: 3 }));
        assert_eq!(Scope::parse(b"IN IP6 ff00::db8:0:101"), Some(Scope { ttl: None, count: 1 }));
        for bad in [
            "IN IP4 233.252.0.1",
            "IN IP4 233.252.0.1/256",
            "IN IP4 192.0.2.1/1",
            "IN IP4 233.252.0.1/1/2/3",
        ] {
            assert_eq!(Scope::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
