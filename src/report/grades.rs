//! Grades of TLS for a person: a line for each pair of peers, the worst first.

use std::io::{self, Write};

use super::text::{COLUMN, Ink, Layout, grouped};
use crate::model::tls_peer::TlsPairRecord;

/// Pairs shown; the rest is counted.
const SHOWN: usize = 8;

/// Grades, worst first.
const ORDER: [&str; 10] = ["F", "T", "M", "E", "D", "C", "B", "A-", "A", "A+"];

/// Prints the grades, if there are any.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(
    pairs: impl Iterator<Item = TlsPairRecord>,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    let place = |pair: &TlsPairRecord| ORDER.iter().position(|grade| *grade == pair.grade);
    let (mut worst, mut graded): (Vec<(usize, TlsPairRecord)>, usize) = (Vec::new(), 0);
    for (place, pair) in pairs.filter_map(|pair| Some((place(&pair)?, pair))) {
        graded = graded.saturating_add(1);
        worst.push((place, pair));
        worst.sort_by_key(|(place, pair)| (*place, std::cmp::Reverse(pair.handshakes)));
        worst.truncate(SHOWN);
    }
    for (number, (_, pair)) in worst.iter().enumerate() {
        let label = if number == 0 { "TLS GRADES" } else { "" };
        layout.item(out, (label, Some(Ink::Bold)), COLUMN, &line(pair))?;
    }
    match graded.saturating_sub(SHOWN) {
        0 => Ok(()),
        more => {
            let text = format!("and {} more pairs; --json has them all", grouped(more as u64));
            layout.item(out, ("", None), COLUMN, &text)
        }
    }
}

/// `B 192.0.2.10 and 198.51.100.5: no forward secrecy; A with suites ...`.
fn line(pair: &TlsPairRecord) -> String {
    let TlsPairRecord { a, b, grade, .. } = pair;
    let held = pair.caps.iter().filter(|cap| cap.grade == *grade);
    let held: Vec<String> =
        held.map(|cap| format!("{} ({})", cap.reason, grouped(cap.count))).collect();
    let why = if held.is_empty() { String::new() } else { format!(": {}", held.join(", ")) };
    let next = pair.next.as_ref();
    let next = next.map(|next| format!("; {} with {}", next.grade, next.by.join(", and ")));
    let both = if a == b { a.clone() } else { format!("{a} and {b}") };
    format!("{grade} {both}{why}{}", next.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tls_peer::{CapRecord, Next};

    fn pair(b: u8, grade: &'static str) -> TlsPairRecord {
        TlsPairRecord {
            a: "192.0.2.1".to_owned(),
            b: format!("198.51.100.{b}"),
            servers: vec!["b"],
            handshakes: 3,
            completed: 3,
            refused: 0,
            incomplete: 0,
            grade,
            score: Some(90),
            caps: vec![CapRecord { grade, reason: "no forward secrecy", count: 2 }],
            next: Some(Next { grade: "A", by: vec!["ECDHE"] }),
            unseen: Vec::new(),
            carries: Vec::new(),
            announced: Vec::new(),
            confidence: Some("low"),
        }
    }

    fn printed(pairs: &[TlsPairRecord]) -> String {
        let mut out = Vec::new();
        write(pairs.iter().cloned(), Layout { width: 100, colour: false }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_worst_pair_comes_first_with_what_holds_it_down_and_what_would_raise_it() {
        let text = printed(&[pair(1, "B"), pair(2, "F"), pair(3, "not observed")]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("TLS GRADES") && lines[0].contains("F 192.0.2.1 and"));
        assert!(lines[1].ends_with("no forward secrecy (2); A with ECDHE"), "{text}");
        assert_eq!(printed(&[]), "");
    }

    #[test]
    fn more_pairs_than_a_person_reads_are_counted() {
        let text = printed(&(0..20).map(|b| pair(b, "C")).collect::<Vec<_>>());
        assert!(text.contains("and 12 more pairs"), "{text}");
    }
}
