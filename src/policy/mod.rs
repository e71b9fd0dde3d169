//! L1: every number that decides something: caps, time-outs and thresholds.

pub mod fallback;
pub mod limits;
pub mod media;
pub mod sip;
pub mod thresholds;
pub mod tls;
pub mod tones;

use std::sync::Arc;

/// Makes a structure of whole numbers with a default each, which can be asked for by their names.
macro_rules! table {
    ($(#[doc = $about:literal])+ $of:ident; $($(#[doc = $doc:literal])+ $name:ident = $default:literal,)+) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $of {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Default for $of {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl $of {
            /// The value of this name.
            pub fn named(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($name) => Some(self.$name),)+
                    _ => None,
                }
            }
        }
    };
}
use table;

pub use limits::Limits;
pub use thresholds::Thresholds;

/// What the user asked to see.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Reveals {
    /// What stands behind the labels of secrets.
    pub secrets: bool,
    /// Audio, in outputs that carry any.
    pub audio: bool,
}

impl Reveals {
    /// In the words of the report.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let all = [(self.secrets, "secrets"), (self.audio, "audio")];
        all.into_iter().filter(|(asked, _)| *asked).map(|(_, word)| word)
    }
}

/// Everything that configuration can change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Caps and time-outs.
    pub limits: Limits,
    /// Thresholds of the rules.
    pub thresholds: Thresholds,
    /// What is shown that otherwise is not.
    pub reveals: Reveals,
    /// Certificates in DER of the authorities that peers are supposed to trust; none says nothing.
    pub anchors: Arc<[Vec<u8>]>,
    /// SIP domains, one of which a server's certificate has to be for where its client does not say which
    /// it wants (RFC 5922 §7.1); none says nothing.
    pub domains: Arc<[String]>,
}
