//! Media on hold, in all the ways it is written: `sendonly`, `recvonly` and `inactive` for the session or
//! one medium (RFC 3264 §8.4, RFC 6337 §5.3), and the address 0.0.0.0 of RFC 2543; a port of 0 is no
//! hold but refuses the medium. What changed from one description to the next is told by [`change`].

use super::{Connection, Direction, Media};

/// What a description says of one medium's being held, from its writer's side.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// It flows both ways.
    None,
    /// `sendonly`: the writer holds the other side, and may send music.
    Holds,
    /// `recvonly`: the writer is held, or only listens.
    IsHeld,
    /// `inactive`: nothing flows.
    Both,
    /// The null address: nothing is to be sent to the writer (RFC 2543 §B.5).
    NullAddress,
}

impl Hold {
    /// True unless media flows both ways.
    pub const fn is_hold(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// What of one medium is different in a later description of the same writer.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default, Hash)]
pub struct Change {
    /// Media is to go to another address, neither of them the null address.
    pub address: bool,
    /// Media is to go to another port, neither of them 0.
    pub port: bool,
    /// It is refused now and was not, or the reverse.
    pub refused: bool,
    /// Held now and not before, or the reverse.
    pub hold: bool,
    /// The transport protocol is another one: `RTP/AVP` and `RTP/SAVP`, `udptl`.
    pub protocol: bool,
}

impl Change {
    /// True if nothing is different.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl Media<'_> {
    /// Whether this medium is on hold; the null address is looked at first, as it says most.
    pub fn hold(&self) -> Hold {
        if self.connection().is_some_and(|connection| connection.is_null()) {
            return Hold::NullAddress;
        }
        match self.direction() {
            Direction::SendRecv => Hold::None,
            Direction::SendOnly => Hold::Holds,
            Direction::RecvOnly => Hold::IsHeld,
            Direction::Inactive => Hold::Both,
        }
    }

    /// True if the medium is refused or closed: port 0, and not only so because it stands with
    /// others on one port (`a=bundle-only`, RFC 9143 §6).
    pub fn is_refused(&self) -> bool {
        self.port == 0 && self.attribute(b"bundle-only").is_none()
    }
}

impl Connection<'_> {
    /// True for the address that means nobody: 0.0.0.0, ::, and names below `invalid` (RFC 6337
    /// §3.4 for IPv6).
    pub fn is_null(&self) -> bool {
        if let Some(ip) = self.ip() {
            return ip.is_unspecified();
        }
        let end = self.address.last_chunk::<8>();
        end.is_some_and(|end| end.eq_ignore_ascii_case(b".invalid"))
    }

    /// True if a name stands where an address would; it is never looked up.
    pub fn is_name(&self) -> bool {
        !self.address.is_empty() && self.ip().is_none()
    }

    /// True if the address is one of the family that the line names.
    pub fn is_of_its_family(&self) -> bool {
        match self.ip() {
            Some(ip) => {
                self.family.eq_ignore_ascii_case(if ip.is_ipv4() { b"IP4" } else { b"IP6" })
            }
            None => true,
        }
    }
}

/// What is different about one medium: the same place in two descriptions of one writer.
pub fn change(before: &Media<'_>, after: &Media<'_>) -> Change {
    let refused = before.is_refused() != after.is_refused();
    let both = !before.is_refused() && !after.is_refused();
    let (old, new) = (before.connection(), after.connection());
    let null = |connection: Option<Connection<'_>>| connection.is_some_and(|c| c.is_null());
    let address = both && !null(old) && !null(new) && !same_address(old, new);
    Change {
        address,
        port: both && before.port != after.port,
        refused,
        hold: both && before.hold().is_hold() != after.hold().is_hold(),
        protocol: both && !before.proto.eq_ignore_ascii_case(after.proto),
    }
}

/// Two addresses, however they are written; names by their letters.
fn same_address(one: Option<Connection<'_>>, other: Option<Connection<'_>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => match (one.ip(), other.ip()) {
            (Some(one), Some(other)) => one == other,
            (None, None) => one.address.eq_ignore_ascii_case(other.address),
            _ => false,
        },
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn first(text: &str) -> Media<'_> {
        parse(text.as_bytes()).media().next().unwrap()
    }

    #[test]
    fn hold_is_seen_in_all_its_forms() {
        for (text, expected) in [
            ("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n", Hold::None),
            ("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", Hold::Holds),
            ("a=inactive\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n", Hold::Both),
            ("a=inactive\r\nm=audio 4000 RTP/AVP 0\r\na=recvonly\r\n", Hold::IsHeld),
            ("c=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 0\r\n", Hold::NullAddress),
            ("m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ::\r\na=sendonly\r\n", Hold::NullAddress),
            ("m=audio 4000 RTP/AVP 0\r\nc=IN IP6 a.INVALID\r\n", Hold::NullAddress),
            ("c=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n", Hold::None),
        ] {
            assert_eq!(first(text).hold(), expected, "{text}");
        }
    }

    #[test]
    fn a_port_of_zero_refuses_unless_the_medium_is_bundled() {
        assert!(first("m=audio 0 RTP/AVP 0\r\n").is_refused());
        assert!(!first("m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=bundle-only\r\n").is_refused());
        assert!(!first("m=audio 9 RTP/AVP 0\r\n").is_refused());
    }

    #[test]
    fn a_later_description_is_compared_by_what_matters() {
        let plain = "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n";
        let with = |from, to| plain.replace(from, to);
        let none = Change::default();
        for (text, expected) in [
            (plain.to_owned(), none),
            (with("2.1", "2.2"), Change { address: true, ..none }),
            (with("4000", "4002"), Change { port: true, ..none }),
            (with("4000", "0"), Change { refused: true, ..none }),
            (with("192.0.2.1", "0.0.0.0"), Change { hold: true, ..none }),
            (with("AVP 0\r\n", "AVP 0\r\na=sendonly\r\n"), Change { hold: true, ..none }),
            (with("AVP", "SAVP"), Change { protocol: true, ..none }),
            (with("192.0.2.1", "host.example"), Change { address: true, ..none }),
        ] {
            assert_eq!(change(&first(plain), &first(&text)), expected, "{text}");
            assert_eq!(change(&first(&text), &first(plain)), expected, "{text}");
            assert_eq!(expected.is_none(), text == plain);
        }
    }

    #[test]
    fn names_are_kept_and_families_compared() {
        let connection = |text: &'static str| Connection::parse(text.as_bytes());
        assert!(connection("IN IP4 media.example").is_name());
        assert!(!connection("IN IP4 192.0.2.1").is_name() && !connection("IN IP4").is_name());
        assert!(connection("IN IP6 2001:db8::1").is_of_its_family());
        assert!(!connection("IN IP4 2001:db8::1").is_of_its_family());
        assert!(connection("IN IP4 media.example").is_of_its_family());
    }
}
