//! `--ndjson`: one record a line as things happen, schema `overhear.event/1`
//! (`docs/overhear.event.schema.json`, `docs/live.md`).
//!
//! A line has the members of the report's record, but for those that only the end of the capture
//! knows, behind an envelope that every line has. Lines about a flow carry its Community ID
//! (version 1, seed 0, <https://github.com/corelight/community-id-spec>) and a number of it. A
//! finding's line also has the `alert` object of Suricata's EVE, with severities as that has them:
//! 1 is the worst.

use std::io::{self, Write};

use sha1::{Digest, Sha1};

use super::encode::encode;
use super::events::{Listener, Stage};
use super::records::{Json, Object, Out};
use crate::model::addr::{Addr, Endpoint, FlowKey, Proto, stable_hash};
use crate::model::capture::{CaptureRecord, Counts};
use crate::model::fact::Flow;
use crate::model::finding::{Confidence, Finding, Severity};
use crate::model::handshake::HandshakeRecord;
use crate::model::record::{CallRecord, HandshakeKind, RegistrationRecord, StreamRecord};
use crate::model::revealed::{Revealed, base64};
use crate::model::time::Ts;

/// The schema's number: a key that changes its meaning needs another one.
pub const SCHEMA: &str = "overhear.event/1";

/// EVE's generator id for our alerts, and where their signature ids begin.
const GENERATOR: u64 = 7_350;
const SIGNATURES: u64 = 9_000_000;
/// Signature ids there are: a prime below a million.
const RANGE: u64 = 999_983;

/// Writes lines.
pub struct Ndjson {
    to: Box<dyn Write + Send>,
    /// The sensor's name as JSON.
    sensor: String,
    out: Out,
    failure: Option<io::Error>,
}

impl Ndjson {
    /// Lines of a sensor of this name, `None` if it has none. They are gathered here until they
    /// are flushed.
    pub fn new(to: Box<dyn Write + Send>, sensor: Option<&str>) -> Self {
        let mut name = Out::default();
        sensor.json(&mut name);
        let sensor = String::from_utf8(name.octets).unwrap_or_else(|_| "null".to_owned());
        Self { to, sensor, out: Out::default(), failure: None }
    }

    /// Begins a line.
    fn begin(&mut self, event_type: &str, at: Option<Ts>, flow: Option<Flow>) {
        let out = &mut self.out;
        out.raw("{\"schema\":\"");
        out.raw(SCHEMA);
        out.raw("\",\"event_type\":\"");
        out.raw(event_type);
        out.raw("\",\"timestamp\":");
        at.json(out);
        out.raw(",\"sensor\":");
        out.raw(&self.sensor);
        if let Some(flow) = flow {
            let number = FlowKey::new(flow.src, flow.dst, flow.proto).hash64() >> 11;
            out.raw(",\"flow_id\":");
            number.json(out);
            out.raw(",\"community_id\":\"");
            out.raw(&community_id(flow));
            out.raw("\"");
        }
    }

    /// The members of a record.
    fn join(&mut self, record: &impl Object) {
        let seam = self.out.octets.len();
        record.members(&mut self.out);
        if let Some(brace) = self.out.octets.get_mut(seam) {
            *brace = b',';
        }
    }

    /// The same of what serde describes: an object without its end.
    fn join_serde(&mut self, record: &impl serde::Serialize) {
        let seam = self.out.octets.len();
        if let Err(error) = encode(record, &mut self.out.octets) {
            self.failure.get_or_insert(error);
        }
        if let Some(brace) = self.out.octets.get_mut(seam) {
            *brace = b',';
        }
        self.out.octets.pop();
    }

    fn close(&mut self) {
        self.out.raw("}\n");
    }
}

impl Listener for Ndjson {
    fn call(&mut self, call: &CallRecord<'_>) {
        let at = call.end.or(call.answer).unwrap_or(call.start);
        let proto = match call.transport.first().map(AsRef::as_ref) {
            Some("UDP") | None => Proto::UDP,
            Some("SCTP") => Proto::SCTP,
            Some(_) => Proto::TCP,
        };
        let ends = call.endpoints.caller.zip(call.endpoints.callee);
        self.begin("call", Some(at), ends.map(|(src, dst)| Flow { src, dst, proto }));
        self.join(call);
        self.close();
    }

