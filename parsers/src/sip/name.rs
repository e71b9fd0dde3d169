//! Header names: RFC 3261 §20, the extensions of the IANA registry, and the compact forms of
//! RFC 3261 §7.3.3. A name becomes one octet; the text of an unknown one stays in the message.
//! A short name in its usual spelling is found by a perfect hash of its octets in two words; for all
//! others length and first letter choose the candidates. Nothing is copied or lower-cased.

use crate::cursor::{halves, through};

macro_rules! header_names {
    ($($name:ident $text:literal,)+) => {
        /// A header field name.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum HeaderName {
            $(#[doc = concat!("`", $text, "`")] $name,)+
            /// A name that is not in the list above, or a line without one.
            Other,
        }

        impl HeaderName {
            /// Every name but [`HeaderName::Other`].
            pub const KNOWN: &'static [Self] = &[$(Self::$name),+];

            /// The name as its RFC writes it; empty for [`HeaderName::Other`].
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                    Self::Other => "",
                }
            }
        }
    };
}

header_names! {
    Accept "Accept",
    AcceptContact "Accept-Contact",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    AcceptResourcePriority "Accept-Resource-Priority",
    AlertInfo "Alert-Info",
    Allow "Allow",
    AllowEvents "Allow-Events",
    AnswerMode "Answer-Mode",
    AuthenticationInfo "Authentication-Info",
    Authorization "Authorization",
    CallId "Call-ID",
    CallInfo "Call-Info",
    CellularNetworkInfo "Cellular-Network-Info",
    Contact "Contact",
    ContentDisposition "Content-Disposition",
    ContentEncoding "Content-Encoding",
    ContentId "Content-ID",
    ContentLanguage "Content-Language",
    ContentLength "Content-Length",
    ContentType "Content-Type",
    CSeq "CSeq",
    Date "Date",
    Diversion "Diversion",
    Encryption "Encryption",
    ErrorInfo "Error-Info",
    Event "Event",
    Expires "Expires",
    FeatureCaps "Feature-Caps",
    FlowTimer "Flow-Timer",
    From "From",
    Geolocation "Geolocation",
    GeolocationError "Geolocation-Error",
    GeolocationRouting "Geolocation-Routing",
    Hide "Hide",
    HistoryInfo "History-Info",
    Identity "Identity",
    IdentityInfo "Identity-Info",
    InfoPackage "Info-Package",
    InReplyTo "In-Reply-To",
    Join "Join",
    MaxBreadth "Max-Breadth",
    MaxForwards "Max-Forwards",
    MimeVersion "MIME-Version",
    MinExpires "Min-Expires",
    MinSe "Min-SE",
    Organization "Organization",
    PAccessNetworkInfo "P-Access-Network-Info",
    PAnswerState "P-Answer-State",
    PAssertedIdentity "P-Asserted-Identity",
    PAssertedService "P-Asserted-Service",
    PAssociatedUri "P-Associated-URI",
    PCalledPartyId "P-Called-Party-ID",
    PChargingFunctionAddresses "P-Charging-Function-Addresses",
    PChargingVector "P-Charging-Vector",
    PEarlyMedia "P-Early-Media",
    PMediaAuthorization "P-Media-Authorization",
    PPreferredIdentity "P-Preferred-Identity",
    PPreferredService "P-Preferred-Service",
    PProfileKey "P-Profile-Key",
    PServedUser "P-Served-User",
    PUserDatabase "P-User-Database",
    PVisitedNetworkId "P-Visited-Network-ID",
    Path "Path",
    PermissionMissing "Permission-Missing",
    PolicyContact "Policy-Contact",
    PolicyId "Policy-ID",
    Priority "Priority",
    PrivAnswerMode "Priv-Answer-Mode",
    Privacy "Privacy",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthenticationInfo "Proxy-Authentication-Info",
    ProxyAuthorization "Proxy-Authorization",
    ProxyRequire "Proxy-Require",
    RAck "RAck",
    Reason "Reason",
    RecordRoute "Record-Route",
    RecvInfo "Recv-Info",
    ReferSub "Refer-Sub",
    ReferTo "Refer-To",
    ReferredBy "Referred-By",
    RejectContact "Reject-Contact",
    RemotePartyId "Remote-Party-ID",
    Replaces "Replaces",
    ReplyTo "Reply-To",
    RequestDisposition "Request-Disposition",
    Require "Require",
    ResourcePriority "Resource-Priority",
    ResponseKey "Response-Key",
    RetryAfter "Retry-After",
    Route "Route",
    RSeq "RSeq",
    SecurityClient "Security-Client",
    SecurityServer "Security-Server",
    SecurityVerify "Security-Verify",
    Server "Server",
    ServiceRoute "Service-Route",
    SessionExpires "Session-Expires",
    SessionId "Session-ID",
    SipETag "SIP-ETag",
    SipIfMatch "SIP-If-Match",
    Subject "Subject",
    SubscriptionState "Subscription-State",
    Supported "Supported",
    SuppressIfMatch "Suppress-If-Match",
    TargetDialog "Target-Dialog",
    Timestamp "Timestamp",
    To "To",
    TriggerConsent "Trigger-Consent",
    Unsupported "Unsupported",
    UserAgent "User-Agent",
    UserToUser "User-to-User",
    Via "Via",
    Warning "Warning",
    WwwAuthenticate "WWW-Authenticate",
}

