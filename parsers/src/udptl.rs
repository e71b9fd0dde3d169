//! UDPTL: the datagrams that carry T.38 fax (ITU-T T.38 §9, in the aligned basic PER of X.691).
//!
//! ```text
//! sequence number, 16 bits
//! primary IFP packet: length, octets
//! 0x00 secondary IFP packets: count, then length and octets of each, the latest first
//! 0x80 or forward error correction: packets it covers, count, then length and octets of each
//! ```
//!
//! Nothing in it says what it is: a datagram fits if all lengths end exactly at its end. What the
//! packets hold (indicators, image data) is not read.

/// One datagram.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Counts the sender's datagrams.
    pub sequence: u16,
    /// The packet that is new in it.
    pub primary: &'a [u8],
    /// Earlier packets sent again.
    pub secondary: usize,
    /// Forward error correction instead of those.
    pub has_fec: bool,
}

/// Earlier packets that are sent again with one datagram, at most: gateways send up to seven.
const SECONDARY_MAX: usize = 16;

/// Reads one datagram; `None` if its lengths do not add up.
pub fn parse(datagram: &[u8]) -> Option<Datagram<'_>> {
    let (&[high, low], rest) = datagram.split_first_chunk()?;
    let (primary, rest) = field(rest).filter(|(primary, _)| !primary.is_empty())?;
    let (&choice, rest) = rest.split_first()?;
    let (count, mut rest) = match choice {
        0x00 => length(rest)?,
        // Of how many packets it is made: an integer of one octet.
        0x80 => match rest {
            [1, _, rest @ ..] => length(rest)?,
            _ => return None,
        },
        _ => return None,
    };
    for _ in 0..Some(count).filter(|count| *count <= SECONDARY_MAX)? {
        (_, rest) = field(rest)?;
    }
    let has_fec = choice == 0x80;
    let sequence = u16::from_be_bytes([high, low]);
    let secondary = if has_fec { 0 } else { count };
    rest.is_empty().then_some(Datagram { sequence, primary, secondary, has_fec })
}

/// A length of one or two octets (X.691 §10.9).
fn length(octets: &[u8]) -> Option<(usize, &[u8])> {
    match octets {
        [short @ 0..=0x7f, rest @ ..] => Some((usize::from(*short), rest)),
        [high @ 0x80..=0xbf, low, rest @ ..] => {
            Some((usize::from(u16::from_be_bytes([high & 0x3f, *low])), rest))
        }
        _ => None,
    }
}

fn field(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = length(octets)?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_end_where_the_datagram_ends() {
        // A tone indicator, and the one before it once more.
        let datagram = [0, 3, 1, 0x06, 0, 1, 1, 0x00];
        let read = parse(&datagram).unwrap();
        assert_eq!((read.sequence, read.primary, read.secondary), (3, &[6][..], 1));
        for len in 0..datagram.len() {
            assert_eq!(parse(&datagram[..len]), None, "{len}");
        }
        let mut longer = datagram.to_vec();
        longer.push(0);
        assert_eq!(parse(&longer), None);
        let alone = [0, 0, 2, 0xc0, 1, 0, 0];
        assert_eq!(parse(&alone).map(|read| read.secondary), Some(0));
        let fec = [0, 9, 1, 6, 0x80, 1, 2, 1, 3, 1, 2, 3];
        assert!(parse(&fec).unwrap().has_fec);
    }

    #[test]
    fn a_dns_query_does_not_fit() {
        let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend(b"\x07example\x03org\x00\x00\x01\x00\x01");
        assert_eq!(parse(&query), None);
    }
}
