//! JA3, JA3S and JA4 of hellos, and what they offer. Clients of one make greet alike, whatever their names
//! and keys: each shape is looked at once.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use md5::{Digest as _, Md5};
use overhear_parsers::tls::extension::{self, Codes, Extensions, is_grease};
use overhear_parsers::tls::fingerprint::{self, Ja4, Over};
use overhear_parsers::tls::{ClientHello, ServerHello, WeakOffers};
use sha2::Sha256;

use super::certificates::hexadecimal;
use crate::model::addr::stable_hash;
use crate::model::code_point::{CipherSuite, Group, Scheme, SrtpProfile, Version};
use crate::model::handshake::Offered;

/// Distinct shapes remembered; beyond that all are forgotten and hashed again.
const REMEMBERED: usize = 4_096;

/// The fingerprints of a ClientHello, and what it offers.
#[derive(Debug, Default)]
pub struct Prints {
    /// No other shape has it.
    pub number: u64,
    /// What it offers.
    pub offered: Offered,
    /// JA3, hexadecimal.
    pub ja3: String,
    /// JA4.
    pub ja4: String,
    /// What it offers.
    pub offers: Arc<Offers>,
    /// What is weak about it.
    pub weak: WeakOffers,
}

/// What a ClientHello offers, without GREASE; of each the first [`OFFERS`].
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Offers {
    /// Versions.
    pub versions: Box<[u16]>,
    /// Cipher suites.
    pub suites: Box<[u16]>,
    /// Groups.
    pub groups: Box<[u16]>,
    /// Signature schemes.
    pub signatures: Box<[u16]>,
    /// A hash of all that.
    pub hash: u64,
}

/// Code points of each kind that are kept of an offer.
const OFFERS: usize = 64;

impl Offers {
    /// Those of a hello.
    pub fn of(hello: &ClientHello<'_>) -> Self {
        let mut offers = Self {
            versions: hello.offered_versions().take(OFFERS).collect(),
            suites: hello.suites.meant().take(OFFERS).collect(),
            groups: hello.groups.meant().take(OFFERS).collect(),
            signatures: hello.signatures.meant().take(OFFERS).collect(),
            hash: 0,
        };
        offers.hash = stable_hash(&offers);
        offers
    }
}

/// Those seen lately, by the shape of what they are made from.
#[derive(Debug, Default)]
pub struct Fingerprints {
    clients: HashMap<Box<[u8]>, Arc<Prints>, FixedState>,
    servers: HashMap<Box<[u8]>, Arc<str>, FixedState>,
    offers: HashMap<u64, Arc<Offers>, FixedState>,
    /// Shapes of clients seen.
    shapes: u64,
    /// Scratch.
    shape: Vec<u8>,
}

impl Fingerprints {
    /// Those of a ClientHello over TCP or of DTLS.
    pub fn client(&mut self, hello: &ClientHello<'_>, dtls: bool) -> Arc<Prints> {
        self.shape.clear();
        self.shape.push(u8::from(dtls));
        self.shape.extend_from_slice(&hello.version.to_be_bytes());
        let grease = self.list(hello.suites) | self.kinds(hello.extensions);
        self.list(hello.groups);
        self.list(hello.signatures);
        self.list(hello.versions);
        let begin = self.shape.len();
        self.shape.extend_from_slice(hello.srtp_profiles.octets());
        self.ends(begin);
        self.shape.extend(hello.point_formats);
        self.shape.push(0xff);
        self.shape.extend(extension::protocols(hello.alpn).next().unwrap_or_default());
        self.shape.push(u8::from(grease));
        if let Some(known) = self.clients.get(self.shape.as_slice()) {
            return Arc::clone(known);
        }
        if self.clients.len() >= REMEMBERED {
            self.clients.clear();
        }
        // Hellos that differ in the order of extensions only offer the same.
        let offers = Offers::of(hello);
        let known = self.offers.get(&offers.hash).filter(|known| ***known == offers);
        let offers = known.map_or_else(|| Arc::new(offers), Arc::clone);
        if self.offers.len() >= REMEMBERED {
            self.offers.clear();
        }
        self.offers.insert(offers.hash, Arc::clone(&offers));
        let (offered, ja3, ja4) =
            (offered(hello), ja3(hello), ja4(hello, if dtls { Over::Dtls } else { Over::Tcp }));
        let weak = WeakOffers::of(hello.suites.meant());
        self.shapes = self.shapes.saturating_add(1);
        let number = self.shapes;
        let prints = Arc::new(Prints { number, offered, ja3, ja4, offers, weak });
        self.clients.insert(self.shape.as_slice().into(), Arc::clone(&prints));
        prints
    }

