//! Text from the wire, made safe to print on a terminal.
//!
//! Display names and header values are chosen by strangers. Escape sequences could recolour or
//! rewrite the report, bidirectional overrides could reorder it, zero-width characters could make
//! two names look the same. Such characters are shown as `\u{..}`; other Unicode is kept. Widths
//! are columns of the terminal, not characters.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// The mark of text that was cut.
const ELLIPSIS: char = '…';

/// Whether `c` must not reach a terminal, or another reader's eyes, as it is.
pub fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' // C0, DEL, C1
        | '\u{ad}' // soft hyphen
        | '\u{61c}' // Arabic letter mark
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // fillers that print nothing
        | '\u{180b}'..='\u{180f}' // Mongolian variation selectors and vowel separator
        | '\u{200b}'..='\u{200f}' // zero width, direction marks
        | '\u{2028}'..='\u{202e}' // line and paragraph separators, embeddings, overrides
        | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates
        | '\u{fe00}'..='\u{fe0f}' // variation selectors
        | '\u{feff}' // byte order mark
        | '\u{fff9}'..='\u{fffb}' // interlinear annotation
        | '\u{1d173}'..='\u{1d17a}' // musical formatting
        | '\u{e0000}'..='\u{e0fff}' // tags, variation selectors
    )
}

/// `text` with unsafe characters as visible escapes.
pub fn safe(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|octet| matches!(octet, 0x20..=0x7e)) || !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_add(16));
    for c in text.chars() {
        escape(c, &mut out);
    }
    Cow::Owned(out)
}

/// The columns that safe text takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(columns).sum() }
}

/// Safe text of at most `limit` columns; an ellipsis replaces what was cut. An escape is never cut
/// in two.
pub fn fit(text: &str, limit: usize) -> Cow<'_, str> {
    let text_is_short = text.len() <= limit && text.bytes().all(|b| matches!(b, 0x20..=0x7e));
    if text_is_short {
        return Cow::Borrowed(text);
    }
    let (mut out, mut used) = (String::new(), 0_usize);
    // Where to cut if the rest does not fit: the last place with a column left for the ellipsis.
    let mut cut = 0;
    let mut piece = String::new();
    for c in text.chars() {
        piece.clear();
        escape(c, &mut piece);
        let after = used.saturating_add(width(&piece));
        if after > limit {
            out.truncate(cut);
            if limit > 0 {
                out.push(ELLIPSIS);
            }
            return Cow::Owned(out);
        }
        out.push_str(&piece);
        used = after;
        if used < limit {
            cut = out.len();
        }
    }
    Cow::Owned(out)
}

/// Safe text of exactly `columns` columns, cut or filled with spaces on the right.
pub fn pad(text: &str, columns: usize) -> String {
    let mut out = fit(text, columns).into_owned();
    let missing = columns.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// Safe text broken at spaces into lines of at most `columns`; a longer word is cut in pieces.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0_usize);
    for word in safe(text).split(' ').filter(|word| !word.is_empty()) {
        let long = width(word);
        if used > 0 && used.saturating_add(1).saturating_add(long) > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used = used.saturating_add(1);
        }
        for c in word.chars() {
            if used.saturating_add(self::columns(c)) > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used = used.saturating_add(self::columns(c));
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

fn escape(c: char, out: &mut String) {
    if is_unsafe(c) {
        out.extend(c.escape_unicode());
    } else {
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_fool_a_reader_is_shown() {
        for (text, shown) in [
            ("Alice", "Alice"),
            ("Zoë 東京 🙂", "Zoë 東京 🙂"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\u{9b}31m", "a\\u{9b}31m"),
            ("a\u{202e}gpj.exe", "a\\u{202e}gpj.exe"),
            ("ad\u{200b}min\u{2066}", "ad\\u{200b}min\\u{2066}"),
            ("two\r\nlines\u{2028}", "two\\u{d}\\u{a}lines\\u{2028}"),
            ("del\u{7f}", "del\\u{7f}"),
        ] {
            assert_eq!(safe(text), shown);
        }
    }

    #[test]
    fn cutting_counts_columns_and_keeps_escapes_whole() {
        assert_eq!(fit("Alice", 5), "Alice");
        assert_eq!(fit("Alicia", 5), "Alic…");
        assert_eq!(fit("東京都", 5), "東京…");
        assert_eq!(fit("東京都", 6), "東京都");
        assert_eq!(fit("ab\u{1b}cd", 7), "ab…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(pad("東", 4), "東  ");
    }

    #[test]
    fn long_words_are_broken_and_short_ones_kept_together() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghijkl", 8), ["abcdefgh", "ijkl"]);
        assert_eq!(wrap("", 8), [""]);
    }

    proptest! {
        #[test]
        fn nothing_unsafe_and_nothing_too_wide_comes_out(text in "\\PC*|.*", limit in 0usize..40) {
            let cut = fit(&text, limit);
            prop_assert!(width(&cut) <= limit);
            prop_assert!(!cut.chars().any(is_unsafe));
            prop_assert_eq!(width(&pad(&text, limit)), limit);
            prop_assert!(!safe(&text).chars().any(is_unsafe));
            for line in wrap(&text, limit) {
                prop_assert!(width(&line) <= limit.max(8));
            }
        }
    }
}
