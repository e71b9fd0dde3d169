//! The hellos of SSL 2.0, which no one may accept (RFC 6176): the client's, which old clients also
//! sent to offer more (RFC 5246 appendix E.2), and the server's.

use super::client_hello::ClientHello;
use super::extension::Codes;
use super::reader::Reader;

/// The client's hello.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ssl2ClientHello<'a> {
    /// 0x0002, or the highest version that the client knows.
    pub version: u16,
    /// Cipher kinds of three octets each.
    pub kinds: &'a [u8],
    /// A session to resume.
    pub session_id: &'a [u8],
    /// 16 to 32 octets.
    pub challenge: &'a [u8],
}

/// The server's hello: the server accepts SSL 2.0.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ssl2ServerHello<'a> {
    /// The session is resumed.
    pub resumed: bool,
    /// 0x0002.
    pub version: u16,
    /// Its certificate, in DER; empty when resumed.
    pub certificate: &'a [u8],
    /// Cipher kinds that both have, of three octets each.
    pub kinds: &'a [u8],
}

/// The body of a record with the two-octet header of SSL 2.0.
fn body(octets: &[u8]) -> Option<Reader<'_>> {
    let mut reader = Reader::new(octets);
    let length = reader.u16()?;
    (length & 0x8000 != 0).then_some(reader)
}

impl<'a> Ssl2ClientHello<'a> {
    /// Reads the record at the start of `octets`.
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let mut reader = body(octets).filter(|reader| reader.rest().first() == Some(&1))?;
        reader.u8()?;
        let version = reader.u16()?;
        let lengths = [reader.u16()?, reader.u16()?, reader.u16()?];
        let [kinds, session_id, challenge] = lengths.map(usize::from);
        Some(Self {
            version,
            kinds: reader.take(kinds)?,
            session_id: reader.take(session_id)?,
            challenge: reader.take(challenge)?,
        })
    }

    /// The suites of later versions among the kinds: those whose first octet is 0.
    pub fn suites(&self) -> impl Iterator<Item = u16> + 'a {
        kinds(self.kinds).filter_map(|kind| match kind.to_be_bytes() {
            [0, 0, high, low] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        })
    }

    /// The same offer in the form of later versions, without suites, which have another shape.
    pub fn as_hello(&self) -> ClientHello<'a> {
        ClientHello::bare(self.version, self.challenge, self.session_id, Codes::default())
    }
}

impl<'a> Ssl2ServerHello<'a> {
    /// Reads the record at the start of `octets`.
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let mut reader = body(octets).filter(|reader| reader.rest().first() == Some(&4))?;
        reader.u8()?;
        let resumed = reader.u8()? != 0;
        let _certificate_type = reader.u8()?;
        let version = reader.u16()?;
        let lengths = [reader.u16()?, reader.u16()?, reader.u16()?];
        let [certificate, kinds, _connection] = lengths.map(usize::from);
        let certificate = reader.take(certificate)?;
        Some(Self { resumed, version, certificate, kinds: reader.take(kinds)? })
    }
}

/// Cipher kinds as numbers of 24 bits.
pub fn kinds(octets: &[u8]) -> impl Iterator<Item = u32> + Clone + '_ {
    let (kinds, _) = octets.as_chunks::<3>();
    kinds.iter().map(|&[a, b, c]| u32::from_be_bytes([0, a, b, c]))
}

/// The name of a cipher kind.
pub const fn kind_name(kind: u32) -> Option<&'static str> {
    Some(match kind {
        0x01_0080 => "SSL_CK_RC4_128_WITH_MD5",
        0x02_0080 => "SSL_CK_RC4_128_EXPORT40_WITH_MD5",
        0x03_0080 => "SSL_CK_RC2_128_CBC_WITH_MD5",
        0x04_0080 => "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5",
        0x05_0080 => "SSL_CK_IDEA_128_CBC_WITH_MD5",
        0x06_0040 => "SSL_CK_DES_64_CBC_WITH_MD5",
        0x07_00c0 => "SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hellos_are_read() {
        let client =
            [&[0x80, 31, 1, 3, 1, 0, 6, 0, 0, 0, 16][..], &[1, 0, 0x80, 0, 0, 0x2f], &[7; 16]]
                .concat();
        let hello = Ssl2ClientHello::parse(&client).unwrap();
        assert_eq!((hello.version, hello.suites().collect::<Vec<_>>()), (0x0301, vec![0x2f]));
        assert_eq!(kinds(hello.kinds).next().and_then(kind_name), Some("SSL_CK_RC4_128_WITH_MD5"));
        let server =
            [&[0x80, 34, 4, 0, 1, 0, 2, 0, 2, 0, 3, 0, 16, 9, 9, 1, 0, 0x80][..], &[7; 16]]
                .concat();
        let hello = Ssl2ServerHello::parse(&server).unwrap();
        assert_eq!(
            (hello.version, hello.certificate, hello.kinds),
            (2, &[9, 9][..], &[1, 0, 0x80][..])
        );
        assert!(
            (0..client.len()).all(|length| Ssl2ClientHello::parse(&client[..length]).is_none())
        );
        assert!((0..18).all(|length| Ssl2ServerHello::parse(&server[..length]).is_none()));
    }
}