    /// Appends a list without GREASE, and its length; tells whether it had some.
    fn list(&mut self, codes: Codes<'_>) -> bool {
        let begin = self.shape.len();
        let grease = codes.has_grease();
        if grease {
            self.shape.extend(codes.meant().flat_map(u16::to_be_bytes));
        } else {
            self.shape.extend_from_slice(codes.octets());
        }
        self.ends(begin);
        grease
    }

    /// Appends the types of extensions in the same way.
    fn kinds(&mut self, extensions: Extensions<'_>) -> bool {
        let (begin, mut grease) = (self.shape.len(), false);
        for (kind, _) in extensions.iter() {
            if is_grease(kind) {
                grease = true;
            } else {
                self.shape.extend_from_slice(&kind.to_be_bytes());
            }
        }
        self.ends(begin);
        grease
    }

    /// Appends how long what began there is.
    fn ends(&mut self, begin: usize) {
        let length = self.shape.len() - begin;
        self.shape.extend_from_slice(&length.to_be_bytes());
    }

    /// JA3S of a ServerHello.
    pub fn server(&mut self, hello: &ServerHello<'_>) -> Arc<str> {
        self.shape.clear();
        self.shape.extend_from_slice(&hello.version.to_be_bytes());
        self.shape.extend_from_slice(&hello.suite.to_be_bytes());
        for (kind, _) in hello.extensions.iter() {
            self.shape.extend_from_slice(&kind.to_be_bytes());
        }
        if let Some(known) = self.servers.get(self.shape.as_slice()) {
            return Arc::clone(known);
        }
        if self.servers.len() >= REMEMBERED {
            self.servers.clear();
        }
        let mut text = String::new();
        fingerprint::ja3s(hello, &mut text);
        let print: Arc<str> = hexadecimal(&Md5::digest(text.as_bytes())).into();
        self.servers.insert(self.shape.as_slice().into(), Arc::clone(&print));
        print
    }
}

/// What a hello offers, without GREASE.
pub fn offered(hello: &ClientHello<'_>) -> Offered {
    Offered {
        versions: hello.offered_versions().map(Version).collect(),
        ciphers: hello.suites.meant().map(CipherSuite).collect(),
        groups: hello.groups.meant().map(Group).collect(),
        signature_algorithms: hello.signatures.meant().map(Scheme).collect(),
        srtp_profiles: hello.srtp_profiles.iter().map(SrtpProfile).collect(),
    }
}

fn ja3(hello: &ClientHello<'_>) -> String {
    let mut text = String::new();
    fingerprint::ja3(hello, &mut text);
    hexadecimal(&Md5::digest(text.as_bytes()))
}

/// JA4 of a hello.
pub(super) fn ja4(hello: &ClientHello<'_>, over: Over) -> String {
    let Ja4 { shape, suites, extensions } = Ja4::of(hello, over);
    format!("{shape}_{}_{}", twelve(&suites), twelve(&extensions))
}

/// The first twelve digits of a list's SHA-256; zeros for an empty one.
fn twelve(list: &str) -> String {
    if list.is_empty() {
        return "000000000000".to_owned();
    }
    let digest = Sha256::digest(list.as_bytes());
    hexadecimal(digest.get(..6).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hash_to_the_values_that_the_specification_of_ja4_gives() {
        let suites = "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9";
        assert_eq!(twelve(suites), "8daaf6152771");
        let extensions = "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_0403,\
            0804,0401,0503,0805,0501,0806,0601";
        assert_eq!(twelve(extensions), "e5627efa2ab1");
        assert_eq!(twelve(""), "000000000000");
    }

    #[test]
    fn a_shape_is_hashed_once_and_names_and_keys_do_not_change_it() {
        let hello = |random: u8, suite: u8| {
            [&[3, 3][..], &[random; 32], &[0, 0, 2, 0xc0, suite, 1, 0, 0, 4, 0, 23, 0, 0]].concat()
        };
        let mut all = Fingerprints::default();
        let (one, same, other) = (hello(1, 0x2f), hello(2, 0x2f), hello(1, 0x30));
        let [one, same, other] = [&one, &same, &other]
            .map(|octets| all.client(&ClientHello::parse(octets).unwrap(), false));
        assert!(Arc::ptr_eq(&one, &same));
        assert_ne!((&one.ja3, &one.ja4), (&other.ja3, &other.ja4));
        assert!(one.ja4.starts_with("t12i010100_"));
    }
}
