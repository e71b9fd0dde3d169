//! Addresses of record in their normal form (RFC 3261 §10.3 step 5): what registrations are told apart by.

use memchr::memchr;
use overhear_parsers::sip::Uri;
use overhear_parsers::sip::uri::Scheme;

/// The address of record of a To value that has it in its normal form already: `<sip:user@host>` and
/// parameters of the header, nothing quoted, no password, no port. Nearly all are like this.
pub(super) fn plain(value: &[u8]) -> Option<&[u8]> {
    let (uri, rest) = bracketed(value)?;
    let (user, host) = {
        let part = uri.strip_prefix(b"sip:")?;
        let (user, host) = part.split_at_checked(memchr(b'@', part)?)?;
        (user, host.strip_prefix(b"@")?)
    };
    let all = |text: &[u8], part: u8| {
        let part_of = |octet: &u8| PARTS.get(usize::from(*octet)).is_some_and(|of| of & part != 0);
        !text.is_empty() && text.iter().all(part_of)
    };
    let is_plain = all(user, USER) && all(host, HOST) && (rest == b">" || rest.starts_with(b">;"));
    is_plain.then_some(uri)
}

/// What stands between the brackets that a value begins with, and what follows from the second one on.
pub(super) fn bracketed(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let address = value.strip_prefix(b"<")?;
    address.split_at_checked(memchr(b'>', address)?)
}

/// May stand in the user part of a normal form, in its host.
const USER: u8 = 1;
const HOST: u8 = 2;

/// Where each octet may stand.
static PARTS: [u8; 256] = {
    let mut parts = [0; 256];
    let mut octet = 0_u8;
    let mut rest: &mut [u8] = &mut parts;
    while let [part, after @ ..] = rest {
        let user = octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'+');
        let host =
            octet.is_ascii_lowercase() || octet.is_ascii_digit() || matches!(octet, b'-' | b'.');
        *part = if user { USER } else { 0 } | if host { HOST } else { 0 };
        octet = octet.wrapping_add(1);
        rest = after;
    }
    parts
};

/// Writes the address of record (RFC 3261 §10.3 step 5): scheme and host in lower case, without
/// password, parameters and headers.
pub(super) fn normalise(uri: &Uri<'_>, into: &mut Vec<u8>) {
    into.clear();
    extend_lower(into, uri.scheme_text);
    if !uri.scheme_text.is_empty() {
        into.push(b':');
    }
    if uri.host.is_empty() && uri.scheme != Scheme::Tel {
        into.extend_from_slice(uri.opaque);
        return;
    }
    if let Some(user) = uri.user {
        into.extend_from_slice(user);
        if uri.scheme != Scheme::Tel {
            into.push(b'@');
        }
    }
    let bracketed = uri.host.contains(&b':');
    into.extend(bracketed.then_some(b'['));
    extend_lower(into, uri.host);
    into.extend(bracketed.then_some(b']'));
    if let Some(port) = uri.port {
        into.extend_from_slice(format!(":{port}").as_bytes());
    }
}

fn extend_lower(into: &mut Vec<u8>, text: &[u8]) {
    let start = into.len();
    into.extend_from_slice(text);
    into.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
}

#[cfg(test)]
mod tests {
    use super::*;
    use overhear_parsers::sip::NameAddr;

    #[test]
    fn the_short_way_to_an_address_of_record_and_the_long_one_agree() {
        for (value, short) in [
            ("<sip:bob@example.org>;tag=1", true),
            ("<sip:+4930@10.0.0.1>", true),
            ("<sip:bob@Example.org>;tag=1", false),
            ("<sips:bob@example.org>", false),
            ("<sip:bob:secret@example.org>", false),
            ("<sip:bob@example.org:5060>", false),
            ("<sip:bob@example.org;user=phone>", false),
            ("\"<sip:eve@example.org>\" <sip:bob@example.org>", false),
            ("sip:bob@example.org;tag=1", false),
            ("<sip:example.org>", false),
            ("<tel:+4930>", false),
        ] {
            let mut long = Vec::new();
            normalise(&NameAddr::parse(value.as_bytes()).unwrap().uri(), &mut long);
            let found = plain(value.as_bytes());
            assert_eq!(found.is_some(), short, "{value}");
            assert!(found.is_none_or(|found| found == long), "{value}");
        }
    }
}
