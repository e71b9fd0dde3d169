//! Header names: RFC 3261 §20, the extensions of the IANA registry, and the compact forms of
//! RFC 3261 §7.3.3. A name becomes one octet; the text of an unknown one stays in the message.
//! Length and first letter choose the candidates, so nothing is hashed, copied or lower-cased.

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
    #[inline]
    fn from(name: &[u8]) -> Self {
        match name {
            [] => Self::Other,
            [letter] => Self::from_compact(*letter),
            [first, ..] => {
                let equal = |candidate: &&Self| {
                    let text = candidate.as_str().as_bytes();
                    text == name || text.eq_ignore_ascii_case(name)
                };
                candidates(name.len(), *first).iter().find(equal).copied().unwrap_or(Self::Other)
            }
        }
    }
}

/// The names of this length that start with this letter; a test compares it with the list.
#[rustfmt::skip]
const fn candidates(length: usize, first: u8) -> &'static [HeaderName] {
    use HeaderName as N;
    match (length, first.to_ascii_lowercase()) {
        (2, b't') => &[N::To],
        (3, b'v') => &[N::Via],
        (4, b'c') => &[N::CSeq],
        (4, b'd') => &[N::Date],
        (4, b'f') => &[N::From],
        (4, b'h') => &[N::Hide],
        (4, b'j') => &[N::Join],
        (4, b'p') => &[N::Path],
        (4, b'r') => &[N::RAck, N::RSeq],
        (5, b'a') => &[N::Allow],
        (5, b'e') => &[N::Event],
        (5, b'r') => &[N::Route],
        (6, b'a') => &[N::Accept],
        (6, b'm') => &[N::MinSe],
        (6, b'r') => &[N::Reason],
        (6, b's') => &[N::Server],
        (7, b'c') => &[N::CallId, N::Contact],
        (7, b'e') => &[N::Expires],
        (7, b'p') => &[N::Privacy],
        (7, b'r') => &[N::Require],
        (7, b's') => &[N::Subject],
        (7, b'w') => &[N::Warning],
        (8, b'i') => &[N::Identity],
        (8, b'p') => &[N::Priority],
        (8, b'r') => &[N::ReferTo, N::Replaces, N::ReplyTo],
        (8, b's') => &[N::SipETag],
        (9, b'c') => &[N::CallInfo],
        (9, b'd') => &[N::Diversion],
        (9, b'p') => &[N::PolicyId],
        (9, b'r') => &[N::RecvInfo, N::ReferSub],
        (9, b's') => &[N::Supported],
        (9, b't') => &[N::Timestamp],
        (10, b'a') => &[N::AlertInfo],
        (10, b'c') => &[N::ContentId],
        (10, b'e') => &[N::Encryption, N::ErrorInfo],
        (10, b'f') => &[N::FlowTimer],
        (10, b's') => &[N::SessionId],
        (10, b'u') => &[N::UserAgent],
        (11, b'a') => &[N::AnswerMode],
        (11, b'g') => &[N::Geolocation],
        (11, b'i') => &[N::InReplyTo],
        (11, b'm') => &[N::MaxBreadth, N::MinExpires],
        (11, b'r') => &[N::ReferredBy, N::RetryAfter],
        (11, b'u') => &[N::Unsupported],
        (12, b'a') => &[N::AllowEvents],
        (12, b'c') => &[N::ContentType],
        (12, b'f') => &[N::FeatureCaps],
        (12, b'h') => &[N::HistoryInfo],
        (12, b'i') => &[N::InfoPackage],
        (12, b'm') => &[N::MaxForwards, N::MimeVersion],
        (12, b'o') => &[N::Organization],
        (12, b'r') => &[N::RecordRoute, N::ResponseKey],
        (12, b's') => &[N::SipIfMatch],
        (12, b'u') => &[N::UserToUser],
        (13, b'a') => &[N::Authorization],
        (13, b'i') => &[N::IdentityInfo],
        (13, b'p') => &[N::PEarlyMedia, N::PProfileKey, N::PServedUser, N::ProxyRequire],
        (13, b's') => &[N::ServiceRoute],
        (13, b't') => &[N::TargetDialog],
        (14, b'a') => &[N::AcceptContact],
        (14, b'c') => &[N::ContentLength],
        (14, b'p') => &[N::PAnswerState, N::PolicyContact],
        (14, b'r') => &[N::RejectContact],
        (15, b'a') => &[N::AcceptEncoding, N::AcceptLanguage],
        (15, b'p') => &[N::PUserDatabase],
        (15, b'r') => &[N::RemotePartyId],
        (15, b's') => &[N::SecurityClient, N::SecurityServer, N::SecurityVerify, N::SessionExpires],
        (15, b't') => &[N::TriggerConsent],
        (16, b'c') => &[N::ContentEncoding, N::ContentLanguage],
        (16, b'p') => &[N::PAssociatedUri, N::PrivAnswerMode],
        (16, b'w') => &[N::WwwAuthenticate],
        (17, b'g') => &[N::GeolocationError],
        (17, b'p') => &[N::PCalledPartyId, N::PChargingVector],
        (17, b'r') => &[N::ResourcePriority],
        (17, b's') => &[N::SuppressIfMatch],
        (18, b'p') => &[N::PAssertedService, N::PermissionMissing, N::ProxyAuthenticate],
        (18, b's') => &[N::SubscriptionState],
        (19, b'a') => &[N::AuthenticationInfo],
        (19, b'c') => &[N::ContentDisposition],
        (19, b'g') => &[N::GeolocationRouting],
        (19, b'p') => &[N::PAssertedIdentity, N::PPreferredService, N::ProxyAuthorization],
        (19, b'r') => &[N::RequestDisposition],
        (20, b'p') => &[N::PPreferredIdentity, N::PVisitedNetworkId],
        (21, b'c') => &[N::CellularNetworkInfo],
        (21, b'p') => &[N::PAccessNetworkInfo, N::PMediaAuthorization],
        (24, b'a') => &[N::AcceptResourcePriority],
        (25, b'p') => &[N::ProxyAuthenticationInfo],
        (29, b'p') => &[N::PChargingFunctionAddresses],
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
