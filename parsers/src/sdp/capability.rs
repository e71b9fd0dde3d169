//! Capability negotiation (RFC 5939): what else could be agreed on than what the media lines say, and
//! what an answer chose of it. A secure profile that is only a capability is no offer of security by
//! itself; whether a pair was chosen says `a=acfg`.

use super::{Media, Session, attributes};
use crate::cursor::{is_lws, narrow, split_once, trim, word};

/// Capabilities and configurations that are read, of each kind in one section.
pub const MAX_CAPABILITIES: usize = 64;

/// `a=acap`: one attribute with the number that configurations name it by.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AttributeCapability<'a> {
    /// 1 to 2^31 - 1.
    pub number: u32,
    /// The attribute's name, as written.
    pub name: &'a [u8],
    /// What follows its colon, perhaps a key: see [`super::Crypto::parse`]; empty for a mere name.
    pub value: crate::secret::Secret<'a>,
}

/// One transport protocol of `a=tcap`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TransportCapability<'a> {
    /// The number that configurations name it by.
    pub number: u32,
    /// `RTP/SAVP`, `UDP/TLS/RTP/SAVPF` and so on, as written.
    pub protocol: &'a [u8],
}

/// `a=pcfg` (potential, in offers) and `a=acfg` (actual, in answers).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Configuration<'a> {
    /// The number of the configuration; the lowest is preferred.
    pub number: u32,
    /// `a=1,2 t=3` and extensions, as written.
    pub lists: &'a [u8],
}

impl<'a> AttributeCapability<'a> {
    /// Reads what follows `acap:`; `None` without number and name.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (number, attribute) = word(value);
        let (name, value) = split_once(attribute, b':');
        let value = crate::secret::Secret::new(trim(value.unwrap_or_default()));
        let (number, name) = (handle(number)?, trim(name));
        (!name.is_empty()).then_some(Self { number, name, value })
    }
}

impl<'a> Configuration<'a> {
    /// Reads what follows `pcfg:` or `acfg:`; `None` without a number.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (number, lists) = word(value);
        Some(Self { number: handle(number)?, lists })
    }

    /// The transport protocols, by the numbers of their capabilities, in order of preference.
    pub fn transports(&self) -> impl Iterator<Item = u32> + use<'a> {
        let list = self.list(b"t").unwrap_or_default();
        list.split(|&octet| octet == b'|').filter_map(handle)
    }

    /// The numbers of the attribute capabilities that this configuration may bring, optional ones and
    /// those of alternatives too, each as often as it is named.
    pub fn attributes(&self) -> impl Iterator<Item = u32> + use<'a> {
        let list = self.list(b"a").unwrap_or_default();
        let numbers = list.split(|octet| matches!(octet, b',' | b'|' | b'[' | b']' | b':'));
        numbers.filter_map(handle).take(MAX_CAPABILITIES)
    }

    /// True if the attributes of the media line or the session are to be deleted before those of the
    /// configuration are added: `a=-m`, `a=-s`, `a=-ms`.
    pub fn deletes(&self) -> bool {
        self.list(b"a").is_some_and(|list| list.starts_with(b"-"))
    }

    /// The value of `a=`, `t=` or an extension.
    pub fn list(&self, name: &[u8]) -> Option<&'a [u8]> {
        let words = self.lists.split(|&octet| is_lws(octet));
        words
            .map(|word| split_once(word, b'='))
            .find_map(|(other, value)| other.eq_ignore_ascii_case(name).then_some(value).flatten())
    }
}

/// `att-cap-num`, `trpr-cap-num`, `config-number`: 1 to 2^31 - 1.
fn handle(text: &[u8]) -> Option<u32> {
    narrow(text).filter(|number| (1..=0x7fff_ffff).contains(number))
}

/// The transports of one section: `1 RTP/SAVP RTP/SAVPF` numbers them from its first number on.
fn transports(section: &[u8]) -> impl Iterator<Item = TransportCapability<'_>> {
    attributes(section, b"tcap").flat_map(|value| {
        let (first, protocols) = word(value);
        let first = handle(first);
        let words = protocols.split(|&octet| is_lws(octet)).filter(|word| !word.is_empty());
        (0_u32..).zip(words).take(MAX_CAPABILITIES).filter_map(move |(place, protocol)| {
            Some(TransportCapability { number: first?.checked_add(place)?, protocol })
        })
    })
}

