//! Security-Client, Security-Server and Security-Verify (RFC 3329 §2.2, and 3GPP TS 33.203 annex H for
//! `ipsec-3gpp`): the mechanisms that two neighbours agree on. Whether what was agreed is what was
//! announced is a question for who sees both messages; [`same_list`] answers it for two values.

use super::element::{Element, List, Word, quality};
use super::{Params, lex};
use crate::cursor::narrow;

/// One mechanism with its parameters.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mechanism<'a> {
    /// `digest`, `tls`, `ipsec-ike`, `ipsec-man`, `ipsec-3gpp`, as written; compare in any case.
    pub name: &'a [u8],
    /// All parameters.
    pub params: Params<'a>,
}

impl<'a> Element<'a> for Mechanism<'a> {
    fn read(element: &'a [u8]) -> Option<Self> {
        let Word { text, params } = Word::read(element)?;
        text.iter().copied().all(lex::is_token).then_some(Self { name: text, params })
    }
}

impl<'a> Mechanism<'a> {
    /// True for the mechanism of this name.
    pub const fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The server's preference in thousandths, larger is better; `None` without a readable one.
    pub fn preference(&self) -> Option<u16> {
        self.params.value(b"q").and_then(quality)
    }

    /// `d-alg`: the hash of `digest`.
    pub fn digest_algorithm(&self) -> Option<&'a [u8]> {
        self.params.value(b"d-alg")
    }

    /// `d-qop`: what `digest` protects.
    pub fn digest_qop(&self) -> Option<&'a [u8]> {
        self.params.value(b"d-qop")
    }

    /// `d-ver`: the digest over the server's list, without its quotes; its length says all that may
    /// be shown.
    pub fn digest_verify(&self) -> Option<&'a [u8]> {
        self.params.value(b"d-ver")
    }

    /// `alg`: the integrity algorithm of an `ipsec` mechanism.
    pub fn integrity(&self) -> Option<&'a [u8]> {
        self.params.value(b"alg")
    }

    /// `ealg`: the encryption algorithm; `null` encrypts nothing, and so does a missing one.
    pub fn encryption(&self) -> Option<&'a [u8]> {
        self.params.value(b"ealg")
    }

    /// `spi-c` and `spi-s`, the security associations of client and server.
    pub fn spis(&self) -> (Option<u32>, Option<u32>) {
        let number = |name: &[u8]| self.params.value(name).and_then(narrow);
        (number(b"spi-c"), number(b"spi-s"))
    }

    /// `port-c` and `port-s`, the protected ports of client and server.
    pub fn ports(&self) -> (Option<u16>, Option<u16>) {
        let number = |name: &[u8]| self.params.value(name).and_then(narrow);
        (number(b"port-c"), number(b"port-s"))
    }

    /// True if the other one is the same mechanism with the same parameters in any order.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is(other.name)
            && covers(self.params, other.params)
            && covers(other.params, self.params)
    }
}

/// Parameters that are compared, of each mechanism.
const MAX_COMPARED: usize = 32;

/// True if every parameter of `some` is in `all` with the same value.
fn covers(all: Params<'_>, some: Params<'_>) -> bool {
    some.iter().take(MAX_COMPARED).all(|param| {
        let mut others = all.iter().take(MAX_COMPARED);
        others.any(|other| {
            other.name.eq_ignore_ascii_case(param.name)
                && match (other.value, param.value) {
                    (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
                    (a, b) => a == b,
                }
        })
    })
}

/// True if both values name the same mechanisms with the same parameters in the same order, as
/// Security-Verify must repeat Security-Server (RFC 3329 §2.3.1).
pub fn same_list(one: &[u8], other: &[u8]) -> bool {
    let (mut one, mut other) = (List::<Mechanism<'_>>::new(one), List::new(other));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.is_same(&b) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mechanisms_come_with_preference_and_parameters() {
        let list =
            b"ipsec-3gpp;alg=hmac-sha-1-96;ealg=null;spi-c=11;spi-s=22;port-c=33;port-s=44;q=0.1,\
            tls;q=0.2, digest ; d-alg=MD5; d-qop=auth; d-ver=\"0123\"";
        let all: Vec<_> = List::<Mechanism<'_>>::new(list).collect();
        assert_eq!(
            (all.len(), all[0].preference(), all[1].preference()),
            (3, Some(100), Some(200))
        );
        assert_eq!(
            (all[0].integrity(), all[0].encryption()),
            (Some(&b"hmac-sha-1-96"[..]), Some(&b"null"[..]))
        );
        assert_eq!((all[0].spis(), all[0].ports()), ((Some(11), Some(22)), (Some(33), Some(44))));
        assert!(all[2].is(b"DIGEST") && all[2].preference().is_none());
        assert_eq!(all[2].digest_verify(), Some(&b"0123"[..]));
        assert_eq!(
            (all[2].digest_algorithm(), all[2].digest_qop()),
            (Some(&b"MD5"[..]), Some(&b"auth"[..]))
        );
    }

    #[test]
    fn a_list_is_the_same_whatever_the_order_of_parameters_and_not_of_mechanisms() {
        assert!(same_list(b"tls;q=0.2;x=\"1\", digest", b"TLS ; x=1;Q=0.2,digest"));
        assert!(!same_list(b"tls, digest", b"digest, tls"));
        assert!(!same_list(b"tls;q=0.2", b"tls"));
        assert!(!same_list(b"tls", b"tls, digest"));
        assert!(!same_list(b"tls;q=0.2", b"tls;q=0.1"));
    }
}
