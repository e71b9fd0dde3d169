//! Octets from the wire as text for evidence: valid UTF-8, nothing a terminal would obey.

use std::fmt::{self, Display, Write as _};

/// `format!` with room for a sentence from the start: pieces of evidence are many.
macro_rules! sentence {
    ($($argument:tt)+) => {
        $crate::detect::text::written(format_args!($($argument)+))
    };
}

pub(crate) use sentence;

/// Octets of most sentences.
const SENTENCE: usize = 128;

/// What `sentence!` expands to.
pub(crate) fn written(arguments: fmt::Arguments<'_>) -> String {
    let mut text = String::with_capacity(SENTENCE);
    // A `String` takes everything.
    let _ = text.write_fmt(arguments);
    text
}

/// At most `limit` octets of `octets` as text; what is not UTF-8 becomes U+FFFD, control and
/// direction characters become escapes (`\r`, `\u{202e}`), and a cut shows as `...`.
pub(crate) fn printable(octets: &[u8], limit: usize) -> Printable<'_> {
    let shown = octets.get(..limit).unwrap_or(octets);
    Printable { shown, cut: shown.len() < octets.len() }
}

/// Octets of the wire that can be shown: what [`printable`] makes.
#[derive(Copy, Clone)]
pub(crate) struct Printable<'a> {
    shown: &'a [u8],
    cut: bool,
}

impl Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.shown.iter().all(|octet| matches!(octet, b' '..=b'~'));
        match std::str::from_utf8(self.shown) {
            Ok(text) if plain => f.write_str(text)?,
            _ => write_safe(f, self.shown)?,
        }
        if self.cut { f.write_str("...") } else { Ok(()) }
    }
}

#[cold]
fn write_safe(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    for c in String::from_utf8_lossy(octets).chars() {
        if is_unsafe(c) {
            write!(f, "{}", c.escape_default())?;
        } else {
            f.write_char(c)?;
        }
    }
    Ok(())
}

/// Whether a terminal could obey `c`: C0, C1, DEL, bidirectional controls, line separators.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{061c}')
}

/// `1 stream`, `2 streams`.
pub(crate) fn plural(n: u64, one: &str) -> impl Display {
    Plural(n, one)
}

struct Plural<'a>(u64, &'a str);

impl Display for Plural<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(n, one) = *self;
        n.fmt(f)?;
        f.write_str(" ")?;
        f.write_str(one)?;
        if n == 1 { Ok(()) } else { f.write_str("s") }
    }
}

/// `at least ` where a bounded count stopped counting.
pub(crate) fn at_least(exhausted: bool) -> &'static str {
    if exhausted { "at least " } else { "" }
}

/// A length of time for a sentence: `42 seconds`, `12.5 minutes`, `3.1 hours`.
pub(crate) fn spoken_length(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 if milliseconds > 0 => "less than a second".to_owned(),
        0..=119 => plural(seconds, "second").to_string(),
        120..=7_199 => format!("{}.{} minutes", seconds / 60, seconds % 60 / 6),
        _ => format!("{}.{} hours", seconds / 3_600, seconds % 3_600 / 360),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_printed_can_steer_a_terminal() {
        assert_eq!(
            printable(b"a\x1b[31m\r\n\xff\xe2\x80\xae", 99).to_string(),
            "a\\u{1b}[31m\\r\\n\u{fffd}\\u{202e}"
        );
        assert_eq!(printable(b"abcdef", 3).to_string(), "abc...");
    }

    #[test]
    fn lengths_read_like_speech() {
        assert_eq!(spoken_length(1_000), "1 second");
        assert_eq!(spoken_length(150_000), "2.5 minutes");
        assert_eq!(spoken_length(2 * 3_600_000 + 360_000), "2.1 hours");
    }
}
