//! Octets from the wire as text for evidence: valid UTF-8, nothing a terminal would obey.

use std::fmt::Write as _;

/// At most `limit` octets of `octets` as text; what is not UTF-8 becomes U+FFFD, control and
/// direction characters become escapes (`\r`, `\u{202e}`), and a cut shows as `...`.
pub(crate) fn printable(octets: &[u8], limit: usize) -> String {
    let shown = octets.get(..limit).unwrap_or(octets);
    let mut text = String::with_capacity(shown.len());
    for c in String::from_utf8_lossy(shown).chars() {
        if is_unsafe(c) {
            let _ = write!(text, "{}", c.escape_default());
        } else {
            text.push(c);
        }
    }
    if shown.len() < octets.len() {
        text.push_str("...");
    }
    text
}

/// Whether a terminal could obey `c`: C0, C1, DEL, bidirectional controls, line separators.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{061c}')
}

/// `1 stream`, `2 streams`.
pub(crate) fn plural(n: u64, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {one}{s}")
}

/// `at least ` where a bounded count stopped counting.
pub(crate) fn at_least(exhausted: bool) -> &'static str {
    if exhausted { "at least " } else { "" }
}

/// A length of time for a sentence: `42 seconds`, `12.5 minutes`, `3.1 hours`.
pub(crate) fn spoken_length(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..=119 => plural(seconds, "second"),
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
            printable(b"a\x1b[31m\r\n\xff\xe2\x80\xae", 99),
            "a\\u{1b}[31m\\r\\n\u{fffd}\\u{202e}"
        );
        assert_eq!(printable(b"abcdef", 3), "abc...");
    }

    #[test]
    fn lengths_read_like_speech() {
        assert_eq!(spoken_length(1_000), "1 second");
        assert_eq!(spoken_length(150_000), "2.5 minutes");
        assert_eq!(spoken_length(2 * 3_600_000 + 360_000), "2.1 hours");
    }
}
