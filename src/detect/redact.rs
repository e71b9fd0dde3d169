//! Labels for secrets: `secret-<n>`, numbered by first appearance; equal secrets share a label, so
//! that reuse shows and nothing can be guessed.
//!
//! Only a hash of each secret is kept, and only while the run lasts. Labels are given when a piece
//! of evidence names a secret for the first time.

use std::fmt;
use std::hash::BuildHasher;

use hashbrown::HashMap;

use crate::model::addr::STABLE;

/// Secrets that get a label of their own; evidence is bounded, so this is far away.
const LABELS: usize = 100_000;

/// The labels given so far.
#[derive(Debug, Default)]
pub struct Labels {
    by_hash: HashMap<u64, u32, foldhash::fast::FixedState>,
}

impl Labels {
    /// The label of `secret` with its length: `secret-3 (30 octets)`.
    pub fn label(&mut self, secret: &[u8]) -> Label {
        let next = u32::try_from(self.by_hash.len()).unwrap_or(u32::MAX).saturating_add(1);
        let hash = STABLE.hash_one(secret);
        let number = match self.by_hash.get(&hash) {
            Some(number) => Some(*number),
            None if self.by_hash.len() < LABELS => {
                self.by_hash.insert(hash, next);
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
        assert_eq!(labels.label(b"one").to_string(), "secret-1 (3 octets)");
        assert_eq!(labels.label(b"other").to_string(), "secret-2 (5 octets)");
        assert_eq!(labels.label(b"one").to_string(), "secret-1 (3 octets)");
        assert_eq!((labels.number(b"other"), labels.number(b"third")), (Some(2), None));
    }
}