impl HeaderName {
    /// The header that one letter stands for, in any case (RFC 3261 §7.3.3 and IANA registry).
    pub const fn from_compact(letter: u8) -> Self {
        match letter.to_ascii_lowercase() {
            b'a' => Self::AcceptContact,
            b'b' => Self::ReferredBy,
            b'c' => Self::ContentType,
            b'd' => Self::RequestDisposition,
            b'e' => Self::ContentEncoding,
            b'f' => Self::From,
            b'i' => Self::CallId,
            b'j' => Self::RejectContact,
            b'k' => Self::Supported,
            b'l' => Self::ContentLength,
            b'm' => Self::Contact,
            b'n' => Self::IdentityInfo,
            b'o' => Self::Event,
            b'r' => Self::ReferTo,
            b's' => Self::Subject,
            b't' => Self::To,
            b'u' => Self::AllowEvents,
            b'v' => Self::Via,
            b'x' => Self::SessionExpires,
            b'y' => Self::Identity,
            _ => Self::Other,
        }
    }
}

impl From<&[u8]> for HeaderName {
    /// Any case of letters; compact forms included. White space must be gone already.
    fn from(name: &[u8]) -> Self {
        match name {
            [] => Self::Other,
            [letter] => Self::from_compact(*letter),
            [first, ..] => {
                let equal = |(text, _): &&Entry| *text == name || text.eq_ignore_ascii_case(name);
                let found = candidates(name.len(), *first).iter().find(equal);
                found.map_or(Self::Other, |&(_, found)| found)
            }
        }
    }
}

impl HeaderName {
    /// The name that `window` starts with up to a colon, written as its RFC writes it or in a compact
    /// form, and its length in octets; `None` for any other spelling and for longer names.
    #[inline]
    pub(super) fn at_start_of(window: &[u8; 16]) -> Option<(Self, u32)> {
        let (low, high) = halves(u128::from_le_bytes(*window));
        let (text, len) = match through(b':', low) {
            Some((low, len)) => ((low, 0), len),
            None => through(b':', high).map(|(high, len)| ((low, high), len | 8))?,
        };
        let (usual, name) = USUAL.get(place(text))?;
        if *usual == text {
            return Some((*name, len));
        }
        let compact = if len == 1 { Self::from_compact(*window.first()?) } else { Self::Other };
        (compact != Self::Other).then_some((compact, len))
    }
}

/// The names shorter than sixteen octets with their colon, in two words, each at its [`place`]: a test
/// sees to it that no two share one. What stands elsewhere is no text that [`through`] gives.
static USUAL: [((u64, u64), HeaderName); 256] = {
    let mut entries = [((u64::MAX, u64::MAX), HeaderName::Other); 256];
    let mut names = HeaderName::KNOWN;
    while let [name, rest @ ..] = names {
        let text = name.as_str().as_bytes();
        if text.len() < 16
            && let Some((_, [entry, ..])) = entries.split_at_mut_checked(place(words(text)))
        {
            *entry = (words(text), *name);
        }
        names = rest;
    }
    entries
};

/// A text of less than sixteen octets and a colon, the first octet lowest.
const fn words(text: &[u8]) -> (u64, u64) {
    let mut word = u128_of(b':');
    let mut rest = text;
    while let [before @ .., last] = rest {
        word = word << 8 | u128_of(*last);
        rest = before;
    }
    halves(word)
}

