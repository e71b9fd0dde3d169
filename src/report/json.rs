//! The report as JSON, schema `overhear.report/1` (`docs/overhear.report.schema.json`).
//!
//! Records go from the archive to the output one at a time: the document is never in memory. One
//! record stands on a line, so that reports can be compared with `diff`. Characters that could act
//! on a terminal are written as `\u` escapes, which changes nothing for a JSON reader.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::encode::encode;
use super::outcome::Outcome;
use super::pieces::{self, List, Lists, Makers};
use crate::policy::Reveals;

/// The schema's number: a key that changes its meaning needs another one.
pub const SCHEMA: &str = "overhear.report/1";

/// Writes the report, in large pieces, with the help of so many threads.
///
/// # Errors
/// Those of `out`.
pub fn write(outcome: &mut Outcome, threads: usize, out: &mut impl Write) -> io::Result<()> {
    outcome.book_archive();
    let Outcome { archive, findings, .. } = outcome;
    let lists = Lists { archive: archive.sorted(), findings };
    let Outcome { capture, counts, limits, tls, peers, policy, secrets, .. } = outcome;
    pieces::with(threads, lists, |makers| {
        let mut document = Document { to: out, octets: Vec::new(), members: 0 };
        document.member("schema", SCHEMA)?;
        document.member("tool", &Tool::with(policy.reveals))?;
        document.member("capture", capture)?;
        document.member("counts", counts)?;
        document.list("calls", List::Calls, makers)?;
        document.list("registrations", List::Registrations, makers)?;
        document.list("streams", List::Streams, makers)?;
        document.list("handshakes", List::Handshakes, makers)?;
        document.member("tls_offers", tls.offers())?;
        document.member("quic", tls.quic())?;
        document.member("tls_peers", &Each(|| tls.peers()))?;
        document.member("tls_pairs", &Each(|| tls.pairs()))?;
        // Filled by later versions.
        for later in ["identities", "trunks", "sources"] {
            document.member(later, &[(); 0])?;
        }
        document.member("peers", peers)?;
        document.list("findings", List::Findings, makers)?;
        document.lines("secrets", secrets)?;
        document.member("limits", limits)?;
        document.end()
    })
}

/// The document's own object, written member by member.
struct Document<'a, W> {
    to: &'a mut W,
    /// What waits to be written.
    octets: Vec<u8>,
    members: usize,
}

impl<W: Write> Document<'_, W> {
    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
        self.name(name);
        encode(value, &mut self.octets)
    }

    /// An array that is made in pieces.
    fn list(&mut self, name: &str, list: List, makers: &mut Makers<'_>) -> io::Result<()> {
        self.name(name);
        self.raw("[");
        self.to.write_all(&self.octets)?;
        self.octets.clear();
        makers.write(list, self.to)?;
        self.raw("]");
        Ok(())
    }

    /// A short array, an element a line.
    fn lines(&mut self, name: &str, values: &[impl Serialize]) -> io::Result<()> {
        self.name(name);
        let mut before = "[\n";
        for value in values {
            self.raw(before);
            encode(value, &mut self.octets)?;
            before = ",\n";
        }
        self.raw(if values.is_empty() { "[]" } else { "]" });
        Ok(())
    }

    fn name(&mut self, name: &str) {
        self.raw(if self.members == 0 { "{\n\"" } else { ",\n\"" });
        self.members = self.members.saturating_add(1);
        self.raw(name);
        self.raw("\":");
    }

    fn raw(&mut self, json: &str) {
        self.octets.extend_from_slice(json.as_bytes());
    }

    fn end(mut self) -> io::Result<()> {
        self.raw("\n}\n");
        self.to.write_all(&self.octets)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::safe::is_unsafe;
    use crate::report::sample;
    use serde_json::Value;

    fn written() -> String {
        let mut octets = Vec::new();
        write(&mut sample::outcome(), 1, &mut octets).unwrap();
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
        outcome.archive.sorted().streams(&mut (), |(), _| count()).unwrap();
        let between = spent();
        write(&mut outcome, 1, &mut io::BufWriter::new(io::sink())).unwrap();
        let written = spent() - between;
        println!(
            "{read} records: read {} ns, read and written {} ns a record",
            (between - start) / 1_500_000,
            written / 1_500_000
        );
    }
}
