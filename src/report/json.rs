//! The report as JSON, schema `overhear.report/1` (`docs/overhear.report.schema.json`).
//!
//! Records go from the archive to the output one at a time: the document is never in memory. One
//! record stands on a line, so that reports can be compared with `diff`. Characters that could act
//! on a terminal are written as `\u` escapes, which changes nothing for a JSON reader.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::encode::encode;
use super::outcome::Outcome;
use crate::correlate::archive::{Exposure, Row};
use crate::model::addr::{Addr, Endpoint};
use crate::model::evidence::{Evidence, FrameRef};
use crate::model::finding::{Confidence, Figure, Finding, Scope, Severity};
use crate::model::id::RecordId;
use crate::model::record::{HandshakeKind, HandshakeRecord};
use crate::model::time::Ts;

/// The schema's number: a key that changes its meaning needs another one.
pub const SCHEMA: &str = "overhear.report/1";

/// Writes the report. `out` should be buffered.
///
/// # Errors
/// Those of `out`.
pub fn write(outcome: &mut Outcome, out: &mut impl Write) -> io::Result<()> {
    outcome.book_archive();
    let Outcome { capture, counts, archive, findings, limits, .. } = outcome;
    let findings = findings.as_slice();
    let mut document = Document { out, record: Vec::new(), members: 0 };
    document.member("schema", SCHEMA)?;
    document.member("tool", &Tool::this())?;
    document.member("capture", capture)?;
    document.member("counts", counts)?;
    document.list("calls", archive.calls(), |row, json| {
        let findings = Cited { places: row.findings, findings };
        let links = CallLinks { exposure: row.exposure, streams: row.streams, legs: [], findings };
        joined(&row.record, &links, json)
    })?;
    document.list("registrations", archive.registrations(), |row, json| {
        joined(&row.record, &Links { findings: Cited { places: row.findings, findings } }, json)
    })?;
    document.list("streams", archive.streams(), |row, json| {
        joined(&row.record, &Links { findings: Cited { places: row.findings, findings } }, json)
    })?;
    document.list("handshakes", archive.handshakes(), |row, json| {
        encode(&HandshakeJson::new(row, findings), json)
    })?;
    // Filled by later versions.
    for later in ["identities", "trunks", "sources"] {
        document.member(later, &[(); 0])?;
    }
    document
        .list("findings", findings, |finding, json| encode(&FindingJson::from(finding), json))?;
    document.member("limits", limits)?;
    document.end()
}

/// The document's own object, written member by member.
struct Document<'a, W> {
    out: &'a mut W,
    /// The member or record at hand.
    record: Vec<u8>,
    members: usize,
}

impl<W: Write> Document<'_, W> {
    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
        self.name(name)?;
        self.record.clear();
        encode(value, &mut self.record)?;
        self.out.write_all(&self.record)
    }

    /// An array, an element a line.
    fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        element: impl Fn(T, &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.name(name)?;
        self.out.write_all(b"[")?;
        for (number, item) in items.into_iter().enumerate() {
            self.out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
            self.record.clear();
            element(item, &mut self.record)?;
            self.out.write_all(&self.record)?;
        }
        self.out.write_all(b"]")
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        let before = if self.members == 0 { "{" } else { "," };
        self.members = self.members.saturating_add(1);
        write!(self.out, "{before}\n\"{name}\":")
    }

    fn end(self) -> io::Result<()> {
        self.out.write_all(b"\n}\n")
    }
}

/// One object with the keys of a record and then those of its links. (What `serde(flatten)` would
/// do at twice the cost, and there may be millions.)
fn joined(record: &impl Serialize, links: &impl Serialize, json: &mut Vec<u8>) -> io::Result<()> {
    encode(record, json)?;
    if let Some(last) = json.last_mut() {
        *last = b',';
    }
    let seam = json.len();
    encode(links, json)?;
    json.remove(seam);
    Ok(())
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

/// What is joined to a call.
#[derive(Serialize)]
struct CallLinks<'a> {
    exposure: Exposure,
    streams: Vec<RecordId>,
    legs: [RecordId; 0],
    findings: Cited<'a>,
}

/// What is joined to the other records.
#[derive(Serialize)]
struct Links<'a> {
    findings: Cited<'a>,
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
        assert_eq!(report["handshakes"][0]["sni"], Value::Null);
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
            outcome.archive.push_stream(&stream, Some(call.key()));
            stream.first_frame += 500_000;
            outcome.archive.push_stream(&stream, None);
            outcome.archive.push_call(&crate::correlate::sample::call(frame + 1));
        }
        // Nanoseconds of processor time so far: wall time says little on a busy machine.
        let spent = || {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        };
        let start = spent();
        let read = outcome.archive.calls().count() + outcome.archive.streams().count();
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
