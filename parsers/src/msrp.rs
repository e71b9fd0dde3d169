//! MSRP (RFC 4975): the start line of a request or response and the end-line that closes it, enough
//! to recognise and count. Headers, chunks and bodies are not read.

/// Octets of a transaction identifier at most (RFC 4975 §9).
const IDENT_MAX: usize = 32;

/// Octets of a start line at most; responses may have a comment.
const LINE_MAX: usize = 256;

/// What the beginning of a message says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Start<'a> {
    /// The transaction identifier, 4 to 32 octets.
    pub ident: &'a [u8],
    /// The method of a request, or the three digits of a response.
    pub what: &'a [u8],
    /// Octets of the start line with its CRLF.
    pub octets: usize,
}

/// Why octets are not the start of a message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MsrpError {
    /// The line has not ended, and so far it could be one.
    Short,
    /// Something else.
    Other,
}

impl<'a> Start<'a> {
    /// Reads the start line: `MSRP a786hjs2 SEND`, `MSRP a786hjs2 200 OK`.
    ///
    /// # Errors
    /// See [`MsrpError`].
    pub fn read(octets: &'a [u8]) -> Result<Self, MsrpError> {
        let known = b"MSRP ".len().min(octets.len());
        if octets.get(..known) != b"MSRP ".get(..known) {
            return Err(MsrpError::Other);
        }
        let head = octets.get(..LINE_MAX).unwrap_or(octets);
        let Some(end) = memchr::memchr(b'\n', head) else {
            return Err(if head.len() < LINE_MAX { MsrpError::Short } else { MsrpError::Other });
        };
        let line = head.get(..end).and_then(|line| line.strip_suffix(b"\r"));
        let mut words = line.ok_or(MsrpError::Other)?.split(|octet| *octet == b' ').skip(1);
        let (ident, what) = words
            .next()
            .zip(words.next())
            .filter(|(ident, what)| is_ident(ident) && is_what(what))
            .ok_or(MsrpError::Other)?;
        Ok(Self { ident, what, octets: end.saturating_add(1) })
    }
}

/// Where the message with this transaction identifier ends: behind `-------ident`, a flag of `$`,
/// `+` or `#`, and CRLF (RFC 4975 §7.1); `octets` begin behind its start line, or with the tail of
/// what was searched before.
pub fn end(octets: &[u8], ident: &[u8]) -> Option<usize> {
    let mut from = 0_usize;
    while let Some(rest) = octets.get(from..) {
        let at = memchr::memmem::find(rest, b"-------")?;
        let begins = from.saturating_add(at);
        let line = octets.get(begins..)?.get(7..).unwrap_or_default();
        if let Some([b'$' | b'+' | b'#', b'\r', b'\n', ..]) = line.strip_prefix(ident) {
            let length = ident.len().saturating_add(10);
            return Some(begins.saturating_add(length));
        }
        from = begins.saturating_add(1);
    }
    None
}

/// Octets of an end-line at most: so much of what was searched has to be kept.
pub const END_MAX: usize = IDENT_MAX + 10;

fn is_ident(word: &[u8]) -> bool {
    (4..=IDENT_MAX).contains(&word.len())
        && word.iter().all(|octet| octet.is_ascii_alphanumeric() || b".-+%=".contains(octet))
}

fn is_what(word: &[u8]) -> bool {
    let method = !word.is_empty() && word.iter().all(u8::is_ascii_uppercase);
    method || (word.len() == 3 && word.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_responses_are_recognised() {
        let line = b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://b\r\n";
        let start = Start::read(line).unwrap();
        assert_eq!((start.ident, start.what, start.octets), (&b"a786hjs2"[..], &b"SEND"[..], 20));
        assert_eq!(Start::read(b"MSRP d93kswow 200 OK\r\n").unwrap().what, b"200");
        for len in 0..20 {
            assert_eq!(Start::read(&line[..len]), Err(MsrpError::Short), "{len}");
        }
        for other in
            [&b"MSRP a SEND\r\n"[..], b"MSRP a786hjs2 send\r\n", b"MSRP a786hjs2\r\n", b"HTTP"]
        {
            assert_eq!(Start::read(other), Err(MsrpError::Other));
        }
    }

    #[test]
    fn a_message_ends_at_its_own_end_line() {
        let body = b"hi\r\n-------other123$\r\n--------a786hjs2x\r\n-------a786hjs2$\r\nMSRP";
        assert_eq!(end(body, b"a786hjs2"), Some(body.len() - 4));
        assert_eq!(end(&body[..body.len() - 5], b"a786hjs2"), None);
        assert_eq!(end(b"--------a786hjs2+\r\n", b"a786hjs2"), Some(19));
    }
}