const fn u128_of(octet: u8) -> u128 {
    u128::from_le_bytes([octet, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

/// A number below 256 for a name. The factor was found by trying: it gives each name that has fewer
/// than sixteen octets another number.
#[inline]
#[allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "eight bits")]
const fn place((low, high): (u64, u64)) -> usize {
    ((low ^ high << 3).wrapping_mul(0x9ed5_5fbe_8513_b269) >> 56) as usize
}

/// A name beside its text, put together when this is compiled.
type Entry = (&'static [u8], HeaderName);

const fn e(name: HeaderName) -> Entry {
    (name.as_str().as_bytes(), name)
}

/// The names of this length that start with this letter; a test compares it with the list.
#[rustfmt::skip]
#[allow(clippy::too_many_lines, reason = "a table: one line per length and letter")]
const fn candidates(length: usize, first: u8) -> &'static [Entry] {
    use HeaderName as N;
    match (length, first.to_ascii_lowercase()) {
        (2, b't') => const { &[e(N::To)] },
        (3, b'v') => const { &[e(N::Via)] },
        (4, b'c') => const { &[e(N::CSeq)] },
        (4, b'd') => const { &[e(N::Date)] },
        (4, b'f') => const { &[e(N::From)] },
        (4, b'h') => const { &[e(N::Hide)] },
        (4, b'j') => const { &[e(N::Join)] },
        (4, b'p') => const { &[e(N::Path)] },
        (4, b'r') => const { &[e(N::RAck), e(N::RSeq)] },
        (5, b'a') => const { &[e(N::Allow)] },
        (5, b'e') => const { &[e(N::Event)] },
        (5, b'r') => const { &[e(N::Route)] },
        (6, b'a') => const { &[e(N::Accept)] },
        (6, b'm') => const { &[e(N::MinSe)] },
        (6, b'r') => const { &[e(N::Reason)] },
        (6, b's') => const { &[e(N::Server)] },
        (7, b'c') => const { &[e(N::CallId), e(N::Contact)] },
        (7, b'e') => const { &[e(N::Expires)] },
        (7, b'p') => const { &[e(N::Privacy)] },
        (7, b'r') => const { &[e(N::Require)] },
        (7, b's') => const { &[e(N::Subject)] },
        (7, b'w') => const { &[e(N::Warning)] },
        (8, b'i') => const { &[e(N::Identity)] },
        (8, b'p') => const { &[e(N::Priority)] },
        (8, b'r') => const { &[e(N::ReferTo), e(N::Replaces), e(N::ReplyTo)] },
        (8, b's') => const { &[e(N::SipETag)] },
        (9, b'c') => const { &[e(N::CallInfo)] },
        (9, b'd') => const { &[e(N::Diversion)] },
        (9, b'p') => const { &[e(N::PolicyId)] },
        (9, b'r') => const { &[e(N::RecvInfo), e(N::ReferSub)] },
        (9, b's') => const { &[e(N::Supported)] },
        (9, b't') => const { &[e(N::Timestamp)] },
        (10, b'a') => const { &[e(N::AlertInfo)] },
        (10, b'c') => const { &[e(N::ContentId)] },
        (10, b'e') => const { &[e(N::Encryption), e(N::ErrorInfo)] },
        (10, b'f') => const { &[e(N::FlowTimer)] },
        (10, b's') => const { &[e(N::SessionId)] },
        (10, b'u') => const { &[e(N::UserAgent)] },
        (11, b'a') => const { &[e(N::AnswerMode)] },
        (11, b'g') => const { &[e(N::Geolocation)] },
        (11, b'i') => const { &[e(N::InReplyTo)] },
        (11, b'm') => const { &[e(N::MaxBreadth), e(N::MinExpires)] },
        (11, b'r') => const { &[e(N::ReferredBy), e(N::RetryAfter)] },
        (11, b'u') => const { &[e(N::Unsupported)] },
        (12, b'a') => const { &[e(N::AllowEvents)] },
        (12, b'c') => const { &[e(N::ContentType)] },
        (12, b'f') => const { &[e(N::FeatureCaps)] },
        (12, b'h') => const { &[e(N::HistoryInfo)] },
        (12, b'i') => const { &[e(N::InfoPackage)] },
        (12, b'm') => const { &[e(N::MaxForwards), e(N::MimeVersion)] },
        (12, b'o') => const { &[e(N::Organization)] },
        (12, b'r') => const { &[e(N::RecordRoute), e(N::ResponseKey)] },
        (12, b's') => const { &[e(N::SipIfMatch)] },
        (12, b'u') => const { &[e(N::UserToUser)] },
        (13, b'a') => const { &[e(N::Authorization)] },
        (13, b'i') => const { &[e(N::IdentityInfo)] },
        (13, b'p') => const { &[e(N::PEarlyMedia), e(N::PProfileKey), e(N::PServedUser), e(N::ProxyRequire)] },
        (13, b's') => const { &[e(N::ServiceRoute)] },
        (13, b't') => const { &[e(N::TargetDialog)] },
        (14, b'a') => const { &[e(N::AcceptContact)] },
        (14, b'c') => const { &[e(N::ContentLength)] },
        (14, b'p') => const { &[e(N::PAnswerState), e(N::PolicyContact)] },
        (14, b'r') => const { &[e(N::RejectContact)] },
        (15, b'a') => const { &[e(N::AcceptEncoding), e(N::AcceptLanguage)] },
        (15, b'p') => const { &[e(N::PUserDatabase)] },
        (15, b'r') => const { &[e(N::RemotePartyId)] },
        (15, b's') => const { &[e(N::SecurityClient), e(N::SecurityServer), e(N::SecurityVerify), e(N::SessionExpires)] },
        (15, b't') => const { &[e(N::TriggerConsent)] },
        (16, b'c') => const { &[e(N::ContentEncoding), e(N::ContentLanguage)] },
        (16, b'p') => const { &[e(N::PAssociatedUri), e(N::PrivAnswerMode)] },
        (16, b'w') => const { &[e(N::WwwAuthenticate)] },
        (17, b'g') => const { &[e(N::GeolocationError)] },
        (17, b'p') => const { &[e(N::PCalledPartyId), e(N::PChargingVector)] },
        (17, b'r') => const { &[e(N::ResourcePriority)] },
        (17, b's') => const { &[e(N::SuppressIfMatch)] },
        (18, b'p') => const { &[e(N::PAssertedService), e(N::PermissionMissing), e(N::ProxyAuthenticate)] },
        (18, b's') => const { &[e(N::SubscriptionState)] },
        (19, b'a') => const { &[e(N::AuthenticationInfo)] },
        (19, b'c') => const { &[e(N::ContentDisposition)] },
        (19, b'g') => const { &[e(N::GeolocationRouting)] },
        (19, b'p') => const { &[e(N::PAssertedIdentity), e(N::PPreferredService), e(N::ProxyAuthorization)] },
        (19, b'r') => const { &[e(N::RequestDisposition)] },
        (20, b'p') => const { &[e(N::PPreferredIdentity), e(N::PVisitedNetworkId)] },
        (21, b'c') => const { &[e(N::CellularNetworkInfo)] },
        (21, b'p') => const { &[e(N::PAccessNetworkInfo), e(N::PMediaAuthorization)] },
        (24, b'a') => const { &[e(N::AcceptResourcePriority)] },
        (25, b'p') => const { &[e(N::ProxyAuthenticationInfo)] },
        (29, b'p') => const { &[e(N::PChargingFunctionAddresses)] },
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_takes_one_octet() {
        for &name in HeaderName::KNOWN {
            let text = name.as_str().as_bytes();
            assert_eq!(HeaderName::from(text), name);
            assert_eq!(HeaderName::from(&text.to_ascii_uppercase()[..]), name);
        }
        assert_eq!(size_of::<HeaderName>(), 1);
    }

    #[test]
    fn every_short_name_has_its_own_place_among_the_usual_ones() {
        let mut short = 0;
        for &name in HeaderName::KNOWN {
            let text = name.as_str();
            let mut line = format!("{text}: x").into_bytes();
            line.resize(16, b' ');
            let found = HeaderName::at_start_of(line.first_chunk().unwrap());
            let len = u32::try_from(text.len()).unwrap();
            assert_eq!(found, (text.len() < 16).then_some((name, len)), "{text}");
            short += usize::from(found.is_some());
        }
        assert!(short > 80);
        assert_eq!(HeaderName::at_start_of(b"i: abcdefghijklm"), Some((HeaderName::CallId, 1)));
        assert_eq!(HeaderName::at_start_of(b"z: abcdefghijklm"), None);
        assert_eq!(HeaderName::at_start_of(b": Via: abcdefghi"), None);
        assert_eq!(HeaderName::at_start_of(b"via: abcdefghijk"), None);
        assert_eq!(HeaderName::at_start_of(b"\0\0: abcdefghijkl"), None);
        assert_eq!(HeaderName::at_start_of(b"To\0: abcdefghijk"), None);
        assert_eq!(HeaderName::at_start_of(&[0xff; 16]), None);
    }

    #[test]
    fn compact_forms_stand_for_their_headers() {
        assert_eq!(HeaderName::from(&b"v"[..]), HeaderName::Via);
        assert_eq!(HeaderName::from(&b"I"[..]), HeaderName::CallId);
        assert_eq!(HeaderName::from(&b"y"[..]), HeaderName::Identity);
        assert_eq!(HeaderName::from(&b"z"[..]), HeaderName::Other);
    }

    #[test]
    fn an_escaped_name_is_not_the_name() {
        assert_eq!(HeaderName::from(&b"C%6Fntact"[..]), HeaderName::Other);
        assert_eq!(HeaderName::from(&b""[..]), HeaderName::Other);
    }
}
