//! Code points of TLS as values: numbers inside, names outside, and the number in hexadecimal where a
//! registry has no name.

use std::fmt;

use overhear_parsers::tls::registry;

#[cfg(test)]
use serde::{Serialize, Serializer};

use super::packed::{Packed, Packer, Unpacker};

macro_rules! code_points {
    ($($(#[doc = $doc:literal])+ $name:ident $lookup:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// What the registry calls it.
            #[inline]
            pub fn name(self) -> Option<&'static str> {
                let lookup: fn(u16) -> Option<&'static str> = $lookup;
                lookup(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:04x}", self.0),
                }
            }
        }

        impl Packed<'_> for $name {
            #[inline]
            fn pack(&self, out: &mut Packer) {
                self.0.to_le_bytes().pack(out);
            }

            #[inline]
            fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
                Packed::unpack(from).map(u16::from_le_bytes).map(Self)
            }
        }

        #[cfg(test)]
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

code_points! {
    /// A version: `TLS 1.2`.
    Version registry::version;
    /// A cipher suite: `TLS_AES_128_GCM_SHA256`.
    CipherSuite |code| registry::suite(code).map(|suite| suite.name);
    /// A number for what it is: `0xc02f`.
    Number |_| None;
    /// A group: `x25519`.
    Group registry::group;
    /// A signature scheme: `rsa_pss_rsae_sha256`.
    Scheme registry::signature;
    /// An SRTP protection profile.
    SrtpProfile registry::srtp_profile;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_is_a_number() {
        assert_eq!(Version(0x0303).to_string(), "TLS 1.2");
        assert_eq!(CipherSuite(0x1301).to_string(), "TLS_AES_128_GCM_SHA256");
        assert_eq!(
            (Group(0x7777).to_string(), Number(5).to_string()),
            ("0x7777".into(), "0x0005".into())
        );
    }
}