impl<'a> Media<'a> {
    /// Attribute capabilities, those of the session after its own.
    pub fn attribute_capabilities(
        &self,
    ) -> impl Iterator<Item = AttributeCapability<'a>> + use<'a> {
        let both = attributes(self.section, b"acap").chain(attributes(self.head, b"acap"));
        both.take(MAX_CAPABILITIES).filter_map(AttributeCapability::parse)
    }

    /// Transport capabilities, those of the session after its own.
    pub fn transport_capabilities(
        &self,
    ) -> impl Iterator<Item = TransportCapability<'a>> + use<'a> {
        transports(self.section).chain(transports(self.head)).take(MAX_CAPABILITIES)
    }

    /// What an offer could also be.
    pub fn potential(&self) -> impl Iterator<Item = Configuration<'a>> + use<'a> {
        let values = attributes(self.section, b"pcfg").take(MAX_CAPABILITIES);
        values.filter_map(Configuration::parse)
    }

    /// What an answer chose, if it chose anything but the media line itself.
    pub fn actual(&self) -> Option<Configuration<'a>> {
        attributes(self.section, b"acfg").find_map(Configuration::parse)
    }

    /// The protocols of a configuration, as its capabilities name them.
    pub fn protocols_of(
        &self,
        configuration: Configuration<'a>,
    ) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let media = *self;
        configuration.transports().filter_map(move |number| {
            let mut all = media.transport_capabilities();
            all.find(|capability| capability.number == number).map(|capability| capability.protocol)
        })
    }
}

impl<'a> Session<'a> {
    /// Option tags that the writer understands, `a=csup`, and demands, `a=creq`.
    pub fn capability_options(&self, demanded: bool) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let name: &[u8] = if demanded { b"creq" } else { b"csup" };
        let lists = attributes(self.head, name).take(MAX_CAPABILITIES);
        lists.flat_map(|list| list.split(|&octet| octet == b',').map(trim))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Crypto, parse};

    const OFFER: &[u8] = b"v=0\r\na=csup:cap-v0, med-v0\r\na=acap:9 setup:actpass\r\na=tcap:4 UDP/TLS/RTP/SAVP\r\n\
        m=audio 53456 RTP/AVP 0 18\r\na=tcap:1 RTP/SAVPF  RTP/SAVP\r\n\
        a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\na=acap:2 rtcp-mux\r\na=acap:x y\r\n\
        a=pcfg:1 t=2 a=1,[2]\r\na=pcfg:5 t=1|4 a=-m:1|9\r\na=pcfg:0 t=1\r\n";

    #[test]
    fn a_secure_profile_can_be_a_capability_only() {
        let session = parse(OFFER);
        let media = session.media().next().unwrap();
        assert!(!media.is_secure_profile());
        let all: Vec<_> = media.potential().collect();
        assert_eq!((all.len(), all[0].number, all[1].number), (2, 1, 5));
        assert_eq!(media.protocols_of(all[0]).collect::<Vec<_>>(), [&b"RTP/SAVP"[..]]);
        let protocols: Vec<_> = media.protocols_of(all[1]).collect();
        assert_eq!(protocols, [&b"RTP/SAVPF"[..], b"UDP/TLS/RTP/SAVP"]);
        assert_eq!(all[0].attributes().collect::<Vec<_>>(), [1, 2]);
        assert!(all[1].deletes() && !all[0].deletes());
        assert_eq!(all[1].attributes().collect::<Vec<_>>(), [1, 9]);
        assert_eq!(
            session.capability_options(false).collect::<Vec<_>>(),
            [&b"cap-v0"[..], b"med-v0"]
        );
    }

    #[test]
    fn attributes_of_capabilities_are_read_like_others_and_not_shown() {
        let media = parse(OFFER).media().next().unwrap();
        let all: Vec<_> = media.attribute_capabilities().collect();
        assert_eq!(
            (all.len(), all[0].name, all[1].name, all[2].number),
            (3, &b"crypto"[..], &b"rtcp-mux"[..], 9)
        );
        assert_eq!(Crypto::parse(all[0].value.expose()).unwrap().tag, Some(1));
        assert!(!format!("{all:?}").contains("AAAA"));
    }

    #[test]
    fn an_answer_names_what_it_chose() {
        let answer = b"m=audio 54568 RTP/SAVP 0\r\na=acfg:1 t=2 a=1\r\n";
        let media = parse(answer).media().next().unwrap();
        let actual = media.actual().unwrap();
        assert_eq!((actual.number, actual.transports().next()), (1, Some(2)));
        assert_eq!(parse(OFFER).media().next().unwrap().actual(), None);
    }
}
