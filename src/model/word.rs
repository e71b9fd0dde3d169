//! Short names that records carry: mostly one of a few that everybody uses, and those cost no
//! allocation, neither when a record is made nor when it comes back from the spool.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// A name: of a codec, a profile, a test or a figure. Any text, compared as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word(Cow<'static, str>);

/// The text as this program has it, if it has it.
fn known(text: &str) -> Option<&'static str> {
    macro_rules! among {
        ($($word:literal)*) => { match text { $($word => Some($word),)* _ => None } };
    }
    among! {
        "T1" "T2" "T3" "T4" "T5" "T6" "T7" "T8" "T9" "none" "hits" "of" "tag"
        "RTP/AVP" "RTP/SAVP" "RTP/AVPF" "RTP/SAVPF" "UDP/TLS/RTP/SAVPF" "UDP/TLS/RTP/SAVP"
        "PCMU" "PCMA" "G722" "G729" "G723" "GSM" "opus" "iLBC" "AMR" "AMR-WB" "EVS" "speex" "L16"
        "CN" "telephone-event" "H261" "H263" "H263-1998" "H264" "H265" "VP8" "VP9"
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self(known(text).map_or_else(|| Cow::Owned(text.to_owned()), Cow::Borrowed))
    }
}

impl Deref for Word {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
                Ok(text.into())
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_or_not_a_word_is_its_text() {
        for text in ["PCMU", "pcmu", "X-NV", ""] {
            let word = Word::from(text);
            assert_eq!((&*word, word.to_string().as_str()), (text, text));
            let spooled = postcard::to_allocvec(&word).unwrap();
            assert_eq!(spooled, postcard::to_allocvec(text).unwrap());
            assert_eq!(postcard::from_bytes::<Word>(&spooled).unwrap(), word);
        }
    }
}
