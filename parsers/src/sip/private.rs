//! Private headers of IMS networks (RFC 7315, RFC 5009) and the wishes for privacy that go with
//! asserted identities (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1). P-Asserted-Identity,
//! P-Preferred-Identity, P-Called-Party-ID, Path and Service-Route are lists of addresses: read them
//! with [`super::Message::addresses`].

use super::Params;
use super::element::{Element, Word};
use crate::cursor::{trim, word};

/// P-Charging-Vector (RFC 7315 §4.6): `icid-value="1234";orig-ioi=home1.example`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ChargingVector<'a> {
    /// All parameters.
    pub params: Params<'a>,
}

impl<'a> ChargingVector<'a> {
    /// Reads a value; `None` without `icid-value`, which must be there.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let read = Self { params: Params::new(trim(value)) };
        read.params.value(b"icid-value").is_some_and(|id| !id.is_empty()).then_some(read)
    }

    /// The charging identity: one for all legs of a session.
    pub fn icid(&self) -> &'a [u8] {
        self.params.value(b"icid-value").unwrap_or_default()
    }

    /// Where that identity was made.
    pub fn generated_at(&self) -> Option<&'a [u8]> {
        self.params.value(b"icid-generated-at")
    }

    /// The networks of caller and callee.
    pub fn operators(&self) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
        (self.params.value(b"orig-ioi"), self.params.value(b"term-ioi"))
    }
}

/// One P-Access-Network-Info value (RFC 7315 §4.4): `3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=234151D0FCE11`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AccessNetwork<'a> {
    /// The access type or class, as written.
    pub kind: &'a [u8],
    /// Cell, address, time zone and so on.
    pub params: Params<'a>,
}

impl<'a> Element<'a> for AccessNetwork<'a> {
    fn read(element: &'a [u8]) -> Option<Self> {
        Word::read(element).map(|Word { text, params }| Self { kind: text, params })
    }
}

impl<'a> AccessNetwork<'a> {
    /// The cell or access point that says where the user is, if it does.
    pub fn location(&self) -> Option<&'a [u8]> {
        [
            &b"utran-cell-id-3gpp"[..],
            b"cgi-3gpp",
            b"utran-sai-3gpp",
            b"nrcgi",
            b"i-wlan-node-id",
            b"ci-3gpp2",
            b"dsl-location",
            b"local-time-zone",
        ]
        .into_iter()
        .find_map(|name| self.params.value(name))
    }

    /// True if the network and not the phone says so.
    pub fn is_network_provided(&self) -> bool {
        self.params.get(b"network-provided").is_some()
    }
}

/// One P-Visited-Network-ID value (RFC 7315 §4.3): a name of the network, as token or in quotes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct VisitedNetwork<'a> {
    /// The name without quotes.
    pub name: &'a [u8],
    /// Parameters.
    pub params: Params<'a>,
}

impl<'a> Element<'a> for VisitedNetwork<'a> {
    fn read(element: &'a [u8]) -> Option<Self> {
        Word::read(element).map(|Word { text, params }| Self { name: text, params })
    }
}

/// P-Early-Media (RFC 5009 §8): what may be heard before the answer.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct EarlyMedia {
    /// The sender understands the header.
    pub supported: bool,
    /// Media may go from who receives the header: `sendrecv`, `recvonly`.
    pub towards_sender: bool,
    /// Media may go to who receives the header: `sendrecv`, `sendonly`.
    pub from_sender: bool,
    /// A direction is given at all; without one, nothing changes.
    pub directed: bool,
    /// A gate on the way is closed.
    pub gated: bool,
}

impl EarlyMedia {
    /// Reads a comma list; words that it does not know are skipped.
    pub fn parse(value: &[u8]) -> Self {
        let mut read = Self::default();
        for part in value.split(|&octet| octet == b',') {
            let part = trim(part);
            let is = |name: &[u8]| part.eq_ignore_ascii_case(name);
            let (to, from) =
                (is(b"sendrecv") || is(b"recvonly"), is(b"sendrecv") || is(b"sendonly"));
            read.towards_sender |= to;
            read.from_sender |= from;
            read.directed |= to || from || is(b"inactive");
            read.supported |= is(b"supported");
            read.gated |= is(b"gated");
        }
        read
    }
}

/// Privacy (RFC 3323 §4.2): what its sender does not want to be shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct Privacy {
    bits: u8,
}

