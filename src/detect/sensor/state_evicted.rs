//! `SENSOR-STATE-EVICTED`: a table was full, so that "no finding" may mean "no memory".

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::CaptureSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::plural;
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A table that reached its limit: entries were put out, or not taken in, before they had
    /// ended.
    ///
    /// ## Why it matters
    /// A call may have been split in two, a stream not judged, a retransmission not recognised.
    /// Without this finding, "nothing found" could silently mean "no room to look".
    ///
    /// ## Evidence
    /// The tables with their number of evicted entries; `--limits` prints what each may hold.
    ///
    /// ## False positives
    /// An attack that opens many calls or streams fills tables on purpose: then raising the limit
    /// is not the cure.
    ///
    /// ## Fix
    /// Raise the limit named, or analyse a shorter piece of the capture.
    id: "SENSOR-STATE-EVICTED",
    name: "sensor-state-evicted",
    title: "Not everything could be kept in memory",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [],
    references: ["RFC 3261 §26.3.2.4"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
#[derive(Default)]
pub(crate) struct StateEvicted {
    tables: Vec<(&'static str, u64)>,
}

pub(crate) fn new(_: &Policy) -> StateEvicted {
    StateEvicted::default()
}

impl Detector for StateEvicted {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn end(&mut self, seen: &CaptureSeen<'_>, sink: &mut Sink) {
        self.tables =
            seen.record.evicted.iter().map(|(table, n)| (*table, *n)).filter(|t| t.1 > 0).collect();
        for (table, evicted) in &self.tables {
            sink.sighting(Sighting::new(&META, Subject::capture(), seen.last), |_| {
                (format!("{} of table {table} by the end", plural(*evicted, "eviction")), None)
            })
            .times(*evicted);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let tables: Vec<_> =
            self.tables.iter().map(|(table, n)| format!("{table} ({n})")).collect();
        Words {
            summary: format!(
                "{} from full tables: {}. What is not in this report may have been there.",
                plural(entry.count, "eviction"),
                tables.join(", "),
            ),
            parameters: self.tables.iter().map(|(table, n)| (*table, Figure::Count(*n))).collect(),
        }
    }
}
