//! The report as JSON, schema `overhear.report/1` (`docs/overhear.report.schema.json`).
//!
//! Records go from the archive to the output one at a time: the document is never in memory. One
//! record stands on a line, so that reports can be compared with `diff`. Characters that could act
//! on a terminal are written as `\u` escapes, which changes nothing for a JSON reader.

use std::cell::RefCell;
use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

use super::outcome::Outcome;
use super::safe::is_unsafe;
use crate::correlate::archive::{CallRow, Exposure, Row};
use crate::model::addr::{Addr, Endpoint};
use crate::model::evidence::{Evidence, FrameRef};
use crate::model::finding::{Confidence, Figure, Finding, Scope, Severity};
use crate::model::id::RecordId;
use crate::model::record::{CallRecord, HandshakeKind, HandshakeRecord};
use crate::model::time::Ts;

/// The schema's number: a key that changes its meaning needs another one.
pub const SCHEMA: &str = "overhear.report/1";

/// Writes the report. `out` should be buffered.
///
/// # Errors
/// Those of `out`.
pub fn write(outcome: &mut Outcome, out: &mut impl Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Lines::default());
    document(outcome, &mut serializer).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

fn document<S: Serializer>(outcome: &mut Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    let Outcome { capture, counts, archive, findings, limits, .. } = outcome;
    let findings = findings.as_slice();
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("schema", SCHEMA)?;
    map.serialize_entry("tool", &Tool::this())?;
    map.serialize_entry("capture", capture)?;
    map.serialize_entry("counts", counts)?;
    map.serialize_entry("calls", &Each::new(archive.calls(), |row| CallJson::new(row, findings)))?;
    map.serialize_entry(
        "registrations",
        &Each::new(archive.registrations(), |row| RowJson::new(row, findings)),
    )?;
    map.serialize_entry(
        "streams",
        &Each::new(archive.streams(), |row| RowJson::new(row, findings)),
    )?;
    map.serialize_entry(
        "handshakes",
        &Each::new(archive.handshakes(), |row| HandshakeJson::new(row, findings)),
    )?;
    // Filled by later versions.
    for later in ["identities", "trunks", "sources"] {
        map.serialize_entry(later, &[(); 0])?;
    }
    map.serialize_entry("findings", &Each::new(findings.iter(), FindingJson::from))?;
    map.serialize_entry("limits", limits)?;
    map.end()
}

/// Who wrote the report, and which secrets were asked for.
#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
    reveals: [&'static str; 0],
}

impl Tool {
    const fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION"), reveals: [] }
    }
}

/// An array of which one element exists at a time. Serialised once.
struct Each<I, F>(RefCell<I>, F);

impl<I, F> Each<I, F> {
    fn new(items: I, view: F) -> Self {
        Self(RefCell::new(items), view)
    }
}

impl<I: Iterator, F: Fn(I::Item) -> V, V: Serialize> Serialize for Each<I, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = self.0.borrow_mut();
        serializer.collect_seq(std::iter::from_fn(|| items.next().map(&self.1)))
    }
}

/// The ids of the findings at some places of the list.
struct Cited<'a> {
    places: Vec<u32>,
    findings: &'a [Finding],
}

impl Serialize for Cited<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = |place: &u32| usize::try_from(*place).ok().and_then(|i| self.findings.get(i));
        serializer.collect_seq(self.places.iter().filter_map(at).map(|finding| &finding.id))
    }
}

#[derive(Serialize)]
struct CallJson<'a> {
    #[serde(flatten)]
    record: CallRecord,
    exposure: Exposure,
    streams: Vec<RecordId>,
    legs: [RecordId; 0],
    findings: Cited<'a>,
}

impl<'a> CallJson<'a> {
    fn new(row: CallRow, findings: &'a [Finding]) -> Self {
        let CallRow { record, exposure, streams, findings: places } = row;
        Self { record, exposure, streams, legs: [], findings: Cited { places, findings } }
    }
}

#[derive(Serialize)]
struct RowJson<'a, T> {
    #[serde(flatten)]
    record: T,
    findings: Cited<'a>,
}

impl<'a, T> RowJson<'a, T> {
    fn new(row: Row<T>, findings: &'a [Finding]) -> Self {
        Self { record: row.record, findings: Cited { places: row.findings, findings } }
    }
}

/// A handshake. All that a later version reads is `null`: not known.
#[derive(Serialize)]
struct HandshakeJson<'a> {
    id: RecordId,
    kind: HandshakeKind,
    client: Endpoint,
    server: Endpoint,
    first_source: u16,
    first_frame: u64,
    #[serde(flatten)]
    unread: Unread,
    decrypted: bool,
    findings: Cited<'a>,
}

macro_rules! unread {
    ($($name:ident)*) => {
        /// What is not read from a handshake yet.
        #[derive(Default, Serialize)]
        struct Unread { $($name: Option<()>),* }
    };
}

unread! {
    sni alpn offered version cipher cipher_id group dh_bits srtp_profile certificates
    client_certificate resumed outcome alert ja3 ja3s ja4
}

