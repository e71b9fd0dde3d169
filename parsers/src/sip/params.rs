//! `;name=value` lists after an address, a Via or in a URI (RFC 3261 §25.1 `generic-param`). Empty
//! parameters are skipped. Escapes stay as written.

use super::lex;
use crate::cursor::{cut, find_near, tail, trim};

/// The parameters of a value, in order; iterate or look up by name.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct Params<'a> {
    rest: &'a [u8],
}

/// One parameter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name as written; compare in any case.
    pub name: &'a [u8],
    /// The value without quotes; `None` for a parameter that is only a name.
    pub value: Option<&'a [u8]>,
}

impl<'a> Params<'a> {
    /// Reads `;a=1;b`; a leading semicolon may be missing.
    pub const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// The parameters as written, from the first semicolon on.
    pub const fn text(self) -> &'a [u8] {
        self.rest
    }

    /// The parameters that are not empty, in order.
    pub const fn iter(self) -> ParamsIter<'a> {
        ParamsIter { rest: self.rest }
    }

    /// The first parameter of this name, in any case of letters.
    pub fn get(self, name: &[u8]) -> Option<Param<'a>> {
        self.iter().find(|param| param.name.eq_ignore_ascii_case(name))
    }

    /// The value of the first parameter of this name; `None` too if it has none.
    pub fn value(self, name: &[u8]) -> Option<&'a [u8]> {
        self.get(name).and_then(|param| param.value)
    }

    /// True without empty parameters, as in `;;` (RFC 4475 §3.1.2.1).
    pub(super) fn is_well_formed(self) -> bool {
        let mut rest = match trim(self.rest) {
            [] => return true,
            [b';', rest @ ..] => rest,
            _ => return false,
        };
        loop {
            let last = lex::until(rest, b';') >= rest.len();
            if trim(lex::element(&mut rest, b';')).is_empty() {
                return false;
            }
            if last {
                return true;
            }
        }
    }
}

impl<'a> IntoIterator for Params<'a> {
    type Item = Param<'a>;
    type IntoIter = ParamsIter<'a>;

    fn into_iter(self) -> ParamsIter<'a> {
        self.iter()
    }
}

/// The parameters that are not empty, in order.
#[derive(Clone, Debug)]
pub struct ParamsIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ParamsIter<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        while !self.rest.is_empty() {
            // What a list begins with, so that nothing is read twice.
            if let [b';', rest @ ..] = self.rest {
                self.rest = rest;
                continue;
            }
            let piece = trim(lex::element(&mut self.rest, b';'));
            if piece.is_empty() {
                continue;
            }
            let equals = find_near([b'='], piece);
            let (name, value) = cut(piece, equals.unwrap_or(piece.len()));
            let value = equals.map(|_| lex::unquoted(trim(tail(value, 1))));
            return Some(Param { name: trim(name), value });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_quotes_are_taken_off() {
        let params = Params::new(b" ; Tag = a1 ;lr;;+sip.instance=\"<urn:x;y>\"");
        assert_eq!(params.value(b"tag"), Some(&b"a1"[..]));
        assert_eq!(params.get(b"LR"), Some(Param { name: b"lr", value: None }));
        assert_eq!(params.value(b"+sip.instance"), Some(&b"<urn:x;y>"[..]));
        assert_eq!(params.iter().count(), 3);
    }

    #[test]
    fn empty_parameters_are_noticed() {
        assert!(Params::new(b"").is_well_formed() && Params::new(b";a;b=1").is_well_formed());
        assert!(!Params::new(b";;a").is_well_formed() && !Params::new(b";a;").is_well_formed());
    }
}
