//! How large a message is in the ways that overrun a reader's limits: start line, header lines, number
//! of headers, Via values, octets, description and parameters. It measures; the limits are the caller's.

use super::body::BodyKind;
use super::{Message, Uri};
use crate::cursor::{cut, find, index, line_at, slice};

/// What was measured, and as well: what may be.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct Sizes {
    /// The start line without its end, octets.
    pub start_line: u32,
    /// The longest header, from its name to the end of its value with folds, octets.
    pub header: u32,
    /// Header lines, folds not counted.
    pub headers: u32,
    /// Via values.
    pub vias: u32,
    /// Start line, headers and body, octets.
    pub message: u32,
    /// The session description, octets.
    pub description: u32,
    /// Its media lines.
    pub media: u32,
    /// Parameters of the Request-URI.
    pub uri_parameters: u32,
}

impl Sizes {
    /// Measures a message.
    pub fn of(message: &Message<'_>) -> Self {
        let first = message.octets.iter().position(|octet| !matches!(octet, b'\r' | b'\n'));
        let start = line_at(message.octets, first.unwrap_or(0)).map_or(0, |line| line.text.len());
        let header = message
            .spans
            .iter()
            .map(|span| span.value_at.saturating_add(span.value_len).saturating_sub(span.name_at));
        let description = description(message);
        let whole = slice(message.octets, first.unwrap_or(0), index(message.layout.len));
        Self {
            start_line: count(start),
            header: header.max().unwrap_or(0),
            headers: message.layout.headers,
            vias: count(message.vias().count()),
            message: count(whole.len()),
            description: count(description.len()),
            media: count(media_lines(description)),
            uri_parameters: count(uri_parameters(message.request_uri())),
        }
    }

    /// The names of what is larger than `limits` allows, in the order of the fields.
    pub fn above(self, limits: Self) -> impl Iterator<Item = &'static str> {
        self.pairs(limits)
            .into_iter()
            .filter(|(_, size, limit)| size > limit)
            .map(|(name, ..)| name)
    }

    const fn pairs(self, limits: Self) -> [(&'static str, u32, u32); 8] {
        [
            ("start-line", self.start_line, limits.start_line),
            ("header", self.header, limits.header),
            ("headers", self.headers, limits.headers),
            ("vias", self.vias, limits.vias),
            ("message", self.message, limits.message),
            ("description", self.description, limits.description),
            ("media", self.media, limits.media),
            ("uri-parameters", self.uri_parameters, limits.uri_parameters),
        ]
    }
}

/// The first session description, in whatever part of the body.
fn description<'a>(message: &Message<'a>) -> &'a [u8] {
    let mut leaves = message.leaves();
    leaves.find(|leaf| leaf.kind() == BodyKind::Sdp).map(|leaf| leaf.body).unwrap_or_default()
}

/// Media lines, of which nothing is read.
fn media_lines(description: &[u8]) -> usize {
    let is_media = |equals: &usize| {
        let (before, _) = cut(description, *equals);
        matches!(before, [b'm'] | [.., b'\r' | b'\n', b'm'])
    };
    memchr::memchr_iter(b'=', description).filter(is_media).count()
}

/// Parameters of a URI; most have none.
fn uri_parameters(uri: &[u8]) -> usize {
    if find(b';', uri).is_none() { 0 } else { Uri::parse(uri).params.iter().count() }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::parse_datagram;
    use super::*;

    #[test]
    fn each_size_is_measured_and_compared() {
        let text = b"\r\nINVITE sip:b;a;b;c=1 SIP/2.0\r\nVia: SIP/2.0/UDP a, SIP/2.0/UDP b\r\nX: 1\r\n 2345\r\n\
            Content-Type: application/sdp\r\n\r\nv=0\r\nm=audio 1 RTP/AVP 0\r\nm=video 1 RTP/AVP 31\r\n";
        let mut spans = Vec::new();
        let layout = parse_datagram(text, &mut spans).unwrap();
        let sizes = Sizes::of(&Message::new(text, layout, &spans));
        assert_eq!((sizes.start_line, sizes.headers, sizes.vias, sizes.media), (28, 3, 2, 2));
        assert_eq!((sizes.header, sizes.uri_parameters, sizes.description), (33, 3, 48));
        assert_eq!(sizes.message, u32::try_from(text.len()).unwrap() - 2);
        assert_eq!(sizes.above(sizes).count(), 0);
        let limits = Sizes { vias: 1, message: 10, ..sizes };
        assert_eq!(sizes.above(limits).collect::<Vec<_>>(), ["vias", "message"]);
    }

    #[test]
    fn media_lines_are_those_that_the_description_reads() {
        for text in [
            "v=0\r\nm=audio 1 RTP/AVP 0\r\na=x:m=1\r\nm=video 1 RTP/AVP 31\r\n",
            "m=audio 1 RTP/AVP 0\nm=audio 1 RTP/AVP 0\n",
            "v=0\r\ns=a m=b\r\n",
            "",
        ] {
            let read = crate::sdp::parse(text.as_bytes()).media_count;
            assert_eq!(count(media_lines(text.as_bytes())), read, "{text:?}");
        }
    }

    #[test]
    fn a_folded_header_is_as_long_as_all_its_lines() {
        let text = b"OPTIONS sip:b SIP/2.0\r\nX: 1\r\n 2345\r\n\r\n";
        let mut spans = Vec::new();
        let layout = parse_datagram(text, &mut spans).unwrap();
        assert_eq!(Sizes::of(&Message::new(text, layout, &spans)).header, 11);
    }
}
