//! Addresses with a display name (RFC 3261 §20.10): From, To, Contact, Route, Record-Route, Refer-To,
//! P-Asserted-Identity, Diversion and the like, alone or in a comma list. What cannot be an address
//! is skipped; [`AddressList::is_well_formed`] says whether the grammar holds.

use super::{Params, Uri, lex};
use crate::cursor::{cut, find, find_near, is_lws, split_once, tail, through_last_special, trim};

/// `[display] <uri> *(;param)` or `uri *(;param)`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name without its quotes, escapes kept; empty without one.
    pub display: &'a [u8],
    /// The URI without its angle brackets; `*` in a Contact that removes all bindings.
    pub uri: &'a [u8],
    /// Parameters of the header, not of the URI.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one address; commas in it are not looked at. `None` without a URI.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = trim(value);
        let address = if let Some(open) = find_open(value) {
            let (before, bracketed) = cut(value, open);
            let (uri, after) = split_once(tail(bracketed, 1), b'>');
            let after = after.unwrap_or_default();
            let params = Params::new(tail(after, lex::until(after, b';')));
            Self { display: lex::unquoted(trim(before)), uri: trim(uri), params }
        } else {
            // RFC 3261 §20: without brackets, what follows a semicolon belongs to the header.
            let (uri, params) = cut(value, find(b';', value).unwrap_or(value.len()));
            Self { display: &[], uri: trim(uri), params: Params::new(params) }
        };
        (!address.uri.is_empty()).then_some(address)
    }

    /// The tag of a From or To (RFC 3261 §19.3); empty ones count as none.
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.value(b"tag").filter(|tag| !tag.is_empty())
    }

    /// The URI, cut into parts.
    pub fn uri(&self) -> Uri<'a> {
        Uri::parse(self.uri)
    }
}

/// The tag of a From or To value (RFC 3261 §19.3); empty without one. What [`NameAddr::tag`] says, for
/// one that nothing else is asked of: nearly all end in `>` or in `>;tag=` and the tag.
pub fn tag(value: &[u8]) -> &[u8] {
    let (before, tag) = cut(value, through_last_special(value));
    if !tag.is_empty() && before.ends_with(b">;tag=") {
        return tag;
    }
    if tag.is_empty() && find(b'=', value).is_none() {
        return &[];
    }
    NameAddr::parse(value).and_then(|address| address.tag()).unwrap_or_default()
}

/// The addresses of a comma list, in order.
#[derive(Clone, Debug)]
pub struct AddressList<'a> {
    rest: &'a [u8],
}

impl<'a> AddressList<'a> {
    /// Reads one header value.
    pub const fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    /// True if every element is an address by RFC 3261 §25.1: closed quotes and brackets, a display
    /// name of tokens or in quotes, a URI with a scheme and without spaces, no empty parameter.
    pub fn is_well_formed(value: &[u8]) -> bool {
        let mut rest = value;
        loop {
            let last = lex::until(rest, b',') >= rest.len();
            if !is_strict(trim(lex::element(&mut rest, b','))) {
                return false;
            }
            if last {
                return true;
            }
        }
    }
}

impl<'a> Iterator for AddressList<'a> {
    type Item = NameAddr<'a>;

    fn next(&mut self) -> Option<NameAddr<'a>> {
        while !self.rest.is_empty() {
            if let Some((address, rest)) = plain(self.rest) {
                self.rest = rest;
                return Some(address);
            }
            if let Some(address) = NameAddr::parse(lex::element(&mut self.rest, b',')) {
                return Some(address);
            }
        }
        None
    }
}

/// The first address of a list and what follows its comma, if it is written as nearly all are, as
/// `<uri>` and parameters with nothing quoted: what [`lex::element`] and [`NameAddr::parse`] find.
fn plain(list: &[u8]) -> Option<(NameAddr<'_>, &[u8])> {
    let inside = list.strip_prefix(b"<")?;
    let (uri, after) = cut(inside, find_near([b'>'], cut(inside, lex::MAX_BRACKETED).0)?);
    let after = tail(after, 1);
    let end = find_near([b',', b'"', b'<', b'\\'], after).unwrap_or(after.len());
    let (params, rest) = cut(after, end);
    let rest = match rest {
        [] => rest,
        [b',', rest @ ..] => rest,
        _ => return None,
    };
    let (uri, params) = (trim(uri), trim(params));
    let params = Params::new(tail(params, find_near([b';'], params).unwrap_or(params.len())));
    (!uri.is_empty()).then_some((NameAddr { display: &[], uri, params }, rest))
}

/// The `<` that opens the URI: the first one outside quotes.
fn find_open(value: &[u8]) -> Option<usize> {
    let open = lex::until(value, b'<');
    (open < value.len()).then_some(open)
}

fn is_strict(value: &[u8]) -> bool {
    let Some(address) = NameAddr::parse(value) else { return false };
    let Some(open) = find_open(value) else {
        let bare = !address.uri.iter().any(|octet| matches!(octet, b'?' | b',' | b'"'));
        return bare && is_uri(address.uri) && address.params.is_well_formed();
    };
    let (before, bracketed) = cut(value, open);
    let Some(close) = find(b'>', bracketed) else { return false };
    let (inner, after) = (cut(bracketed, close).0, tail(bracketed, close.saturating_add(1)));
    let display = match trim(before) {
        quoted @ [b'"', ..] => lex::quoted(quoted).is_some_and(|(_, rest)| rest.is_empty()),
        words => words.iter().all(|&octet| lex::is_token(octet) || is_lws(octet)),
    };
    display && is_uri(tail(inner, 1)) && Params::new(after).is_well_formed()
}