    fn registration(&mut self, registration: &RegistrationRecord<'_>, at: Ts) {
        self.begin("registration", Some(at), None);
        self.join(registration);
        self.close();
    }

    fn stream(&mut self, stream: &StreamRecord<'_>) {
        let flow = Flow { src: stream.src, dst: stream.dst, proto: Proto::UDP };
        self.begin("stream", Some(stream.last), Some(flow));
        self.join(stream);
        self.close();
    }

    fn handshake(&mut self, handshake: &HandshakeRecord<'_>, at: Ts) {
        let proto = match handshake.kind {
            _ if handshake.over_sctp => Proto::SCTP,
            HandshakeKind::Tls => Proto::TCP,
            HandshakeKind::Dtls => Proto::UDP,
        };
        let flow = Flow { src: handshake.client, dst: handshake.server, proto };
        self.begin("handshake", Some(at), Some(flow));
        self.join(handshake);
        self.close();
    }

    fn finding(&mut self, finding: &Finding, flow: Option<Flow>, stage: Stage) {
        let at = match stage {
            Stage::Raised => finding.first_alert.time,
            Stage::Final => finding.last_seen.time,
        };
        self.begin("finding", Some(at), flow);
        stage_json(stage, &mut self.out);
        ends(finding, flow, &mut self.out);
        alert(finding, &mut self.out);
        self.join(finding);
        self.close();
    }

    fn secret(&mut self, secret: &Revealed, at: Option<Ts>) {
        self.begin("secret", at, None);
        self.join_serde(secret);
        self.close();
    }

    fn end(&mut self, capture: &CaptureRecord, counts: &Counts) {
        self.begin("stats", capture.last_packet, None);
        self.join_serde(counts);
        self.close();
        self.begin("capture", capture.last_packet, None);
        self.join_serde(capture);
        self.close();
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        if self.out.octets.is_empty() {
            return Ok(());
        }
        self.to.write_all(&self.out.octets)?;
        self.out.octets.clear();
        self.to.flush()
    }
}

/// What tells two states of a finding apart.
pub(super) fn fingerprint(finding: &Finding) -> u64 {
    let mut out = Out::default();
    finding.members(&mut out);
    stable_hash(&out.octets)
}

fn stage_json(stage: Stage, out: &mut Out) {
    out.raw(match stage {
        Stage::Raised => ",\"stage\":\"raised\"",
        Stage::Final => ",\"stage\":\"final\"",
    });
}

/// Both ends of the packet that raised a finding; of one that no packet raised, its hosts.
fn ends(finding: &Finding, flow: Option<Flow>, out: &mut Out) {
    let mut hosts = finding.scope.addresses.iter().copied();
    let src = flow.map(|flow| flow.src.addr).or_else(|| hosts.next());
    let dst = flow.map(|flow| flow.dst.addr).or_else(|| hosts.next());
    out.raw(",\"src_ip\":");
    src.json(out);
    out.raw(",\"src_port\":");
    flow.map(|flow| flow.src.port).json(out);
    out.raw(",\"dest_ip\":");
    dst.json(out);
    out.raw(",\"dest_port\":");
    flow.map(|flow| flow.dst.port).json(out);
    out.raw(",\"proto\":");
    flow.map(|flow| proto_name(flow.proto)).json(out);
}

