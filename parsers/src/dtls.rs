//! DTLS records: recognised and walked, the handshake message at their start named.
//!
//! ```text
//! | type (8) | version (16) | epoch (16) | sequence (48) | length (16) | fragment ...
//! ```
//!
//! RFC 6347 §4.1 and §4.2.2; RFC 9147 §4 for the unified header, which is believed only in a flow
//! that is DTLS already. A handshake message comes in fragments, each behind a header of its own:
//!
//! ```text
//! | type (8) | length (24) | message_seq (16) | fragment_offset (24) | fragment_length (24) |
//! ```
//!
//! What the messages say is read where TLS is ([`crate::tls`]).

/// The record header, octets.
const HEADER: usize = 13;
/// The longest fragment: 2^14 and the most that protection may add (RFC 6347 §4.1).
const LONGEST: usize = 18_432;

/// The content type of a record.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// 20.
    ChangeCipherSpec,
    /// 21.
    Alert,
    /// 22.
    Handshake,
    /// 23.
    ApplicationData,
    /// 24, RFC 6520.
    Heartbeat,
    /// 25, RFC 9146.
    Tls12Cid,
    /// 26, RFC 9147.
    Ack,
}

/// One record with a DTLS 1.0 or 1.2 header.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it carries.
    pub content_type: ContentType,
    /// 0xfeff DTLS 1.0, 0xfefd DTLS 1.2 (and what 1.3 says), 0x0100 what OpenSSL once sent.
    pub version: u16,
    /// 0 until the first change of cipher: records of epoch 0 are in clear.
    pub epoch: u16,
    /// Its number within the epoch; 48 bits.
    pub sequence: u64,
    /// The fragment.
    pub fragment: &'a [u8],
}

/// A handshake message or a part of it (RFC 6347 §4.2.2).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// What the message is: 1 `ClientHello` and so on.
    pub kind: u8,
    /// Octets of the whole message.
    pub length: u32,
    /// Its place among the sender's messages.
    pub sequence: u16,
    /// Where in the message this part begins.
    pub offset: u32,
    /// The part.
    pub body: &'a [u8],
}

/// Octets before a fragment's body.
const FRAGMENT_HEADER: usize = 12;

impl<'a> Fragment<'a> {
    /// Reads the fragment at the start of `octets`, and gives what follows; `None` unless it is whole
    /// and within its message.
    pub fn read(octets: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, rest) = octets.split_first_chunk::<FRAGMENT_HEADER>()?;
        let &[kind, l0, l1, l2, s0, s1, o0, o1, o2, p0, p1, p2] = header;
        let number = |a, b, c| u32::from_be_bytes([0, a, b, c]);
        let (length, offset, part) = (number(l0, l1, l2), number(o0, o1, o2), number(p0, p1, p2));
        if offset.checked_add(part).is_none_or(|end| end > length) {
            return None;
        }
        let (body, rest) = rest.split_at_checked(usize::try_from(part).ok()?)?;
        let sequence = u16::from_be_bytes([s0, s1]);
        Some((Self { kind, length, sequence, offset, body }, rest))
    }

    /// The fragments of octets, one behind the other.
    pub fn all(octets: &'a [u8]) -> impl Iterator<Item = Self> + Clone {
        let mut rest = octets;
        std::iter::from_fn(move || {
            let (fragment, after) = Self::read(rest)?;
            rest = after;
            Some(fragment)
        })
    }

    /// Whether it is the whole message.
    pub fn is_whole(&self) -> bool {
        u32::try_from(self.body.len()).is_ok_and(|length| length == self.length)
    }
}

/// The records of a datagram, up to the first that does not fit.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the record at the start of `octets`; `None` unless type and version are DTLS's and the
    /// length fits.
    pub fn read(octets: &'a [u8]) -> Option<Self> {
        let (&[kind, v0, v1, e0, e1, s0, s1, s2, s3, s4, s5, l0, l1], rest) =
            octets.split_first_chunk::<HEADER>()?;
        let content_type = content_type(kind)?;
        let version = u16::from_be_bytes([v0, v1]);
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if !matches!(version, 0xfeff | 0xfefd | 0x0100) || length == 0 || length > LONGEST {
            return None;
        }
        let fragment = rest.get(..length)?;
        let epoch = u16::from_be_bytes([e0, e1]);
        let sequence = u64::from_be_bytes([0, 0, s0, s1, s2, s3, s4, s5]);
        Some(Self { content_type, version, epoch, sequence, fragment })
    }

    /// The type of the handshake message that the fragment starts with or continues:
    /// 1 `ClientHello`, 2 `ServerHello`, 3 `HelloVerifyRequest`, 11 Certificate, ...
    ///
    /// `None` when the record is protected (a Finished is) or is not a handshake.
    pub fn handshake(&self) -> Option<u8> {
        if self.content_type != ContentType::Handshake || self.epoch != 0 {
            return None;
        }
        let (&[kind, ..], _) = self.fragment.split_first_chunk::<12>()?;
        Some(kind)
    }
}

