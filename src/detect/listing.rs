//! The catalogue for readers: the list of rules, the explanation of one, and its page under
//! `docs/rules/`. Everything comes from the rules' own documentation ([`Meta`]).

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::rule::{HEADINGS, Meta};
use super::{CATALOGUE, rule};
use crate::policy::Thresholds;

/// Columns of the terminal text.
const COLUMNS: usize = 80;

/// Every rule: id, highest severity, title; long titles go on below.
pub fn text() -> String {
    let ids = CATALOGUE.iter().map(|registered| registered.meta.id.len());
    let width = ids.max().unwrap_or_default();
    let mut out = String::new();
    for registered in CATALOGUE {
        let meta = registered.meta;
        let start = format!("{:width$}  {:8}", meta.id, meta.highest.word());
        let hang = start.chars().count() + 2;
        fill(&mut out, &start, hang, meta.title);
    }
    out
}

/// Every rule as an array of objects.
pub fn json() -> Value {
    CATALOGUE.iter().map(|registered| object(registered.meta)).collect()
}

/// What `overhear explain` prints, or `None` for an id that no rule has.
pub fn explain(id: &str) -> Option<String> {
    let meta = rule(id)?;
    let mut out = format!("{}\n{}\n", meta.id, meta.title);
    let _ = writeln!(out, "Severity {}; {}", meta.severities(), meta.status.word());
    for heading in HEADINGS {
        let _ = write!(out, "\n{heading}\n{}", wrapped(&meta.section(heading)));
    }
    let _ = write!(out, "\nWhat to do\n{}", wrapped(meta.remediation));
    if !meta.thresholds.is_empty() {
        let _ = write!(out, "\nThresholds\n");
        for name in meta.thresholds {
            let _ = writeln!(out, "  {name} = {}", default_of(name));
        }
    }
    let _ = write!(out, "\nStandards\n{}", wrapped(&meta.references.join(", ")));
    Some(out)
}

/// The page `docs/rules/<ID>.md`, or `None` for an id that no rule has.
pub fn markdown(id: &str) -> Option<String> {
    rule(id).map(render_markdown)
}

/// One rule's page.
pub fn render_markdown(meta: &Meta) -> String {
    let mut out = format!("# {}: {}\n\n", meta.id, meta.title);
    out.push_str("<!-- Generated from the rule's source; edit that instead. -->\n\n");
    let _ = writeln!(out, "| | |\n| --- | --- |");
    let _ = writeln!(out, "| Name | `{}` |", meta.name);
    let _ = writeln!(out, "| Severity | {} |", meta.severities());
    let _ = writeln!(out, "| Status | {}, since {} |", meta.status.word(), meta.since);
    if let Some(question) = meta.question {
        let _ = writeln!(out, "| Answers | {question} |");
    }
    for name in meta.thresholds {
        let _ = writeln!(out, "| Threshold | `{name}` = {} |", default_of(name));
    }
    let _ = writeln!(out, "| Standards | {} |", meta.references.join(", "));
    for heading in HEADINGS {
        let _ = write!(out, "\n## {heading}\n\n{}\n", meta.section(heading));
    }
    let _ = write!(out, "\n## Remediation in the report\n\n{}\n", meta.remediation);
    out
}

fn object(meta: &Meta) -> Value {
    let thresholds: serde_json::Map<String, Value> =
        meta.thresholds.iter().map(|name| ((*name).to_owned(), json!(default_of(name)))).collect();
    json!({
        "id": meta.id,
        "name": meta.name,
        "title": meta.title,
        "severity": { "lowest": meta.lowest, "highest": meta.highest },
        "status": meta.status.word(),
        "since": meta.since,
        "question": meta.question,
        "thresholds": thresholds,
        "references": meta.references,
        "remediation": meta.remediation,
        "docs": HEADINGS.iter().map(|heading| ((*heading).to_owned(), json!(meta.section(heading))))
            .collect::<serde_json::Map<_, _>>(),
    })
}

/// The default of a threshold, as configuration would write it; `?` for a name that none has,
/// which a test refuses.
fn default_of(name: &str) -> Value {
    Thresholds::default().named(name).map_or_else(|| json!("?"), |value| json!(value))
}

/// Paragraphs and lists, indented by two and wrapped.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    for paragraph in paragraphs(text) {
        match paragraph.strip_prefix("* ") {
            Some(item) => fill(&mut out, "  *", 4, item),
            None => fill(&mut out, "", 2, &paragraph),
        }
    }
    out
}

/// Writes `text` wrapped at [`COLUMNS`] and indented by `hang`; the first line begins with
/// `start` instead, which is shorter than that.
fn fill(out: &mut String, start: &str, hang: usize, text: &str) {
    let _ = write!(out, "{start:hang$}");
    let mut column = hang;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column == hang {
            out.push_str(word);
            column += width;
        } else if column + 1 + width > COLUMNS {
            let _ = write!(out, "\n{:hang$}{word}", "");
            column = hang + width;
        } else {
            let _ = write!(out, " {word}");
            column += 1 + width;
        }
    }
    out.push('\n');
}

/// Lines put together, split at empty lines and at list marks.
fn paragraphs(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut begins = true;
    for line in text.lines().map(str::trim) {
        match found.last_mut() {
            _ if line.is_empty() => begins = true,
            Some(last) if !begins && !line.starts_with("* ") => {
                last.push(' ');
                last.push_str(line);
            }
            _ => {
                found.push(line.to_owned());
                begins = false;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_that_a_rule_names_exists() {
        for registered in CATALOGUE {
            for name in registered.meta.thresholds {
                assert_ne!(default_of(name), json!("?"), "{} of {}", name, registered.meta.id);
            }
        }
    }

    #[test]
    fn explanations_fit_eighty_columns() {
        for registered in CATALOGUE {
            for line in explain(registered.meta.id).unwrap().lines() {
                assert!(line.chars().count() <= COLUMNS, "{line}");
            }
        }
        assert_eq!(explain("NO-SUCH-RULE"), None);
    }

    #[test]
    fn the_list_names_every_rule_within_eighty_columns() {
        let text = text();
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS));
        assert_eq!(text.lines().filter(|line| !line.starts_with(' ')).count(), CATALOGUE.len());
        assert_eq!(json().as_array().map(Vec::len), Some(CATALOGUE.len()));
    }
}
