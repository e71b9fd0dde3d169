//! Request methods of RFC 3261 §7.1 and of the extensions in the IANA registry that a tap meets.

/// A request method. The text of an unknown one stays in the message.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Method {
    /// RFC 3261 §13.
    Invite,
    /// RFC 3261 §17.1.1.3.
    Ack,
    /// RFC 3261 §15.
    Bye,
    /// RFC 3261 §9.
    Cancel,
    /// RFC 3261 §10.
    Register,
    /// RFC 3261 §11.
    Options,
    /// RFC 6665.
    Subscribe,
    /// RFC 6665.
    Notify,
    /// RFC 3903.
    Publish,
    /// RFC 6086.
    Info,
    /// RFC 3515.
    Refer,
    /// RFC 3428.
    Message,
    /// RFC 3311.
    Update,
    /// RFC 3262.
    Prack,
    /// Any other token.
    Other,
}

impl Method {
    /// Every method that has a name here.
    pub const KNOWN: &'static [Self] = &[
        Self::Invite,
        Self::Ack,
        Self::Bye,
        Self::Cancel,
        Self::Register,
        Self::Options,
        Self::Subscribe,
        Self::Notify,
        Self::Publish,
        Self::Info,
        Self::Refer,
        Self::Message,
        Self::Update,
        Self::Prack,
    ];

    /// The name as the RFCs write it; empty for [`Method::Other`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Register => "REGISTER",
            Self::Options => "OPTIONS",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Publish => "PUBLISH",
            Self::Info => "INFO",
            Self::Refer => "REFER",
            Self::Message => "MESSAGE",
            Self::Update => "UPDATE",
            Self::Prack => "PRACK",
            Self::Other => "",
        }
    }

    /// The methods that nearly every message has, as the RFC writes them.
    #[inline]
    pub(super) fn as_usual(text: &[u8]) -> Option<Self> {
        match text.len() {
            3 if text == b"ACK" => Some(Self::Ack),
            3 if text == b"BYE" => Some(Self::Bye),
            6 if text == b"INVITE" => Some(Self::Invite),
            6 if text == b"NOTIFY" => Some(Self::Notify),
            7 if text == b"OPTIONS" => Some(Self::Options),
            8 if text == b"REGISTER" => Some(Self::Register),
            9 if text == b"SUBSCRIBE" => Some(Self::Subscribe),
            _ => None,
        }
    }

    /// The method whose name is exactly `text`; `None` for an unknown one.
    #[inline]
    pub(super) fn spelled(text: &[u8]) -> Option<Self> {
        Self::as_usual(text).or_else(|| {
            let method = Self::from(text);
            (method != Self::Other && method.is_spelled(text)).then_some(method)
        })
    }

    /// True when `text` is exactly this method's name.
    pub fn is_spelled(self, text: &[u8]) -> bool {
        self == Self::Other || self.as_str().as_bytes() == text
    }
}

impl From<&[u8]> for Method {
    /// Any case of letters: RFC 3261 §7.1 makes methods case-sensitive, but servers that fold
    /// them exist, so `invite` is read as INVITE and the message notes it.
    fn from(text: &[u8]) -> Self {
        if let Some(usual) = Self::as_usual(text) {
            return usual;
        }
        let first = text.first().map_or(0, u8::to_ascii_uppercase);
        let candidates: &[Self] = match (text.len(), first) {
            (3, b'A') => &[Self::Ack],
            (3, b'B') => &[Self::Bye],
            (4, b'I') => &[Self::Info],
            (5, b'P') => &[Self::Prack],
            (5, b'R') => &[Self::Refer],
            (6, b'C') => &[Self::Cancel],
            (6, b'I') => &[Self::Invite],
            (6, b'N') => &[Self::Notify],
            (6, b'U') => &[Self::Update],
            (7, b'M') => &[Self::Message],
            (7, b'O') => &[Self::Options],
            (7, b'P') => &[Self::Publish],
            (8, b'R') => &[Self::Register],
            (9, b'S') => &[Self::Subscribe],
            _ => &[],
        };
        let equal = |method: &&Self| method.as_str().as_bytes().eq_ignore_ascii_case(text);
        candidates.iter().find(equal).copied().unwrap_or(Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_method_is_found_by_its_name_in_any_case() {
        for &method in Method::KNOWN {
            let text = method.as_str().as_bytes();
            assert_eq!(Method::from(text), method);
            assert_eq!(Method::from(&text.to_ascii_lowercase()[..]), method);
            assert!(method.is_spelled(text) && !method.is_spelled(b"x"));
        }
    }

    #[test]
    fn an_escaped_or_unknown_method_is_other() {
        for text in [&b"RE%47IST%45R"[..], b"", b"INVITEX", b"BENOTIFY"] {
            assert_eq!(Method::from(text), Method::Other);
        }
    }
}