impl<'a> Records<'a> {
    /// Walks `datagram` from its start.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    /// What has not been walked.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let record = Record::read(self.rest)?;
        self.rest = self.rest.get(record.fragment.len().checked_add(HEADER)?..)?;
        Some(record)
    }
}

/// Whether the datagram starts with a record of DTLS 1.0 or 1.2, or of 1.3 before encryption.
pub fn looks_like(datagram: &[u8]) -> bool {
    Record::read(datagram).is_some()
}

/// Whether the datagram can be an encrypted DTLS 1.3 record: `001CSKLL` (RFC 9147 §4).
///
/// Three bits and a length prove nothing alone: ask only within a flow that has shown a handshake.
pub fn unified(datagram: &[u8]) -> bool {
    let Some((&first, rest)) = datagram.split_first() else { return false };
    if first >> 5 != 1 || first & 0x10 != 0 {
        // With a connection id its length is known to the peers only.
        return first >> 5 == 1 && rest.len() > 16;
    }
    let sequence = if first & 0x08 == 0 { 1 } else { 2 };
    let Some(rest) = rest.get(sequence..) else { return false };
    if first & 0x04 == 0 {
        return rest.len() >= 16;
    }
    match rest.split_first_chunk() {
        Some((&[high, low], rest)) => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            (16..=LONGEST).contains(&length) && length <= rest.len()
        }
        None => false,
    }
}

impl ContentType {
    /// The number on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
            Self::Heartbeat => 24,
            Self::Tls12Cid => 25,
            Self::Ack => 26,
        }
    }
}

const fn content_type(kind: u8) -> Option<ContentType> {
    Some(match kind {
        20 => ContentType::ChangeCipherSpec,
        21 => ContentType::Alert,
        22 => ContentType::Handshake,
        23 => ContentType::ApplicationData,
        24 => ContentType::Heartbeat,
        25 => ContentType::Tls12Cid,
        26 => ContentType::Ack,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, fragment: &[u8]) -> Vec<u8> {
        let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
        [&[kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0], &length[..], fragment].concat()
    }

    #[test]
    fn a_flight_of_records_is_walked_and_named() {
        let certificate = [11, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 9];
        let flight =
            [record(22, 0, &certificate), record(20, 0, &[1]), record(22, 1, &[7; 40])].concat();
        let mut records = Records::new(&flight);
        let named: Vec<_> = records.by_ref().map(|r| (r.content_type, r.handshake())).collect();
        assert_eq!(
            named,
            [
                (ContentType::Handshake, Some(11)),
                (ContentType::ChangeCipherSpec, None),
                (ContentType::Handshake, None)
            ]
        );
        assert!(records.rest().is_empty());
        assert!(!looks_like(&flight[..20]));
    }

    #[test]
    fn fragments_follow_each_other_and_stay_within_their_message() {
        let two = [14, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 11, 0, 0, 9, 0, 4, 0, 0, 7, 0, 0, 2, 8, 8];
        let found: Vec<_> = Fragment::all(&two).map(|f| (f.kind, f.sequence, f.offset)).collect();
        assert_eq!(found, [(14, 3, 0), (11, 4, 7)]);
        assert!(Fragment::all(&two).map(|f| f.is_whole()).eq([true, false]));
        let beyond = [11, 0, 0, 8, 0, 4, 0, 0, 7, 0, 0, 2, 8, 8];
        assert_eq!(Fragment::read(&beyond), None);
    }

    #[test]
    fn a_unified_header_needs_room_for_a_tag() {
        assert!(unified(&[&[0x2e, 0, 1, 0, 16][..], &[0; 16]].concat()));
        assert!(!unified(&[&[0x2e, 0, 1, 0, 17][..], &[0; 16]].concat()));
        assert!(!unified(&[0x80; 40]));
        assert!(!unified(&[]));
    }
}
