//! Accessors of a message for headers of extensions: each reads the header it names when asked, and
//! nothing before. Lists go over all header lines of the name.

use super::date::Date;
use super::dialog_ref::DialogRef;
use super::element::{Element, List, Word};
use super::multipart::Leaves;
use super::private::{ChargingVector, EarlyMedia, Privacy};
use super::reason::{Reason, Warning};
use super::retarget::{Diversion, HistoryEntry};
use super::scalar::{self, RAck, RetryAfter, SessionExpires};
use super::security::Mechanism;
use super::session_id::SessionId;
use super::{HeaderName, Message, NameAddr};
use crate::cursor::trim;

impl<'a> Message<'a> {
    /// The elements of all headers of this name, in order; those that cannot be read are skipped.
    pub fn elements<T: Element<'a> + 'a>(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = T> + use<'a, T> {
        self.headers_named(name).flat_map(List::new)
    }

    /// The words of all headers of this name: Allow, Supported, Require, Accept and so on.
    pub fn words(&self, name: HeaderName) -> impl Iterator<Item = Word<'a>> + use<'a> {
        self.elements(name)
    }

    /// True if a word of the headers of this name is `word`, in any case of letters.
    pub fn lists(&self, name: HeaderName, word: &[u8]) -> bool {
        self.words(name).any(|other| other.text.eq_ignore_ascii_case(word))
    }

    /// Security-Client, -Server or -Verify (RFC 3329).
    pub fn mechanisms(&self, name: HeaderName) -> impl Iterator<Item = Mechanism<'a>> + use<'a> {
        self.elements(name)
    }

    /// Why (RFC 3326).
    pub fn reasons(&self) -> impl Iterator<Item = Reason<'a>> + use<'a> {
        self.elements(HeaderName::Reason)
    }

    /// Warnings (RFC 3261 §20.43).
    pub fn warnings(&self) -> impl Iterator<Item = Warning<'a>> + use<'a> {
        self.elements(HeaderName::Warning)
    }

    /// Whom the request was for before (RFC 7044).
    pub fn history(&self) -> impl Iterator<Item = HistoryEntry<'a>> + use<'a> {
        self.elements(HeaderName::HistoryInfo)
    }

    /// Who diverted the call, the last one first (RFC 5806).
    pub fn diversions(&self) -> impl Iterator<Item = Diversion<'a>> + use<'a> {
        self.elements(HeaderName::Diversion)
    }