/// EVE's object: what was done, which rule of whom, and how bad it is.
fn alert(finding: &Finding, out: &mut Out) {
    let (severity, word) = match finding.severity {
        Severity::Critical => (1_u64, "Critical"),
        Severity::High => (1, "Major"),
        Severity::Medium => (2, "Major"),
        Severity::Low => (3, "Minor"),
        Severity::Info => (4, "Informational"),
    };
    let confidence = match finding.confidence {
        Confidence::Certain | Confidence::High => "High",
        Confidence::Medium => "Medium",
        Confidence::Low => "Low",
    };
    out.raw(",\"alert\":{\"action\":\"allowed\",\"gid\":");
    GENERATOR.json(out);
    out.raw(",\"signature_id\":");
    signature_id(finding.rule).json(out);
    out.raw(",\"rev\":1,\"signature\":");
    finding.title.json(out);
    out.raw(",\"category\":");
    finding.rule.split('-').next().unwrap_or_default().json(out);
    out.raw(",\"severity\":");
    severity.json(out);
    out.raw(",\"metadata\":{\"signature_severity\":[");
    word.json(out);
    out.raw("],\"confidence\":[");
    confidence.json(out);
    out.raw("],\"tag\":[");
    finding.rule.json(out);
    out.raw("]}}");
}

/// A number that a rule keeps, whatever other rules there are.
fn signature_id(rule: &str) -> u64 {
    SIGNATURES.saturating_add(stable_hash(&rule) % RANGE)
}

fn proto_name(proto: Proto) -> &'static str {
    match proto {
        Proto::TCP => "TCP",
        Proto::SCTP => "SCTP",
        _ => "UDP",
    }
}

/// `1:` and the Base64 of a digest over the ends, the smaller one first, and the protocol.
fn community_id(flow: Flow) -> String {
    let mut ends = [flow.src, flow.dst];
    ends.sort_by_key(|end| (address(&end.addr), end.port));
    let [low, high]: [Endpoint; 2] = ends;
    let mut octets = vec![0, 0];
    octets.extend(address(&low.addr));
    octets.extend(address(&high.addr));
    octets.extend([flow.proto.0, 0]);
    octets.extend(low.port.to_be_bytes());
    octets.extend(high.port.to_be_bytes());
    format!("1:{}", base64(&Sha1::digest(&octets)))
}

/// Four octets or sixteen.
fn address(addr: &Addr) -> Vec<u8> {
    addr.as_v4().map_or_else(|| addr.octets().to_vec(), |octets| octets.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn flow(src: [u8; 4], sport: u16, dst: [u8; 4], dport: u16, proto: Proto) -> Flow {
        let end = |octets, port| Endpoint::new(Addr::v4(octets), port);
        Flow { src: end(src, sport), dst: end(dst, dport), proto }
    }

    #[test]
    fn a_community_id_is_that_of_the_specification_in_both_directions() {
        // From the baseline of the specification's repository.
        let there = flow([128, 232, 110, 120], 34_855, [66, 35, 250, 204], 80, Proto::TCP);
        let back = Flow { src: there.dst, dst: there.src, ..there };
        assert_eq!(community_id(there), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(community_id(back), community_id(there));
        for (proto, id) in [
            (Proto::TCP, "1:wCb3OG7yAFWelaUydu0D+125CLM="),
            (Proto::UDP, "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg="),
            (Proto::SCTP, "1:EKt4MsxuyaE6mL+hmrEkQ9csDD8="),
        ] {
            assert_eq!(community_id(flow([1, 2, 3, 4], 1_122, [5, 6, 7, 8], 3_344, proto)), id);
        }
        let v6 = |last| Addr::v6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
        let (src, dst) = (Endpoint::new(v6(1), 49_152), Endpoint::new(v6(2), 5_061));
        let there = Flow { src, dst, proto: Proto::TCP };
        assert_eq!(community_id(there), "1:arEr5A18NgjP6aUhOd9tHTNguyk=");
    }

    #[test]
    fn every_rule_has_a_signature_of_its_own() {
        let rules = crate::detect::CATALOGUE.iter().map(|rule| signature_id(rule.meta.id));
        let ids: BTreeSet<u64> = rules.collect();
        assert_eq!(ids.len(), crate::detect::CATALOGUE.len());
        assert_eq!(signature_id("MEDIA-CLEARTEXT-RTP"), signature_id("MEDIA-CLEARTEXT-RTP"));
    }
}
