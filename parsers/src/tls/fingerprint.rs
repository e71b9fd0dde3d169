//! What hellos look like, as the strings that JA3, JA3S and JA4 hash. Only the client's JA4 is free to
//! use. GREASE is left out everywhere.
//!
//! JA3: version, suites, extensions, groups, point formats, in decimal, joined by `-` and `,`. JA4: a
//! readable part, then two hashes of sorted lists in hexadecimal.

use std::fmt::Write as _;

use super::client_hello::ClientHello;
use super::extension::{self, is_grease};
use super::server_hello::ServerHello;

/// Appends the string of which JA3 is the MD5.
pub fn ja3(hello: &ClientHello<'_>, out: &mut String) {
    // Writing to a string cannot fail, here and below.
    let _ = write!(out, "{},", hello.version);
    decimals(hello.suites.meant(), out);
    out.push(',');
    decimals(hello.extensions.iter().map(|(kind, _)| kind).filter(|kind| !is_grease(*kind)), out);
    out.push(',');
    decimals(hello.groups.meant(), out);
    out.push(',');
    decimals(hello.point_formats.iter().map(|format| u16::from(*format)), out);
}

/// Appends the string of which JA3S is the MD5.
pub fn ja3s(hello: &ServerHello<'_>, out: &mut String) {
    let _ = write!(out, "{},{},", hello.version, hello.suite);
    decimals(hello.extensions.iter().map(|(kind, _)| kind).filter(|kind| !is_grease(*kind)), out);
}

fn decimals(codes: impl Iterator<Item = u16>, out: &mut String) {
    for (number, code) in codes.enumerate() {
        let _ = write!(out, "{}{code}", if number == 0 { "" } else { "-" });
    }
}

/// The three parts of JA4, the last two before they are hashed; an empty list hashes to zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ja4 {
    /// The readable part: `t13d1516h2`.
    pub shape: String,
    /// Suites, sorted: `002f,0035,..`.
    pub suites: String,
    /// Extensions but `server_name` and ALPN, sorted, `_` and signature schemes in order.
    pub extensions: String,
}

/// What a hello came over.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// TLS over TCP.
    Tcp,
    /// DTLS.
    Dtls,
    /// QUIC.
    Quic,
}

impl Over {
    /// With which JA4 begins.
    const fn letter(self) -> char {
        match self {
            Self::Tcp => 't',
            Self::Dtls => 'd',
            Self::Quic => 'q',
        }
    }
}

impl Ja4 {
    /// Of a hello.
    pub fn of(hello: &ClientHello<'_>, over: Over) -> Self {
        let mut suites: Vec<u16> = hello.suites.meant().collect();
        let mut kinds: Vec<u16> = hello
            .extensions
            .iter()
            .map(|(kind, _)| kind)
            .filter(|kind| !is_grease(*kind))
            .collect();
        let shape = format!(
            "{}{}{}{:02}{:02}{}",
            over.letter(),
            version(hello.highest_version()),
            if hello.present.has(extension::SERVER_NAME) { 'd' } else { 'i' },
            suites.len().min(99),
            kinds.len().min(99),
            protocol(hello.alpn),
        );
        suites.sort_unstable();
        kinds.retain(|kind| !matches!(*kind, extension::SERVER_NAME | extension::ALPN));
        kinds.sort_unstable();
        let mut extensions = hexadecimals(kinds.into_iter());
        if !hello.signatures.is_empty() && !extensions.is_empty() {
            extensions.push('_');
            extensions.push_str(&hexadecimals(hello.signatures.meant()));
        }
        Self { shape, suites: hexadecimals(suites.into_iter()), extensions }
    }
}

fn hexadecimals(codes: impl Iterator<Item = u16>) -> String {
    let mut out = String::new();
    for code in codes {
        let _ = write!(out, "{}{code:04x}", if out.is_empty() { "" } else { "," });
    }
    out
}

const fn version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last character of the first protocol; where one is no letter or digit, the first and the
/// last hexadecimal digit of the name instead.
fn protocol(list: &[u8]) -> String {
    let name = extension::protocols(list).next();
    let (Some(first), Some(last)) = (name.and_then(<[u8]>::first), name.and_then(<[u8]>::last))
    else {
        return "00".to_owned();
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)].into_iter().collect();
    }
    format!("{:x}{:x}", first >> 4, last & 0x0f)
}

#[cfg(test)]
mod tests {
    use super::super::client_hello::tests::hello;
    use super::*;

    #[test]
    fn a_hello_becomes_its_strings() {
        let octets = hello(&[
            (0x2a2a, &[]),
            (0, &[0, 4, 0, 0, 1, b'a']),
            (16, &[0, 3, 2, b'h', b'2']),
            (43, &[4, 0x1a, 0x1a, 3, 4]),
            (10, &[0, 4, 0x1a, 0x1a, 0, 0x1d]),
            (11, &[1, 0]),
            (13, &[0, 4, 8, 4, 4, 3]),
        ]);
        let hello = ClientHello::parse(&octets).unwrap();
        let mut text = String::new();
        ja3(&hello, &mut text);
        assert_eq!(text, "771,49199-5,0-16-43-10-11-13,29,0");
        let ja4 = Ja4::of(&hello, Over::Tcp);
        assert_eq!(ja4.shape, "t13d0206h2");
        assert_eq!(ja4.suites, "0005,c02f");
        assert_eq!(ja4.extensions, "000a,000b,000d,002b_0804,0403");
    }

    #[test]
    fn nothing_offered_is_nothing_to_hash() {
        let octets = hello(&[]);
        let ja4 = Ja4::of(&ClientHello::parse(&octets).unwrap(), Over::Dtls);
        assert_eq!((ja4.shape.as_str(), ja4.extensions.as_str()), ("d12i020000", ""));
        assert_eq!(protocol(&[2, 0xab, 0xcd]), "ad");
        assert_eq!(protocol(&[1, b'x']), "xx");
    }

    #[test]
    fn an_answer_becomes_its_string() {
        let octets = [&[3, 3][..], &[1; 32], &[0, 0xc0, 0x2f, 0, 0, 5, 0xff, 1, 0, 1, 0]].concat();
        let mut text = String::new();
        ja3s(&ServerHello::parse(&octets).unwrap(), &mut text);
        assert_eq!(text, "771,49199,65281");
    }
}
