//! Labels for secrets: `secret-<n>`, numbered by first appearance; equal secrets share a label, so
//! that reuse shows and nothing can be guessed.
//!
//! Only a hash of each secret is kept, and only while the run lasts; the secret itself where it is to be
//! shown. Labels are given when a piece of evidence names a secret for the first time.

use std::fmt;
use std::hash::BuildHasher;

use hashbrown::HashMap;

use crate::model::addr::STABLE;
use crate::model::revealed::{Kind, Revealed};

/// Secrets that get a label of their own; evidence is bounded, so this is far away.
const LABELS: usize = 100_000;

/// The labels given so far.
#[derive(Debug, Default)]
pub struct Labels {
    by_hash: HashMap<u64, u32, foldhash::fast::FixedState>,
    /// What stands behind them, where that was asked for.
    revealed: Option<Vec<Revealed>>,
}

impl Labels {
    /// No labels yet; `reveal`: what stands behind them will be shown.
    pub fn new(reveal: bool) -> Self {
        Self { revealed: reveal.then(Vec::new), ..Self::default() }
    }

    /// What stands behind the labels, in their order; nothing unless that was asked for.
    pub fn revealed(self) -> Vec<Revealed> {
        self.revealed.unwrap_or_default()
    }

    /// The label of `secret` with its length: `secret-3 (30 octets)`.
    pub fn label(&mut self, kind: Kind, secret: &[u8]) -> Label {
        let next = u32::try_from(self.by_hash.len()).unwrap_or(u32::MAX).saturating_add(1);
        let hash = STABLE.hash_one(secret);
        let number = match self.by_hash.get(&hash) {
            Some(number) => Some(*number),
            None if self.by_hash.len() < LABELS => {
                self.by_hash.insert(hash, next);
                if let Some(revealed) = &mut self.revealed {
                    revealed.push(Revealed::new(format!("secret-{next}"), kind, secret));
                }
                Some(next)
            }
            None => None,
        };
        Label { number, octets: secret.len() }
    }

    /// The number of a secret's label, if some evidence named it.
    pub fn number(&self, secret: &[u8]) -> Option<u32> {
        self.by_hash.get(&STABLE.hash_one(secret)).copied()
    }
}

/// What is shown in place of a secret.
#[derive(Copy, Clone, Debug, Default)]
pub struct Label {
    number: Option<u32>,
    octets: usize,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "secret-{number} ({} octets)", self.octets),
            None => write!(f, "secret ({} octets)", self.octets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_secrets_share_a_label_and_labels_count_up() {
        let mut labels = Labels::default();
        let mut label = |secret: &[u8]| labels.label(Kind::Body, secret).to_string();
        assert_eq!(label(b"one"), "secret-1 (3 octets)");
        assert_eq!(label(b"other"), "secret-2 (5 octets)");
        assert_eq!(label(b"one"), "secret-1 (3 octets)");
        assert_eq!((labels.number(b"other"), labels.number(b"third")), (Some(2), None));
        assert!(labels.revealed().is_empty());
    }

    #[test]
    fn what_stands_behind_labels_is_kept_only_where_it_was_asked_for() {
        let mut labels = Labels::new(true);
        for secret in ["one", "other", "one"] {
            let _ = labels.label(Kind::Digits, secret.as_bytes());
        }
        let revealed = labels.revealed();
        let shown: Vec<_> = revealed.iter().map(|one| (&*one.label, &*one.value)).collect();
        assert_eq!(shown, [("secret-1", "one"), ("secret-2", "other")]);
    }
}
