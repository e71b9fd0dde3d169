//! Lines to statements: what is a comment, a statement, a body.
//!
//! A line that starts with `#` is a comment and an empty line is nothing. A line that starts in
//! column 1 is a statement; the indented lines below it are its body, empty lines between them
//! included. The indentation of a body's first line is taken off every line of it; what is
//! indented deeper keeps the rest, which is how SIP header folding is written.

/// One statement.
#[derive(Clone, Debug)]
pub(super) struct Statement<'t> {
    /// 1-based line.
    pub line: usize,
    /// The first word.
    pub verb: &'t str,
    /// What follows on the line, trimmed.
    pub rest: &'t str,
    /// The body, without its common indentation and without empty lines at its end.
    pub body: Vec<&'t str>,
}

/// The text of the first comment that says anything.
pub(super) fn title(text: &str) -> Option<&str> {
    text.lines().filter_map(|line| line.strip_prefix('#')).map(str::trim).find(|l| !l.is_empty())
}

/// Splits a text. The error is a line number and a sentence.
pub(super) fn statements(text: &str) -> Result<Vec<Statement<'_>>, (usize, String)> {
    let mut found: Vec<Statement<'_>> = Vec::new();
    let mut indent = 0;
    // Whether an indented line belongs to the last statement: a comment ends a body.
    let mut open = false;
    for (number, raw) in (1..).zip(text.lines()) {
        let line = raw.trim_end();
        let depth = line.len().saturating_sub(line.trim_start().len());
        if line.starts_with('#') {
            open = false;
        } else if line.is_empty() {
            if let (true, Some(last)) = (open, found.last_mut())
                && !last.body.is_empty()
            {
                last.body.push("");
            }
        } else if depth == 0 {
            let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            found.push(Statement { line: number, verb, rest: rest.trim(), body: Vec::new() });
            open = true;
        } else {
            let Some(last) = found.last_mut().filter(|_| open) else {
                return Err((number, "this indented line belongs to no statement".to_owned()));
            };
            if last.body.is_empty() {
                indent = depth;
            }
            last.body.push(line.get(depth.min(indent)..).unwrap_or(line));
        }
    }
    for statement in &mut found {
        while statement.body.last().is_some_and(|line| line.is_empty()) {
            statement.body.pop();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_loses_its_common_indentation_only() {
        let text = "# Title\nudp a > b\n  INVITE x\n   folded\n\n  v=0\n\nset ttl=3\n";
        let found = statements(text).unwrap();
        assert_eq!(title(text), Some("Title"));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].body, ["INVITE x", " folded", "", "v=0"]);
        assert_eq!((found[1].line, found[1].verb, found[1].rest), (8, "set", "ttl=3"));
    }

    #[test]
    fn an_indented_line_without_a_statement_is_refused() {
        assert_eq!(statements("# x\n  lost\n").unwrap_err().0, 2);
    }
}
