//! The findings for a person: by severity, one block a rule, with the frames to open.

use std::io::{self, Write};

use super::outcome::Outcome;
use super::safe::safe;
use super::text::{Ink, Layout, count, frames, grouped};
use crate::model::finding::{Finding, Severity};
use crate::model::frame::FrameId;

/// Findings of one rule shown in full; the rest is counted.
const PER_RULE: usize = 3;

/// Indent of what is said about a rule.
const INDENT: usize = 2;

/// Indent of what is said about one finding.
const DEEPER: usize = 4;

/// Prints the findings, the worst first.
///
/// # Errors
/// Those of `out`.
pub fn write(outcome: &Outcome, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    writeln!(out)?;
    let heading = layout.paint("FINDINGS", Ink::Bold);
    if outcome.findings.is_empty() {
        writeln!(out, "{heading}       none")?;
        return Ok(());
    }
    let of = |severity| outcome.findings.iter().filter(move |finding| finding.severity == severity);
    let counts: Vec<String> = Severity::DESCENDING
        .iter()
        .map(|severity| format!("{} {}", severity.word(), grouped(of(*severity).count() as u64)))
        .collect();
    writeln!(out, "{heading}       {}", counts.join(", "))?;
    for severity in Severity::DESCENDING {
        let mut group: Vec<&Finding> = of(severity).collect();
        group.sort_by_key(|finding| finding.rule);
        for rule in group.chunk_by(|a, b| a.rule == b.rule) {
            block(rule, outcome, layout, out)?;
        }
    }
    Ok(())
}

/// The findings of one rule and severity.
fn block(
    rule: &[&Finding],
    outcome: &Outcome,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(first) = rule.first() else { return Ok(()) };
    writeln!(out)?;
    let word = first.severity.word().to_uppercase();
    let label = format!("{word:8} {}", first.rule);
    layout.item(out, (&label, Some(Ink::of(first.severity))), label.len() + 2, "")?;
    layout.item(out, ("", None), INDENT, &first.title)?;
    for finding in rule.iter().take(PER_RULE) {
        if finding.title != first.title {
            layout.item(out, ("", None), INDENT, &finding.title)?;
        }
        one(finding, outcome, layout, out)?;
    }
    let rest = rule.len().saturating_sub(PER_RULE);
    if rest > 0 {
        let text = format!("and {} more of this rule; --json has them all", grouped(rest as u64));
        layout.item(out, ("", None), INDENT, &text)?;
    }
    Ok(())
}

fn one(
    finding: &Finding,
    outcome: &Outcome,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    layout.item(out, ("  -", None), DEEPER, &finding.summary)?;
    let peers: Vec<String> = finding.scope.addresses.iter().map(ToString::to_string).collect();
    let peers = match (&finding.scope.trunk, peers.as_slice()) {
        (Some(trunk), _) => format!("trunk {}, ", safe(trunk)),
        (None, []) => String::new(),
        (None, [one]) => format!("{one}, "),
        (None, peers) => format!("{}, ", peers.join(" and ")),
    };
    let seen = format!(
        "{peers}{}, confidence {}",
        count(finding.count, "sighting"),
        finding.confidence.word()
    );
    layout.item(out, ("", None), DEEPER, &seen)?;
    let mut at: Vec<FrameId> = finding.evidence.iter().map(|evidence| evidence.at.frame).collect();
    at.sort_unstable();
    at.dedup();
    if at.is_empty() {
        return Ok(());
    }
    let filter = frames(&at, &outcome.capture.sources);
    layout.item(out, ("", None), DEEPER, &format!("Wireshark: {filter}"))
}
