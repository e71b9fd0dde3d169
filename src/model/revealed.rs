//! A secret that somebody asked to see: what stands behind a label. Made only with `--reveal-secrets`.

use std::fmt;

use serde::Serialize;

/// Octets of a secret that are shown at most.
const SHOWN: usize = 4_096;

/// What kind of secret it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Master key and salt of SRTP (RFC 4568, RFC 3830), or what a `k=` line has (RFC 4566 §5.12).
    MediaKey,
    /// The response of a digest (RFC 3261 §22.4).
    DigestResponse,
    /// User and password of the Basic scheme (RFC 7617), in Base64 as they travelled.
    Credentials,
    /// Keys that were pressed.
    Digits,
    /// The body of a message.
    Body,
}

/// A secret and its label.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Revealed {
    /// `secret-1`, as evidence names it.
    pub label: String,
    /// What it is.
    pub kind: Kind,
    /// Its length; more than `value` has, if that was cut at 4,096 octets.
    pub octets: usize,
    /// How `value` is written: `text`, or `base64` for what is none.
    pub encoding: &'static str,
    /// The secret.
    pub value: String,
}

impl Revealed {
    /// The secret of this label.
    pub fn new(label: String, kind: Kind, secret: &[u8]) -> Self {
        let shown = secret.get(..SHOWN).unwrap_or(secret);
        let is_text = |octet: &u8| matches!(octet, b'\t' | b'\r' | b'\n' | b' '..=b'~');
        let text = std::str::from_utf8(shown).ok().filter(|_| shown.iter().all(is_text));
        let (encoding, value) = match text.filter(|_| kind != Kind::MediaKey) {
            Some(text) => ("text", text.to_owned()),
            None => ("base64", base64(shown)),
        };
        Self { label, kind, octets: secret.len(), encoding, value }
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revealed({}, {} octets)", self.label, self.octets)
    }
}

impl Kind {
    /// The word of every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::MediaKey => "media-key",
            Self::DigestResponse => "digest-response",
            Self::Credentials => "credentials",
            Self::Digits => "digits",
            Self::Body => "body",
        }
    }
}

/// RFC 4648 §4.
pub fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in octets.chunks(3) {
        let bits = three.iter().fold(0_usize, |bits, octet| bits << 8 | usize::from(*octet));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS.get(bits >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        let coded = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(coded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn keys_are_written_as_sdp_has_them_and_text_as_it_is() {
        let shown = |kind, secret: &[u8]| {
            let one = Revealed::new("secret-1".to_owned(), kind, secret);
            (one.encoding, one.value)
        };
        assert_eq!(shown(Kind::MediaKey, b"foob"), ("base64", "Zm9vYg==".to_owned()));
        assert_eq!(shown(Kind::Digits, b"12#"), ("text", "12#".to_owned()));
        assert_eq!(shown(Kind::Body, &[0, 1]), ("base64", "AAE=".to_owned()));
        let long = Revealed::new(String::new(), Kind::Body, &[b'a'; 5_000]);
        assert_eq!((long.octets, long.value.len()), (5_000, 4_096));
        assert_eq!(format!("{long:?}"), "Revealed(, 5000 octets)");
    }
}
