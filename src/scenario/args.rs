//! One statement's words: options, flags, the two ends, the time; and what is left over.
//!
//! Every accessor remembers the name it was asked for, so that [`Args::finish`] can name the
//! options that a verb has when a text uses one that it has not.

use super::text::Statement;
use super::value;

/// The words of one statement, taken away as they are understood.
#[derive(Clone, Debug)]
pub(super) struct Args<'t> {
    /// The first word.
    pub verb: &'t str,
    /// The indented lines below.
    pub body: &'t [&'t str],
    words: Vec<&'t str>,
    options: Vec<(&'t str, &'t str)>,
    known: Vec<&'static str>,
}

/// When a step begins.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// `+20ms`: that long after the last packet so far; negative is not possible.
    After(i64),
    /// `@2s`: that long after the start.
    At(i64),
}

impl<'t> Args<'t> {
    /// Splits the rest of a statement's line.
    pub(super) fn new(statement: &'t Statement<'t>) -> Result<Self, String> {
        let mut args = Self {
            verb: statement.verb,
            body: &statement.body,
            words: Vec::new(),
            options: Vec::new(),
            known: Vec::new(),
        };
        let mut rest = statement.rest;
        while !rest.is_empty() {
            let (word, after) = first_word(rest)?;
            rest = after;
            match word.split_once('=') {
                Some((key, value)) if !word.starts_with('"') => {
                    if args.options.iter().any(|(known, _)| *known == key) {
                        return Err(format!("`{key}=` is given twice"));
                    }
                    args.options.push((key, value.trim_matches('"')));
                }
                _ => args.words.push(word),
            }
        }
        Ok(args)
    }

    /// The value of `key=`, if given.
    pub(super) fn option(&mut self, key: &'static str) -> Option<&'t str> {
        self.known.push(key);
        let at = self.options.iter().position(|(known, _)| *known == key)?;
        Some(self.options.remove(at).1)
    }

    /// The value of `key=` through `read`, if given.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        self.option(key).map(read).transpose().map_err(|why| format!("{key}: {why}"))
    }

    /// A number, or `default`.
    pub(super) fn number<T: TryFrom<u64>>(
        &mut self,
        key: &'static str,
        default: T,
    ) -> Result<T, String> {
        Ok(self.read(key, value::narrow)?.unwrap_or(default))
    }

    /// A span of time, or `default`, in nanoseconds.
    pub(super) fn span(&mut self, key: &'static str, default: i64) -> Result<i64, String> {
        Ok(self.read(key, value::span)?.unwrap_or(default))
    }

    /// A list of numbers and ranges; empty when not given.
    pub(super) fn ranges(&mut self, key: &'static str) -> Result<Vec<(u64, u64)>, String> {
        Ok(self.read(key, value::ranges)?.unwrap_or_default())
    }

    /// One of the words of `choices`, or the first of them.
    pub(super) fn choice(
        &mut self,
        key: &'static str,
        choices: &[&'static str],
    ) -> Result<&'static str, String> {
        let first = choices.first().copied().unwrap_or_default();
        let Some(given) = self.option(key) else { return Ok(first) };
        choices
            .iter()
            .copied()
            .find(|choice| *choice == given)
            .ok_or_else(|| format!("{key}: `{given}` is not one of {}", choices.join(", ")))
    }

    /// Whether the bare word is there.
    pub(super) fn flag(&mut self, word: &'static str) -> bool {
        self.known.push(word);
        let at = self.words.iter().position(|known| *known == word);
        at.is_some_and(|at| {
            self.words.remove(at);
            true
        })
    }

    /// The next bare word.
    pub(super) fn word(&mut self) -> Option<&'t str> {
        if self.words.is_empty() { None } else { Some(self.words.remove(0)) }
    }

    /// `a > b`: what stands on both sides.
    pub(super) fn ends(&mut self) -> Result<(&'t str, &'t str), String> {
        match (self.word(), self.word(), self.word()) {
            (Some(from), Some(">"), Some(to)) => Ok((from, to)),
            _ => Err(format!("`{}` needs both ends: {} a > b", self.verb, self.verb)),
        }
    }

    /// `+20ms` or `@2s`.
    pub(super) fn when(&mut self) -> Result<Option<When>, String> {
        let Some(at) = self.words.iter().position(|word| word.starts_with(['+', '@'])) else {
            return Ok(None);
        };
        let word = self.words.remove(at);
        if let Some(span) = word.strip_prefix('+') {
            return Ok(Some(When::After(value::span(span)?)));
        }
        Ok(Some(When::At(value::span(word.trim_start_matches('@'))?)))
    }

    /// Refuses what nobody asked for.
    pub(super) fn finish(mut self) -> Result<(), String> {
        let left = self.options.first().map(|(key, _)| format!("{key}="));
        let Some(left) = left.or_else(|| self.words.first().map(|word| (*word).to_owned())) else {
            return Ok(());
        };
        self.known.sort_unstable();
        self.known.dedup();
        Err(format!("`{}` does not know `{left}`; it knows {}", self.verb, self.known.join(", ")))
    }
}

/// The first word of a line and what follows. Quotes keep blanks: `reason="Busy Here"`.
fn first_word(line: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    let end = line.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    if end.is_none() && line.matches('"').count() % 2 == 1 {
        return Err("a quotation mark is not closed".to_owned());
    }
    let (word, rest) = line.split_at_checked(end.unwrap_or(line.len())).unwrap_or((line, ""));
    Ok((word, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::text::statements;

    #[test]
    fn words_options_and_time_are_told_apart() {
        let found = statements("call a > b +20ms reason=\"Busy Here\" early n=0x10\n").unwrap();
        let mut args = Args::new(&found[0]).unwrap();
        assert_eq!(args.when().unwrap(), Some(When::After(20_000_000)));
        assert_eq!(args.ends().unwrap(), ("a", "b"));
        assert_eq!(args.option("reason"), Some("Busy Here"));
        assert_eq!(args.number::<u8>("n", 0).unwrap(), 16);
        assert!(args.flag("early") && !args.flag("late"));
        args.finish().unwrap();
    }

    #[test]
    fn what_is_not_understood_is_named_with_what_would_be() {
        let found = statements("rtp codek=PCMU\n").unwrap();
        let mut args = Args::new(&found[0]).unwrap();
        assert_eq!(args.option("codec"), None);
        assert_eq!(args.finish().unwrap_err(), "`rtp` does not know `codek=`; it knows codec");
    }
}
