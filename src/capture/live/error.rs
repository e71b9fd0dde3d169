//! Why an interface cannot be listened to, in a sentence that helps.

use std::fmt;

use super::INTERFACES;

/// Why an interface cannot be listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveError {
    /// The program was built without libpcap.
    NotBuilt,
    /// The system refuses it to this user.
    NotPermitted(String),
    /// There is no such interface, or it is not ready: its name and what libpcap says.
    Unusable(String, String),
    /// The interfaces cannot be listed.
    List(String),
    /// More interfaces than are listened to at once, or none.
    Count,
    /// What is captured cannot be written down.
    Record(String),
}

impl LiveError {
    /// What libpcap says of an interface that it cannot open.
    #[cfg_attr(not(feature = "live"), allow(dead_code, reason = "without libpcap nothing listens"))]
    pub(in crate::capture) fn open(name: &str, text: &str) -> Self {
        let refused = ["permi", "Permi", "CAP_NET_RAW"].iter().any(|word| text.contains(word));
        if refused {
            Self::NotPermitted(name.to_owned())
        } else {
            Self::Unusable(name.to_owned(), text.to_owned())
        }
    }
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuilt => {
                f.write_str("this overhear was built without libpcap (cargo feature `live`)")
            }
            Self::NotPermitted(name) => write!(
                f,
                "{name}: capturing needs the capability CAP_NET_RAW, which \
                 'sudo setcap cap_net_raw+ep \"$(command -v overhear)\"' grants for good"
            ),
            Self::Unusable(name, text) => write!(f, "{name}: cannot be listened to: {text}"),
            Self::List(text) => write!(f, "the interfaces cannot be listed: {text}"),
            Self::Count => write!(f, "1 to {INTERFACES} interfaces can be listened to at once"),
            Self::Record(text) => write!(f, "the packets cannot be written: {text}"),
        }
    }
}

impl std::error::Error for LiveError {}