/// The words of RFC 3323, RFC 3325 and RFC 7044, each with its bit.
const WISHES: [(&[u8], Privacy); 7] = [
    (b"header", Privacy::HEADER),
    (b"session", Privacy::SESSION),
    (b"user", Privacy::USER),
    (b"none", Privacy::NONE),
    (b"critical", Privacy::CRITICAL),
    (b"id", Privacy::ID),
    (b"history", Privacy::HISTORY),
];

impl Privacy {
    /// Headers that tell who or where.
    pub const HEADER: Self = Self { bits: 1 };
    /// Addresses in the session description.
    pub const SESSION: Self = Self { bits: 2 };
    /// What user agents add about their user.
    pub const USER: Self = Self { bits: 4 };
    /// Nothing is to be hidden, whatever the network would do.
    pub const NONE: Self = Self { bits: 8 };
    /// Better fail than deliver without it.
    pub const CRITICAL: Self = Self { bits: 16 };
    /// The asserted identity.
    pub const ID: Self = Self { bits: 32 };
    /// History-Info.
    pub const HISTORY: Self = Self { bits: 64 };
    /// A word that is not in the list.
    pub const OTHER: Self = Self { bits: 128 };

    /// Reads `id;critical`; commas are taken for semicolons.
    pub fn parse(value: &[u8]) -> Self {
        let mut read = Self::default();
        for part in value.split(|octet| matches!(octet, b';' | b',')) {
            let part = word(part).0;
            if !part.is_empty() {
                let known = WISHES.iter().find(|(name, _)| name.eq_ignore_ascii_case(part));
                read.bits |= known.map_or(Self::OTHER, |(_, wish)| *wish).bits;
            }
        }
        read
    }

    /// True if every wish of `other` is one of these.
    pub const fn contains(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }

    /// True if there is no wish.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// True if who calls is not to be shown.
    pub const fn hides_identity(self) -> bool {
        self.bits & (Self::ID.bits | Self::USER.bits | Self::HEADER.bits) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::element::List;
    use super::*;

    #[test]
    fn a_charging_vector_has_an_identity() {
        let read = ChargingVector::parse(
            b"icid-value=\"AyretyU0dm+6O2IrT5tAFrbHLso=0\" ; icid-generated-at=192.0.2.8;orig-ioi=home1.example",
        )
        .unwrap();
        assert_eq!(read.icid(), b"AyretyU0dm+6O2IrT5tAFrbHLso=0");
        assert_eq!(
            (read.generated_at(), read.operators()),
            (Some(&b"192.0.2.8"[..]), (Some(&b"home1.example"[..]), None))
        );
        assert_eq!(ChargingVector::parse(b"orig-ioi=x"), None);
    }

    #[test]
    fn an_access_network_may_say_where_the_user_is() {
        let value =
            b"3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=234151D0FCE11, IEEE-802.11;network-provided";
        let all: Vec<_> = List::<AccessNetwork<'_>>::new(value).collect();
        assert_eq!(
            (all[0].kind, all[0].location()),
            (&b"3GPP-E-UTRAN-FDD"[..], Some(&b"234151D0FCE11"[..]))
        );
        assert!(all[1].is_network_provided() && all[1].location().is_none());
        let visited: Vec<_> =
            List::<VisitedNetwork<'_>>::new(b"other.example, \"Visited, 1\"").collect();
        assert_eq!((visited[0].name, visited[1].name), (&b"other.example"[..], &b"Visited, 1"[..]));
    }

    #[test]
    fn early_media_has_a_direction() {
        let read = EarlyMedia::parse(b"Supported, sendonly, gated");
        assert!(read.supported && read.gated && read.from_sender && !read.towards_sender);
        assert!(EarlyMedia::parse(b"inactive").directed && !EarlyMedia::parse(b"x").directed);
    }

    #[test]
    fn privacy_is_a_set_of_wishes() {
        let read = Privacy::parse(b"id; critical;new-one");
        assert!(
            read.contains(Privacy::ID) && read.contains(Privacy::CRITICAL) && read.hides_identity()
        );
        assert!(read.contains(Privacy::OTHER) && !read.contains(Privacy::NONE));
        assert!(Privacy::parse(b" ; ").is_empty() && !Privacy::parse(b"none").hides_identity());
    }
}
