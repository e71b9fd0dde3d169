//! The messages of a handshake, one after the other (RFC 8446 §4, RFC 5246 §7.4): type, length in
//! three octets, body. Records and fragments have been put together by whoever calls.

use super::reader::Reader;

/// What a handshake message is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageType(pub u8);

impl MessageType {
    /// `HelloRequest`: a server asks for a renegotiation.
    pub const HELLO_REQUEST: Self = Self(0);
    /// `ClientHello`.
    pub const CLIENT_HELLO: Self = Self(1);
    /// `ServerHello`, and `HelloRetryRequest`.
    pub const SERVER_HELLO: Self = Self(2);
    /// `HelloVerifyRequest` of DTLS.
    pub const HELLO_VERIFY_REQUEST: Self = Self(3);
    /// `NewSessionTicket`.
    pub const NEW_SESSION_TICKET: Self = Self(4);
    /// `HelloRetryRequest` of the drafts of TLS 1.3.
    pub const HELLO_RETRY_REQUEST: Self = Self(6);
    /// `EncryptedExtensions` of TLS 1.3.
    pub const ENCRYPTED_EXTENSIONS: Self = Self(8);
    /// Certificate.
    pub const CERTIFICATE: Self = Self(11);
    /// `ServerKeyExchange`.
    pub const SERVER_KEY_EXCHANGE: Self = Self(12);
    /// `CertificateRequest`.
    pub const CERTIFICATE_REQUEST: Self = Self(13);
    /// `ServerHelloDone`.
    pub const SERVER_HELLO_DONE: Self = Self(14);
    /// `CertificateVerify`.
    pub const CERTIFICATE_VERIFY: Self = Self(15);
    /// `ClientKeyExchange`.
    pub const CLIENT_KEY_EXCHANGE: Self = Self(16);
    /// Finished.
    pub const FINISHED: Self = Self(20);
}

/// One message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Which.
    pub kind: MessageType,
    /// What it says; shorter than it was sent only if not [`Self::is_whole`].
    pub body: &'a [u8],
    /// Whether all of the body is there.
    pub is_whole: bool,
}

/// The messages of `octets`, the last perhaps cut.
#[derive(Clone, Debug)]
pub struct Messages<'a>(Reader<'a>);

impl<'a> Messages<'a> {
    /// Walks `octets` from its start.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(Reader::new(octets))
    }

    /// The first message of a kind.
    pub fn find(mut self, kind: MessageType) -> Option<Message<'a>> {
        Iterator::find(&mut self, |message| message.kind == kind)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let kind = MessageType(self.0.u8()?);
        let length = usize::try_from(self.0.u24()?).ok()?;
        let whole = self.0.take(length);
        let body = match whole {
            Some(body) => body,
            None => self.0.take(self.0.rest().len())?,
        };
        Some(Message { kind, body, is_whole: whole.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_follow_each_other_and_the_last_may_be_cut() {
        let octets = [14, 0, 0, 0, 20, 0, 0, 2, 7, 8, 11, 0, 1, 0, 9];
        let found: Vec<_> =
            Messages::new(&octets).map(|m| (m.kind.0, m.body.len(), m.is_whole)).collect();
        assert_eq!(found, [(14, 0, true), (20, 2, true), (11, 1, false)]);
        assert!(Messages::new(&octets).find(MessageType::FINISHED).is_some());
        assert_eq!(Messages::new(&[1, 0]).count(), 0);
    }
}
