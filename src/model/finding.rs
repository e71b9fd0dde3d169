//! A conclusion about behaviour, made only in `detect`, with the frames that prove it.

use serde::Serialize;

use super::addr::Addr;
use super::evidence::{Evidence, FrameRef};
use super::id::RecordId;
use super::packed::packed_words;

/// How much an observer gains today. Ordered: `Info < Low < ... < Critical`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A fact the posture report needs.
    Info,
    /// Hygiene, metadata leak, SHOULD broken.
    Low,
    /// Deprecated or weak mechanism, attempt without success, MUST broken with security effect.
    Medium,
    /// Readable or forgeable with modest work, or protection silently lost, or attack in progress.
    High,
    /// Readable or forgeable by anyone on the path with no further work, or attack succeeding.
    Critical,
}

impl Severity {
    /// Every severity, the worst first: the order of reports.
    pub const DESCENDING: [Self; 5] =
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// One level up; `Critical` stays.
    pub const fn raised(self) -> Self {
        match self {
            Self::Info => Self::Low,
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }
}

/// How sure we are. Ordered: `Low < ... < Certain`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A hint only; never changes a grade.
    Low,
    /// A heuristic with known benign causes.
    Medium,
    /// Statistical, error below 1e-6 by construction.
    High,
    /// Cryptographic or structural proof.
    Certain,
}

packed_words! { Confidence { Low Medium High Certain } }

impl Confidence {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Certain => "certain",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The trunk's name or id; `None` until trunks are known, when `addresses` is the pair of peers.
    pub trunk: Option<String>,
    /// Calls concerned, at most `policy::limits::FINDING_LINKS`, in order of appearance.
    pub calls: Vec<RecordId>,
    /// Streams concerned, likewise.
    pub streams: Vec<RecordId>,
    /// Handshakes concerned, likewise.
    pub handshakes: Vec<RecordId>,
    /// Addresses concerned: a pair of peers, sorted, or one host.
    pub addresses: Vec<Addr>,
}

/// One finding: one rule, one scope, however many packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `<RULE>-<8 hex digits of the scope's hash>`: the same in every capture of the same traffic.
    pub id: String,
    /// The rule, as in `CATALOGUE`: `MEDIA-CLEARTEXT-RTP`.
    pub rule: &'static str,
    /// The severity reached.
    pub severity: Severity,
    /// The confidence reached.
    pub confidence: Confidence,
    /// One line naming the bad thing.
    pub title: String,
    /// A sentence or two with the figures: "7 of 9 streams, 12 minutes of speech".
    pub summary: String,
    /// What it is about.
    pub scope: Scope,
    /// The first and last sighting.
    pub first_seen: FrameRef,
    /// The last sighting.
    pub last_seen: FrameRef,
    /// Sightings in all.
    pub count: u64,
    /// Where the threshold was crossed.
    pub first_alert: FrameRef,
    /// At most five sightings.
    pub evidence: Vec<Evidence>,
    /// Thresholds in force and figures reached, by name, in the rule's order.
    pub parameters: Vec<(&'static str, Figure)>,
    /// What to do, from the rule.
    pub remediation: &'static str,
    /// Standards, from the rule.
    pub references: &'static [&'static str],
}

/// A value in a finding's parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    /// A count.
    Count(u64),
    /// A ratio, a duration in the unit its name carries.
    Number(f64),
    /// A word.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

// Figures are compared in tests only, and never hold NaN.
impl Eq for Figure {}