/// A scheme, and no white space.
fn is_uri(uri: &[u8]) -> bool {
    uri == b"*" || (find(b':', uri) > Some(0) && !uri.iter().copied().any(is_lws))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (&str, &str, Option<&str>) {
        let text_of = |octets| std::str::from_utf8(octets).unwrap();
        let address = NameAddr::parse(text.as_bytes()).unwrap();
        (text_of(address.display), text_of(address.uri), address.tag().map(text_of))
    }

    #[test]
    fn all_forms_of_an_address_are_read() {
        assert_eq!(one("sip:a@b;tag=1"), ("", "sip:a@b", Some("1")));
        assert_eq!(one("<sip:a@b;lr>;tag=1"), ("", "sip:a@b;lr", Some("1")));
        assert_eq!(
            one(r#""A, \"B\" <C>" <sip:a@b> ; tag = 1"#),
            (r#"A, \"B\" <C>"#, "sip:a@b", Some("1"))
        );
        assert_eq!(one("caller<sip:a@b>"), ("caller", "sip:a@b", None));
        assert_eq!(one("< sip:a@b >;tag="), ("", "sip:a@b", None));
        assert_eq!(one("\"open <sip:a@b>"), ("\"open", "sip:a@b", None));
        assert_eq!(one("<sip:a@b;tag=9"), ("", "sip:a@b;tag=9", None));
        assert_eq!(one("*"), ("", "*", None));
        assert_eq!(NameAddr::parse(b"  "), None);
    }

    #[test]
    fn the_short_way_to_a_tag_and_the_long_one_agree() {
        for (value, expected) in [
            ("<sip:a@b>;tag=1-x.2", "1-x.2"),
            ("\"A <x>;tag=9\" <sip:a@b>;tag=1", "1"),
            ("<sip:a@b>;x=\">;tag=2\";tag=1", "1"),
            ("<sip:a@b>;tag=1;x=y", "1"),
            ("<sip:a@b>; tag = 1", "1"),
            ("sip:a@b;tag=1", "1"),
            ("sip:a@b;tag=x>", "x>"),
            ("<sip:a@b;tag=1>", ""),
            ("<sip:a@b>;tag=", ""),
            ("<sip:a@b>", ""),
            ("<sip:a@b>;tag", ""),
            ("<sip:a@b>;tag=1,2", "1,2"),
            ("<sip:a@b>;tag=[a]/b|c", "[a]/b|c"),
            ("<sip:a@b>;tag=a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(tag(value.as_bytes()), expected.as_bytes(), "{value}");
        }
    }

    #[test]
    fn the_short_way_to_an_address_and_the_long_one_agree() {
        for (list, short) in [
            ("<sip:a@b:5070;transport=udp>", true),
            ("<sip:a@b>;expires=60;q=0.5", true),
            ("<sip:a@b> ;x , <sip:c@d>", true),
            ("<sip:a@b>x, sip:c@d", true),
            ("< sip:\"a,b@c > ", true),
            ("<sip:a@b>,", true),
            ("<sip:a@b>;x=\"1,2\", <sip:c@d>", false),
            ("<sip:a@b>;x=<1,2>", false),
            ("<sip:a@b>;x=\\\",\"", false),
            ("<sip:a@b", false),
            ("<>, <sip:c@d>", false),
            ("\"A\" <sip:a@b>", false),
            ("sip:a@b", false),
        ] {
            let found = plain(list.as_bytes());
            assert_eq!(found.is_some(), short, "{list}");
            let mut rest = list.as_bytes();
            let address = NameAddr::parse(lex::element(&mut rest, b','));
            assert!(found.is_none_or(|found| Some(found) == address.zip(Some(rest))), "{list}");
        }
    }

    #[test]
    fn a_list_is_cut_at_its_own_commas() {
        let list = AddressList::new(br#""x,y" <sip:a@b>;q="1,2", sip:c@d ,, <tel:+1>"#);
        let uris: Vec<_> = list.map(|address| address.uri).collect();
        assert_eq!(uris, [&b"sip:a@b"[..], b"sip:c@d", b"tel:+1"]);
    }

    #[test]
    fn grammar_errors_are_seen_where_the_reading_goes_on() {
        for good in ["<sip:a@b>", "A B <sip:a@b>;tag=1", "\"\" <sip:a@b>, sip:c@d", "*"] {
            assert!(AddressList::is_well_formed(good.as_bytes()), "{good}");
        }
        for bad in [
            "\"open <sip:a@b>",
            "< sip:a@b>",
            "Bell, Al <sip:a@b>",
            "<sip:a@b>;;x",
            "",
            "<sip:a@b",
            "sip:a@b?To=x",
            "<sip:a@b>,",
        ] {
            assert!(!AddressList::is_well_formed(bad.as_bytes()), "{bad}");
        }
    }
}
