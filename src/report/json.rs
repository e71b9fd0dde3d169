//! The report as JSON, schema `overhear.report/1` (`docs/overhear.report.schema.json`).
//!
//! Records go from the archive to the output one at a time: the document is never in memory. One
//! record stands on a line, so that reports can be compared with `diff`. Characters that could act
//! on a terminal are written as `\u` escapes, which changes nothing for a JSON reader.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::encode::encode;
use super::outcome::Outcome;
use super::records::{Json, Object, Out, array};
use crate::model::finding::Finding;
use crate::policy::Reveals;

/// The schema's number: a key that changes its meaning needs another one.
pub const SCHEMA: &str = "overhear.report/1";

/// Octets gathered before they are written: few enough to stay in a core's own cache.
const PIECE: usize = 256 << 10;

/// Writes the report, in large pieces.
///
/// # Errors
/// Those of `out`.
pub fn write(outcome: &mut Outcome, out: &mut impl Write) -> io::Result<()> {
    outcome.book_archive();
    let Outcome { capture, counts, archive, findings, limits, .. } = outcome;
    let Outcome { tls, peers, policy, secrets, .. } = outcome;
    let cited = Cited(findings);
    let mut document = Document { to: out, out: Out::default(), members: 0, elements: 0 };
    document.member("schema", SCHEMA)?;
    document.member("tool", &Tool::with(policy.reveals))?;
    document.member("capture", capture)?;
    document.member("counts", counts)?;
    document.list("calls");
    archive.calls(|row| {
        let out = document.element()?;
        row.record.members(out);
        out.raw(",\"exposure\":");
        row.exposure.json(out);
        out.raw(",\"exposure_text\":");
        row.exposure.sentence(row.streams).json(out);
        out.raw(",\"exposure_chain\":");
        array(&row.exposure.chain(row.streams), out, Json::json);
        out.raw(",\"streams\":");
        array(row.streams, out, Json::json);
        out.raw(",\"legs\":[]");
        cited.end(row.findings, out);
        Ok(())
    })?;
    document.end_list();
    document.list("registrations");
    archive.registrations(|row| document.row(&row.record, row.findings, &cited))?;
    document.end_list();
    document.list("streams");
    archive.streams(|row| document.row(&row.record, row.findings, &cited))?;
    document.end_list();
    document.list("handshakes");
    archive.handshakes(|row| document.row(&row.record, row.findings, &cited))?;
    document.end_list();
    document.member("tls_offers", tls.offers())?;
    document.member("quic", tls.quic())?;
    document.member("tls_peers", &Each(|| tls.peers()))?;
    document.member("tls_pairs", &Each(|| tls.pairs()))?;
    // Filled by later versions.
    for later in ["identities", "trunks", "sources"] {
        document.member(later, &[(); 0])?;
    }
    document.member("peers", peers)?;
    document.list("findings");
    for finding in findings.iter() {
        finding.json(document.element()?);
    }
    document.end_list();
    document.list("secrets");
    for secret in secrets.iter() {
        encode(secret, &mut document.element()?.octets)?;
    }
    document.end_list();
    document.member("limits", limits)?;
    document.end()
}

/// The document's own object, written member by member.
struct Document<'a, W> {
    to: &'a mut W,
    /// What waits to be written.
    out: Out,
    members: usize,
    /// Elements of the list at hand.
    elements: usize,
}

impl<W: Write> Document<'_, W> {
    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
        self.name(name);
        encode(value, &mut self.out.octets)
    }

    /// Begins an array, an element a line.
    fn list(&mut self, name: &str) {
        self.name(name);
        self.out.raw("[");
        self.elements = 0;
    }

    /// Where the next element of the list is to be written.
    fn element(&mut self) -> io::Result<&mut Out> {
        if self.out.octets.len() >= PIECE {
            self.to.write_all(&self.out.octets)?;
            self.out.octets.clear();
        }
        self.out.raw(if self.elements == 0 { "\n" } else { ",\n" });
        self.elements = self.elements.saturating_add(1);
        Ok(&mut self.out)
    }

    /// An element that is a record with its findings.
    fn row(&mut self, record: &impl Object, places: &[u32], cited: &Cited<'_>) -> io::Result<()> {
        let out = self.element()?;
        record.members(out);
        cited.end(places, out);
        Ok(())
    }

    fn end_list(&mut self) {
        self.out.raw("]");
    }

    fn name(&mut self, name: &str) {
        self.out.raw(if self.members == 0 { "{\n\"" } else { ",\n\"" });
        self.members = self.members.saturating_add(1);
        self.out.raw(name);
        self.out.raw("\":");
    }

    fn end(mut self) -> io::Result<()> {
        self.out.raw("\n}\n");
        self.to.write_all(&self.out.octets)
    }
}

