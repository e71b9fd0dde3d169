//! Session-ID (RFC 7989 §5): two UUIDs that stay the same across back-to-back user agents, so that the
//! legs of one call can be told from others. The older form (RFC 7329) has one; `logme` is RFC 8123.

use super::{Params, lex};
use crate::cursor::{cut, trim};

/// One Session-ID.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SessionId<'a> {
    /// The sender's UUID as written: 32 hexadecimal digits, unless the message says otherwise.
    pub local: &'a [u8],
    /// `remote` and others.
    pub params: Params<'a>,
}

impl<'a> SessionId<'a> {
    /// Reads a value; `None` if it does not begin with letters and digits.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (local, params) = cut(value, lex::until(value, b';'));
        let local = trim(local);
        let graphic = !local.is_empty() && local.iter().copied().all(lex::is_token);
        graphic.then_some(Self { local, params: Params::new(params) })
    }

    /// The UUID of the other side; the nil one as long as it is not known.
    pub fn remote(&self) -> Option<&'a [u8]> {
        self.params.value(b"remote")
    }

    /// True if the message asks to be logged.
    pub fn logme(&self) -> bool {
        self.params.get(b"logme").is_some()
    }

    /// True if both are as RFC 7989 wants them: 32 lower-case hexadecimal digits.
    pub fn is_well_formed(&self) -> bool {
        is_uuid(self.local) && self.remote().is_none_or(is_uuid)
    }
}

/// 32 lower-case hexadecimal digits.
pub fn is_uuid(text: &[u8]) -> bool {
    text.len() == 32 && text.iter().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
}

/// The UUID of nobody: it never tells two calls apart.
pub fn is_nil(text: &[u8]) -> bool {
    text.len() == 32 && text.iter().all(|&octet| octet == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_read() {
        let text = format!("{} ; remote={};logme", "0a".repeat(16), "0".repeat(32));
        let read = SessionId::parse(text.as_bytes()).unwrap();
        assert!(read.is_well_formed() && read.logme() && is_uuid(read.local));
        assert!(!is_nil(read.local) && read.remote().is_some_and(is_nil));
    }

    #[test]
    fn the_older_form_and_odd_ones_are_kept() {
        let old = SessionId::parse(b"f81d4fae7dec11d0a76500a0c91e6bf6").unwrap();
        assert!(old.is_well_formed() && old.remote().is_none());
        assert!(!SessionId::parse(b"F81D4FAE7DEC11D0A76500A0C91E6BF6").unwrap().is_well_formed());
        assert!(!SessionId::parse(b"1234;remote=x").unwrap().is_well_formed());
        assert_eq!(SessionId::parse(b";remote=1"), None);
    }
}