    /// Session-ID (RFC 7989).
    pub fn session_id(&self) -> Option<SessionId<'a>> {
        SessionId::parse(self.header(HeaderName::SessionId)?)
    }

    /// Expires, seconds (RFC 3261 §20.19).
    pub fn expires(&self) -> Option<u32> {
        scalar::seconds(self.header(HeaderName::Expires)?)
    }

    /// Session-Expires (RFC 4028 §4).
    pub fn session_expires(&self) -> Option<SessionExpires<'a>> {
        SessionExpires::parse(self.header(HeaderName::SessionExpires)?)
    }

    /// Min-SE, seconds (RFC 4028 §5).
    pub fn min_se(&self) -> Option<u32> {
        scalar::seconds(self.header(HeaderName::MinSe)?)
    }

    /// Retry-After (RFC 3261 §20.33).
    pub fn retry_after(&self) -> Option<RetryAfter<'a>> {
        RetryAfter::parse(self.header(HeaderName::RetryAfter)?)
    }

    /// `RSeq` of a reliable provisional response (RFC 3262 §7.1).
    pub fn rseq(&self) -> Option<u32> {
        scalar::rseq(self.header(HeaderName::RSeq)?)
    }

    /// `RAck` of a PRACK (RFC 3262 §7.2).
    pub fn rack(&self) -> Option<RAck<'a>> {
        RAck::parse(self.header(HeaderName::RAck)?)
    }

    /// Replaces, Join or Target-Dialog.
    pub fn dialog_ref(&self, name: HeaderName) -> Option<DialogRef<'a>> {
        DialogRef::parse(self.header(name)?)
    }

    /// Who referred (RFC 3892 §3); `cid` among its parameters names the body part that proves it.
    pub fn referred_by(&self) -> Option<NameAddr<'a>> {
        NameAddr::parse(self.header(HeaderName::ReferredBy)?)
    }

    /// Date (RFC 3261 §20.17); `None` too if it is no date.
    pub fn date(&self) -> Option<Date> {
        Date::parse(self.header(HeaderName::Date)?)
    }

    /// What is not to be shown, over all Privacy headers; no wishes without one.
    pub fn privacy(&self) -> Option<Privacy> {
        self.header(HeaderName::Privacy).map(Privacy::parse)
    }

    /// P-Charging-Vector (RFC 7315 §4.6).
    pub fn charging_vector(&self) -> Option<ChargingVector<'a>> {
        ChargingVector::parse(self.header(HeaderName::PChargingVector)?)
    }

    /// P-Early-Media (RFC 5009).
    pub fn early_media(&self) -> Option<EarlyMedia> {
        self.header(HeaderName::PEarlyMedia).map(EarlyMedia::parse)
    }

    /// Where the location is, and who put it there (`inserted-by`): `cid:` in the body, or a reference
    /// (RFC 6442 §4.1).
    pub fn geolocations(&self) -> impl Iterator<Item = NameAddr<'a>> + use<'a> {
        self.addresses(HeaderName::Geolocation)
    }

    /// The parts of the body that are no multiparts, each with its type: the body itself, if it is
    /// none.
    pub fn leaves(&self) -> Leaves<'a> {
        Leaves::new(self.header(HeaderName::ContentType).unwrap_or_default(), self.body())
    }

    /// Whether the location may be used for routing (RFC 6442 §4.2); `None` without such a header.
    pub fn geolocation_routing(&self) -> Option<bool> {
        let value = self.header(HeaderName::GeolocationRouting)?;
        Some(trim(value).eq_ignore_ascii_case(b"yes"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Method, parse_datagram};
    use super::*;

    const TEXT: &[u8] = b"PRACK sip:b@b.example SIP/2.0\r\nAllow: INVITE, ACK\r\nAllow: BYE\r\n\
        k: 100rel, Timer\r\nRequire: sec-agree\r\nSecurity-Verify: tls;q=0.1\r\nx: 1800;refresher=uac\r\n\
        Min-SE: 90\r\nRSeq: 5\r\nRAck: 5 1 INVITE\r\nExpires: 60\r\nRetry-After: 5 (x)\r\n\
        Session-ID: 0123456789abcdef0123456789abcdef\r\nReplaces: c;to-tag=1;from-tag=2\r\n\
        Referred-By: <sip:r@r.example>;cid=\"2@r\"\r\nReason: Q.850;cause=16\r\nPrivacy: id\r\n\
        Warning: 399 a \"b\"\r\nHistory-Info: <sip:a@b>;index=1\r\nDiversion: <sip:a@b>;reason=unknown\r\n\
        P-Charging-Vector: icid-value=1\r\nP-Early-Media: gated\r\nDate: Thu, 01 Jan 1970 00:00:01 GMT\r\n\
        Geolocation: <cid:l@a.example>;inserted-by=\"a\"\r\nGeolocation-Routing: Yes\r\n\
        P-Asserted-Identity: <sip:a@a.example>, <tel:+1555>\r\n\r\n";

    #[test]
    fn each_header_is_read_when_asked_for() {
        let mut spans = Vec::new();
        let layout = parse_datagram(TEXT, &mut spans).unwrap();
        let message = Message::new(TEXT, layout, &spans);
        assert_eq!(message.words(HeaderName::Allow).count(), 3);
        assert!(message.lists(HeaderName::Supported, b"timer"));
        assert!(!message.lists(HeaderName::Require, b"timer"));
        assert_eq!(message.mechanisms(HeaderName::SecurityVerify).count(), 1);
        assert_eq!(message.session_expires().map(|read| read.seconds), Some(1800));
        assert_eq!(
            (message.min_se(), message.rseq(), message.expires()),
            (Some(90), Some(5), Some(60))
        );
        assert_eq!(message.rack().map(|read| read.method), Some(Method::Invite));
        assert_eq!(message.retry_after().map(|read| read.comment), Some(&b"x"[..]));
        assert!(message.session_id().is_some_and(|read| read.is_well_formed()));
        assert!(message.dialog_ref(HeaderName::Replaces).is_some_and(|read| read.is_whole()));
        assert!(message.dialog_ref(HeaderName::Join).is_none());
        assert_eq!(message.referred_by().and_then(|by| by.params.value(b"cid")), Some(&b"2@r"[..]));
        assert_eq!(message.reasons().next().and_then(|reason| reason.cause()), Some(16));
        assert_eq!((message.warnings().count(), message.history().count()), (1, 1));
        assert_eq!(message.diversions().count(), 1);
        assert!(message.privacy().is_some_and(Privacy::hides_identity));
        assert_eq!(message.charging_vector().map(|read| read.icid()), Some(&b"1"[..]));
        assert!(message.early_media().is_some_and(|read| read.gated));
        assert_eq!(message.date().map(|date| date.unix_seconds), Some(1));
        assert_eq!(message.geolocations().next().map(|a| a.uri), Some(&b"cid:l@a.example"[..]));
        assert_eq!(message.geolocation_routing(), Some(true));
        assert_eq!(message.addresses(HeaderName::PAssertedIdentity).count(), 2);
    }
}