/// Who wrote the report, and which secrets were asked for.
#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
    reveals: Vec<&'static str>,
}

impl Tool {
    fn with(reveals: Reveals) -> Self {
        let reveals = reveals.words().collect();
        Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION"), reveals }
    }
}

/// A list that is made while it is written.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// The findings, of which records name some.
struct Cited<'a>(&'a [Finding]);

impl Cited<'_> {
    /// Ends a record with the ids of the findings at some places of the list.
    fn end(&self, places: &[u32], out: &mut Out) {
        let at = |place: &u32| usize::try_from(*place).ok().and_then(|place| self.0.get(place));
        out.raw(",\"findings\":[");
        let mut before = "";
        for finding in places.iter().filter_map(at) {
            out.raw(before);
            finding.id.json(out);
            before = ",";
        }
        out.raw("]}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::safe::is_unsafe;
    use crate::report::sample;
    use serde_json::Value;

    fn written() -> String {
        let mut octets = Vec::new();
        write(&mut sample::outcome(), &mut octets).unwrap();
        String::from_utf8(octets).unwrap()
    }

    #[test]
    fn hostile_text_is_escaped_and_reads_back_unchanged() {
        let text = written();
        assert!(!text.chars().any(|c| is_unsafe(c) && c != '\n'), "{text}");
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["calls"][2]["call_id"], sample::HOSTILE);
    }

    #[test]
    fn records_stand_on_lines_of_their_own_in_order() {
        let text = written();
        let starts = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(starts("{\"id\":\"c"), 3);
        assert_eq!(starts("{\"id\":\"s"), 3);
        assert_eq!(text.lines().last(), Some("}"));
        let report: Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
        assert_eq!(keys.first().map(|key| key.as_str()), Some("schema"));
        assert_eq!(keys.last().map(|key| key.as_str()), Some("limits"));
    }

    #[test]
    fn links_become_ids() {
        let report: Value = serde_json::from_str(&written()).unwrap();
        let call = &report["calls"][0];
        assert_eq!(call["exposure"], "clear");
        assert_eq!(call["streams"][1], report["streams"][1]["id"]);
        assert_eq!(call["findings"][0], "MEDIA-CLEARTEXT-RTP-0a1b2c3d");
        assert_eq!(report["calls"][1]["exposure"], "protected");
        assert_eq!(report["calls"][2]["exposure"], "no-media");
        assert_eq!(report["findings"][0]["evidence"][0]["frame"], 21);
        assert_eq!(report["handshakes"][0]["sni"], "sip.example.com");
    }

    /// Prints what a record costs; run with `--ignored --nocapture` and a release profile.
    #[test]
    #[ignore = "measures"]
    #[expect(clippy::print_stdout, reason = "a measurement")]
    fn cost_of_a_written_record() {
        let mut outcome = sample::outcome();
        let call = crate::correlate::sample::call(1);
        for frame in 0..500_000 {
            let mut stream = crate::correlate::sample::stream(frame);
            outcome.archive.push_stream(&stream, Some(call.key()), None);
            stream.first_frame += 500_000;
            outcome.archive.push_stream(&stream, None, None);
            outcome.archive.push_call(&crate::correlate::sample::call(frame + 1));
        }
        // Nanoseconds of processor time so far: wall time says little on a busy machine.
        let spent = || {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        };
        let start = spent();
        let mut read = 0;
        let mut count = || {
            read += 1;
            Ok(())
        };
        outcome.archive.calls(|_| count()).unwrap();
        outcome.archive.streams(|_| count()).unwrap();
        let between = spent();
        write(&mut outcome, &mut io::BufWriter::new(io::sink())).unwrap();
        let written = spent() - between;
        println!(
            "{read} records: read {} ns, read and written {} ns a record",
            (between - start) / 1_500_000,
            written / 1_500_000
        );
    }
}