impl<'a> HandshakeJson<'a> {
    fn new(row: Row<HandshakeRecord>, findings: &'a [Finding]) -> Self {
        let Row { record, findings: places } = row;
        let HandshakeRecord { id, kind, client, server, first_source, first_frame } = record;
        Self {
            id,
            kind,
            client,
            server,
            first_source,
            first_frame,
            unread: Unread::default(),
            decrypted: false,
            findings: Cited { places, findings },
        }
    }
}

#[derive(Serialize)]
struct FindingJson<'a> {
    id: &'a str,
    rule: &'static str,
    severity: Severity,
    confidence: Confidence,
    title: &'a str,
    summary: &'a str,
    scope: ScopeJson<'a>,
    first_seen: Ts,
    last_seen: Ts,
    first_source: u16,
    first_frame: u64,
    last_source: u16,
    last_frame: u64,
    count: u64,
    first_alert: Sighting,
    evidence: Vec<EvidenceJson<'a>>,
    parameters: Parameters<'a>,
    remediation: &'static str,
    references: &'static [&'static str],
}

impl<'a> From<&'a Finding> for FindingJson<'a> {
    fn from(finding: &'a Finding) -> Self {
        let (first, last) = (finding.first_seen, finding.last_seen);
        Self {
            id: &finding.id,
            rule: finding.rule,
            severity: finding.severity,
            confidence: finding.confidence,
            title: &finding.title,
            summary: &finding.summary,
            scope: ScopeJson::from(&finding.scope),
            first_seen: first.time,
            last_seen: last.time,
            first_source: first.frame.source,
            first_frame: first.frame.number,
            last_source: last.frame.source,
            last_frame: last.frame.number,
            count: finding.count,
            first_alert: finding.first_alert.into(),
            evidence: finding.evidence.iter().map(EvidenceJson::from).collect(),
            parameters: Parameters(&finding.parameters),
            remediation: finding.remediation,
            references: finding.references,
        }
    }
}

#[derive(Serialize)]
struct ScopeJson<'a> {
    trunk: Option<&'a str>,
    calls: &'a [RecordId],
    streams: &'a [RecordId],
    handshakes: &'a [RecordId],
    addresses: &'a [Addr],
}

impl<'a> From<&'a Scope> for ScopeJson<'a> {
    fn from(scope: &'a Scope) -> Self {
        let Scope { trunk, calls, streams, handshakes, addresses } = scope;
        Self { trunk: trunk.as_deref(), calls, streams, handshakes, addresses }
    }
}

/// A frame, named with its source and time.
#[derive(Serialize)]
struct Sighting {
    source: u16,
    frame: u64,
    time: Ts,
}

impl From<FrameRef> for Sighting {
    fn from(at: FrameRef) -> Self {
        Self { source: at.frame.source, frame: at.frame.number, time: at.time }
    }
}

#[derive(Serialize)]
struct EvidenceJson<'a> {
    #[serde(flatten)]
    at: Sighting,
    what: &'a str,
    excerpt: Option<&'a str>,
    /// The same packet in other sources; a later version finds it there.
    sightings: [Sighting; 0],
}

impl<'a> From<&'a Evidence> for EvidenceJson<'a> {
    fn from(evidence: &'a Evidence) -> Self {
        let Evidence { at, what, excerpt } = evidence;
        Self { at: (*at).into(), what, excerpt: excerpt.as_deref(), sightings: [] }
    }
}

/// Thresholds and figures as an object, in the rule's order.
struct Parameters<'a>(&'a [(&'static str, Figure)]);

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, figure)| (name, figure)))
    }
}

/// Compact JSON with a line for each key of the document and each element of its arrays.
#[derive(Default)]
struct Lines {
    depth: usize,
}

/// The document's own object, and an array right inside it.
const DOCUMENT: usize = 1;
const LIST: usize = 2;

impl Formatter for Lines {
    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_add(1);
        CompactFormatter.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.depth == DOCUMENT {
            out.write_all(b"\n")?;
        }
        self.depth = self.depth.saturating_sub(1);
        CompactFormatter.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        CompactFormatter.begin_object_key(out, first)?;
        if self.depth == DOCUMENT { out.write_all(b"\n") } else { Ok(()) }
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_add(1);
        CompactFormatter.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        CompactFormatter.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        CompactFormatter.begin_array_value(out, first)?;
        if self.depth == LIST { out.write_all(b"\n") } else { Ok(()) }
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|octet| octet < 0x7f) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            let (plain, tail) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = tail.strip_prefix(c).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(report["handshakes"][0]["sni"], Value::Null);
    }

    /// Prints what a record costs; run with `--ignored --nocapture` and a release profile.
    #[test]
    #[ignore = "measures"]
    #[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]
    fn cost_of_a_written_record() {
        let mut outcome = sample::outcome();
        let call = crate::correlate::sample::call(1);
        for frame in 0..500_000 {
            let mut stream = crate::correlate::sample::stream(frame);
            outcome.archive.push_stream(&stream, Some(call.key()));
            stream.first_frame += 500_000;
            outcome.archive.push_stream(&stream, None);
            outcome.archive.push_call(&crate::correlate::sample::call(frame + 1));
        }
        let start = std::time::Instant::now();
        write(&mut outcome, &mut io::BufWriter::new(io::sink())).unwrap();
        println!("{:.2} us a record", start.elapsed().as_secs_f64() / 1.5);
    }
}
