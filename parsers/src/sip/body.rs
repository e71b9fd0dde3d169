//! What a body or a part of one is, by its Content-Type: session descriptions, locations (PIDF-LO, RFC
//! 4119), signalling of other networks (ISUP and QSIG, RFC 3204), S/MIME (RFC 8551, RFC 8591) and the
//! like. Nothing is decoded; a type that is not in the list keeps its name in the message.

use super::Params;
use super::multipart::Leaf;
use crate::cursor::{split_once, starts_with_any_case, trim};

/// What a part is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BodyKind {
    /// A session description.
    Sdp,
    /// Presence, perhaps with a location: [`has_location`] tells.
    Pidf,
    /// A message of ISUP.
    Isup,
    /// A message of QSIG.
    Qsig,
    /// Signed or encrypted: [`smime`] tells.
    Smime,
    /// The signature of a `multipart/signed`.
    Signature,
    /// A SIP message or a piece of one (RFC 3420).
    Sip,
    /// Digits in INFO.
    Dtmf,
    /// Text for a reader (RFC 3428), CPIM wrappers among them.
    Text,
    /// A short message of a mobile network.
    Sms,
    /// Lists for a conference or a group (RFC 5363).
    ResourceList,
    /// The state of dialogs, registrations, conferences, mail boxes.
    State,
    /// A multipart that was not opened.
    Multipart,
    /// Another type.
    Other,
    /// No type.
    None,
}

/// Types that have a name here, in lower case.
const KINDS: &[(&[u8], BodyKind)] = &[
    (b"application/sdp", BodyKind::Sdp),
    (b"application/pidf+xml", BodyKind::Pidf),
    (b"application/isup", BodyKind::Isup),
    (b"application/qsig", BodyKind::Qsig),
    (b"application/pkcs7-mime", BodyKind::Smime),
    (b"application/x-pkcs7-mime", BodyKind::Smime),
    (b"application/cms", BodyKind::Smime),
    (b"application/pkcs7-signature", BodyKind::Signature),
    (b"application/x-pkcs7-signature", BodyKind::Signature),
    (b"message/sip", BodyKind::Sip),
    (b"message/sipfrag", BodyKind::Sip),
    (b"application/dtmf-relay", BodyKind::Dtmf),
    (b"application/dtmf", BodyKind::Dtmf),
    (b"text/plain", BodyKind::Text),
    (b"text/html", BodyKind::Text),
    (b"message/cpim", BodyKind::Text),
    (b"application/vnd.3gpp.sms", BodyKind::Sms),
    (b"application/resource-lists+xml", BodyKind::ResourceList),
    (b"application/dialog-info+xml", BodyKind::State),
    (b"application/reginfo+xml", BodyKind::State),
    (b"application/conference-info+xml", BodyKind::State),
    (b"application/simple-message-summary", BodyKind::State),
    (b"application/rlmi+xml", BodyKind::State),
    (b"application/im-iscomposing+xml", BodyKind::State),
];

impl BodyKind {
    /// The kind of a Content-Type value; parameters are not looked at.
    pub fn of(content_type: &[u8]) -> Self {
        let name = media_type(content_type);
        if name.is_empty() {
            return Self::None;
        }
        if starts_with_any_case(name, b"multipart/") {
            return Self::Multipart;
        }
        let known = KINDS.iter().find(|(text, _)| text.eq_ignore_ascii_case(name));
        known.map_or(Self::Other, |(_, kind)| *kind)
    }
}

/// A Content-Type value without its parameters, trimmed.
pub fn media_type(content_type: &[u8]) -> &[u8] {
    trim(split_once(content_type, b';').0)
}

impl Leaf<'_> {
    /// What this part is; without a type, by how a description begins.
    pub fn kind(&self) -> BodyKind {
        match BodyKind::of(self.content_type) {
            BodyKind::None if self.body.starts_with(b"v=0") => BodyKind::Sdp,
            kind => kind,
        }
    }
}

/// What S/MIME did to a part (RFC 8551 §3.2.2).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Smime {
    /// `signed-data`: readable, and says who wrote it.
    Signed,
    /// `enveloped-data`, `authEnveloped-data`: not readable.
    Encrypted,
    /// `certs-only`.
    Certificates,
    /// Not said.
    Unknown,
}

/// What the Content-Type of an S/MIME part says; `None` for another type.
pub fn smime(content_type: &[u8]) -> Option<Smime> {
    if BodyKind::of(content_type) != BodyKind::Smime {
        return None;
    }
    let params = Params::new(split_once(content_type, b';').1.unwrap_or_default());
    let kind = params.value(b"smime-type").unwrap_or_default();
    let is = |name: &[u8]| kind.eq_ignore_ascii_case(name);
    Some(if is(b"signed-data") {
        Smime::Signed
    } else if is(b"enveloped-data") || is(b"authEnveloped-data") {
        Smime::Encrypted
    } else if is(b"certs-only") {
        Smime::Certificates
    } else {
        Smime::Unknown
    })
}

/// True if a presence document says where somebody is (RFC 4119 §2.2.1, RFC 5139, RFC 5491).
pub fn has_location(body: &[u8]) -> bool {
    const NAME: &[u8] = b"location-info";
    body.windows(NAME.len()).any(|window| window == NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_in_any_case_and_with_parameters() {
        for (text, expected) in [
            ("Application/SDP ;x=y", BodyKind::Sdp),
            ("application/ISUP; version=itu-t92+", BodyKind::Isup),
            ("application/qsig", BodyKind::Qsig),
            ("application/pidf+xml", BodyKind::Pidf),
            ("multipart/signed;micalg=sha-256", BodyKind::Multipart),
            ("application/x-new", BodyKind::Other),
            (" ", BodyKind::None),
        ] {
            assert_eq!(BodyKind::of(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn s_mime_says_whether_it_signs_or_encrypts() {
        assert_eq!(
            smime(b"application/pkcs7-mime;smime-type=enveloped-data;name=x.p7m"),
            Some(Smime::Encrypted)
        );
        assert_eq!(smime(b"application/pkcs7-mime;smime-type=signed-data"), Some(Smime::Signed));
        assert_eq!(smime(b"application/pkcs7-mime"), Some(Smime::Unknown));
        assert_eq!(smime(b"application/sdp"), None);
    }

    #[test]
    fn a_location_is_told_from_mere_presence() {
        assert!(has_location(b"<gp:geopriv><gp:location-info>"));
        assert!(!has_location(b"<presence><tuple/></presence>") && !has_location(b""));
    }

    #[test]
    fn a_part_without_a_type_is_a_description_if_it_begins_like_one() {
        let leaf = |body| Leaf { content_type: b"", headers: b"", body };
        assert_eq!((leaf(b"v=0\r\n").kind(), leaf(b"x").kind()), (BodyKind::Sdp, BodyKind::None));
    }
}
