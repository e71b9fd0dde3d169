//! A description (RFC 8866 §5) read once, for who wants to know everything about it: each line as
//! it comes, each media description after its lines. What the lines mean is decided by who asks.

use super::{Field, Fields, MAX_LINES, MAX_MEDIA, Media, field};
use crate::cursor::cut;

/// What a description consists of, in the order of its lines.
#[derive(Copy, Clone, Debug)]
pub enum Part<'a> {
    /// A line before the first media line.
    Session(Field<'a>),
    /// A line below a media line.
    Line(Field<'a>),
    /// The media description that the lines since the last one belong to.
    Media(Media<'a>),
}

/// Reads a description in one pass and shows its parts; [`super::parse`] reads it again for
/// everything that is asked.
///
/// The parts are those that [`super::Session::fields`], [`super::Session::media`] and
/// [`Media::fields`] give, with the same limits.
#[inline]
pub fn walk<'a>(body: &'a [u8], mut see: impl FnMut(Part<'a>)) {
    let mut fields = Fields::new(body);
    // What stands before the first media line; the last media line, and what follows it.
    let (mut head, mut open) = (body, None);
    let (mut lines, mut media) = (0_usize, 0_usize);
    let media_of = |head, (line, below): (&'a [u8], &'a [u8]), rest: &[u8]| {
        let (section, _) = cut(below, below.len().saturating_sub(rest.len()));
        Part::Media(Media::new(line, head, section))
    };
    loop {
        let before = fields.rest;
        let Some(line) = fields.line() else { break };
        let found = field(line);
        if let Some(Field { kind: b'm', value }) = found {
            match open.replace((value, fields.rest)) {
                Some(above) => see(media_of(head, above, before)),
                None => head = cut(body, body.len().saturating_sub(before.len())).0,
            }
            (lines, media) = (0, media.saturating_add(1));
            if media > MAX_MEDIA {
                return;
            }
            continue;
        }
        lines = lines.saturating_add(1);
        if let Some(field) = found
            && lines <= MAX_LINES
        {
            see(if open.is_some() { Part::Line(field) } else { Part::Session(field) });
        }
    }
    if let Some(last) = open {
        see(media_of(head, last, &[]));
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// Lines of the session, and media with their lines.
    type Read<'a> = (Vec<Field<'a>>, Vec<(Media<'a>, Vec<Field<'a>>)>);

    /// Both ways to read a description, as lists of the same shape.
    fn both(body: &[u8]) -> [Read<'_>; 2] {
        let session = parse(body);
        let media = session.media().map(|media| (media, media.fields().collect()));
        let asked = (session.fields().collect(), media.collect());
        let mut walked: Read<'_> = (Vec::new(), Vec::new());
        let mut lines = Vec::new();
        walk(body, |part| match part {
            Part::Session(field) => walked.0.push(field),
            Part::Line(field) => lines.push(field),
            Part::Media(media) => walked.1.push((media, std::mem::take(&mut lines))),
        });
        [asked, walked]
    }

    #[test]
    fn one_pass_finds_what_asking_finds() {
        let mut long = b"m=audio 1 RTP/AVP 0\r\n".to_vec();
        long.extend(b"nonsense\r\na=x\r\n".repeat(MAX_LINES));
        long.extend_from_slice(b"m=video 2 RTP/AVP 31\na=y");
        let mut head = b"\n\n".to_vec();
        head.extend(b"a=\x0bx\r".repeat(MAX_LINES + 1));
        head.extend_from_slice(&long);
        for body in [
            &b""[..],
            b"v=0\r\ns=x\r\n",
            b"v=0\r\n\r\nc=IN IP4 192.0.2.1\r\n\nm=audio 1 RTP/AVP 0\r\r\na=b\r\n\r\nm=\r\nm=x",
            b"m=audio 1 RTP/AVP 0 \xff\t\na=\t1\x00234567890 \r\n a = c ",
            &b"m=audio 1 RTP/AVP 0\na=b\n".repeat(MAX_MEDIA + 2),
            &long,
            &head,
        ] {
            let [asked, walked] = both(body);
            assert_eq!(asked, walked);
        }
    }
}
