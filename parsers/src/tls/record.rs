//! The start of a TLS or SSL stream, recognised, and its records.
//!
//! ```text
//! | type (8) | version (16) | length (16) | fragment ...
//! ```
//!
//! RFC 8446 §5.1, RFC 5246 §6.2.1; the SSL 2.0 `ClientHello` is in RFC 5246 appendix E.2. What a
//! handshake record says is read elsewhere in this folder.

/// The record header, octets.
const HEADER: usize = 5;
/// The longest fragment: 2^14 and 2,048 that protection may add (RFC 5246 §6.2.3).
const LONGEST: usize = 18_432;

/// What the first octets of a TCP stream say.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A TLS or SSL 3.0 record.
    Tls,
    /// An SSL 2.0 `ClientHello`, perhaps one that offers more.
    Ssl2,
    /// Too few octets to tell: all of them fit so far.
    Incomplete,
    /// Something else.
    No,
}

/// One record as far as it was captured.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// 20 change cipher spec, 21 alert, 22 handshake, 23 application data, 24 heartbeat.
    pub content_type: u8,
    /// 0x0300 SSL 3.0 to 0x0304; says little, since every version writes what old boxes like.
    pub version: u16,
    /// The octets that its header promises.
    pub length: usize,
    /// The fragment; shorter than `length` where the stream goes on.
    pub fragment: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the record header at the start of `octets`; `None` if it is not one or not whole.
    pub fn read(octets: &'a [u8]) -> Option<Self> {
        let (&[content_type, v0, v1, l0, l1], rest) = octets.split_first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let fits = (20..=24).contains(&content_type) && v0 == 3 && v1 <= 4 && length <= LONGEST;
        let version = u16::from_be_bytes([v0, v1]);
        let fragment = rest.get(..length).unwrap_or(rest);
        fits.then_some(Self { content_type, version, length, fragment })
    }

    /// Octets from its header to the next one's.
    pub fn octets(&self) -> usize {
        self.length.saturating_add(HEADER)
    }

    /// The type of the handshake message at the start of the fragment, if this is a handshake
    /// record and still in clear as far as the record alone can tell: 1 `ClientHello`,
    /// 2 `ServerHello`, 11 Certificate, 14 `ServerHelloDone`, 16 `ClientKeyExchange`.
    pub fn handshake(&self) -> Option<u8> {
        let (&[kind, high, _, _], _) = self.fragment.split_first_chunk()?;
        // An encrypted Finished starts with random octets; a length of 2^16 and more is one sign.
        let known = matches!(kind, 0..=2 | 4 | 8 | 11..=16 | 20..=24);
        (self.content_type == 22 && known && high == 0).then_some(kind)
    }
}

/// Tells whether a TCP stream starts as TLS, from its first octets in order.
///
/// A record must be of content type 20 to 24; at the very start of a stream only 21 and 22 occur,
/// but a capture may begin later.
pub fn start(octets: &[u8]) -> Start {
    match octets {
        [] => Start::Incomplete,
        &[20..=24, ref rest @ ..] => match rest {
            [] | [3] | [3, 0..=4] | [3, 0..=4, _] => Start::Incomplete,
            [3, 0..=4, high, low, ..]
                if (1..=LONGEST).contains(&usize::from(u16::from_be_bytes([*high, *low]))) =>
            {
                Start::Tls
            }
            _ => Start::No,
        },
        &[first @ 0x80..=0xff, ref rest @ ..] => ssl2(first, rest),
        _ => Start::No,
    }
}

/// `1LLL LLLL LLLL LLLL`, 1, version, three lengths that must add up.
fn ssl2(first: u8, rest: &[u8]) -> Start {
    let (low, rest) = match rest {
        [low, 1, rest @ ..] => (*low, rest),
        [] | [_] => return Start::Incomplete,
        _ => return Start::No,
    };
    match rest {
        [] | [0 | 3] => return Start::Incomplete,
        [0, 2, ..] | [3, 0..=4, ..] => {}
        _ => return Start::No,
    }
    let Some((&[_, _, c0, c1, s0, s1, k0, k1], _)) = rest.split_first_chunk() else {
        return Start::Incomplete;
    };
    let part = |high, low| usize::from(u16::from_be_bytes([high, low]));
    let (ciphers, session, challenge) = (part(c0, c1), part(s0, s1), part(k0, k1));
    let length = part(first & 0x7f, low);
    let adds_up = [9, ciphers, session, challenge].into_iter().fold(0, usize::saturating_add);
    let sane = ciphers.checked_rem(3) == Some(0) && ciphers > 0 && (16..=32).contains(&challenge);
    if sane && length == adds_up { Start::Ssl2 } else { Start::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_hello_is_told_from_five_octets() {
        let hello = [22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3];
        for len in 0..5 {
            assert_eq!(start(&hello[..len]), Start::Incomplete, "{len}");
        }
        assert_eq!(start(&hello), Start::Tls);
        let record = Record::read(&hello).unwrap();
        assert_eq!((record.handshake(), record.octets()), (Some(1), 11));
    }

    #[test]
    fn an_ssl_2_hello_must_add_up() {
        let mut hello = vec![0x80, 28, 1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 0, 0x80];
        hello.extend([7; 16]);
        assert_eq!(start(&hello), Start::Ssl2);
        for len in 0..11 {
            assert_eq!(start(&hello[..len]), Start::Incomplete, "{len}");
        }
        hello[1] = 29;
        assert_eq!(start(&hello), Start::No);
    }

    #[test]
    fn other_protocols_are_not_tls() {
        for other in
            [&b"INVITE sip:"[..], b"GET / HTTP/1.1", b"\x16\x03\x05", b"\x16\x03\x01\xff\xff"]
        {
            assert_eq!(start(other), Start::No);
        }
    }
}
