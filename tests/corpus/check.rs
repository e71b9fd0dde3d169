//! Compares a report with the yardstick's figures, one named figure after the other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expected::{Case, Names, list, text};

/// One figure: its name, what the yardstick says, and what the report says.
pub(crate) struct Figure {
    /// What was compared, as `known` names it.
    pub(crate) name: String,
    /// The yardstick's.
    pub(crate) want: String,
    /// The report's.
    pub(crate) got: String,
}

#[expect(clippy::needless_pass_by_value, reason = "the calls read like a table")]
fn figure(name: &str, want: impl ToString, got: impl ToString) -> Figure {
    Figure { name: name.to_owned(), want: want.to_string(), got: got.to_string() }
}

/// What holds for every file, whatever is in it: all packets read, each booked once.
pub(crate) fn accounting(case: &Case, report: &Value) -> Vec<Figure> {
    let capture = &report["capture"];
    vec![
        figure("packets", &case.expected["packets"], &capture["packets"]),
        figure("accounting", &capture["packets"], booked(report)),
    ]
}

/// A finding about packets seen twice speaks of all of them.
pub(crate) fn duplicates(report: &Value) -> Option<Figure> {
    let finding = list(&report["findings"]).iter().find(|f| f["rule"] == "SENSOR-DUPLICATE")?;
    let booked = &report["capture"]["accounting"]["skipped"]["duplicate"];
    Some(figure("duplicates", booked, &finding["count"]))
}

/// Packets handled and skipped.
pub(crate) fn booked(report: &Value) -> u64 {
    let accounting = &report["capture"]["accounting"];
    let sum =
        |of: &str| accounting[of].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    let (handled, skipped): (u64, u64) = (sum("handled"), sum("skipped"));
    handled + skipped
}

/// Everything that a report of this version should have in common with the yardstick.
pub(crate) fn figures(case: &Case, report: &Value, names: Option<&Names>) -> Vec<Figure> {
    let mut all = signalling(case, report);
    all.extend(final_statuses(case, report));
    all.extend(streams(case, report));
    all.extend(handshakes(case, report));
    all.extend(names.into_iter().flat_map(|names| findings(case, report, names)));
    all
}

fn signalling(case: &Case, report: &Value) -> Vec<Figure> {
    let sip = &case.expected["sip"];
    // The report also has calls of which only responses to INVITE were captured.
    let uninvited: BTreeSet<&str> = case
        .list("calls")
        .iter()
        .filter(|call| !list(&call["methods"]).contains(&Value::from("INVITE")))
        .map(|call| text(&call["call_id"]))
        .collect();
    let calls = || list(&report["calls"]).iter();
    let ids = |calls: &mut dyn Iterator<Item = &Value>| {
        let ids: BTreeSet<String> = calls.map(|call| text(&call["call_id"]).to_owned()).collect();
        ids.len()
    };
    let invited = ids(&mut calls().filter(|call| !uninvited.contains(text(&call["call_id"]))));
    let answered = ids(&mut calls().filter(|call| call["state"] == "answered"));
    vec![
        figure("sip messages", &sip["messages"], &report["counts"]["sip_messages"]),
        figure("INVITE Call-IDs", &sip["invite_call_ids"], invited),
        figure("answered Call-IDs", &sip["answered_call_ids"], answered),
    ]
}

fn final_statuses(case: &Case, report: &Value) -> Vec<Figure> {
    let mut all = Vec::new();
    for expected in case.list("calls") {
        let decisive = |status: &&Value| {
            status.as_u64().is_some_and(|status| status >= 200 && status != 401 && status != 407)
        };
        let id = text(&expected["call_id"]);
        if let Some(status) = list(&expected["invite_final"]).iter().find(decisive) {
            let call = list(&report["calls"]).iter().find(|call| call["call_id"] == id);
            let got = call.map_or("no call".to_owned(), |call| call["final_status"].to_string());
            all.push(figure(&format!("final status of {id}"), status, got));
        }
    }
    all
}

type Key = (String, String, String);

fn streams(case: &Case, report: &Value) -> Vec<Figure> {
    let mut seen: BTreeMap<Key, Vec<&Value>> = BTreeMap::new();
    for stream in list(&report["streams"]) {
        let of = |key: &str| text(&stream[key]).to_ascii_lowercase();
        seen.entry((of("src"), of("dst"), of("ssrc"))).or_default().push(stream);
    }
    let mut all = Vec::new();
    let mut compared = BTreeSet::new();
    let announced = case.list("rtp_streams").iter();
    // A packet or two are no stream on the strength of their content alone.
    let claimed = |stream: &&Value| stream["packets"].as_u64().is_some_and(|packets| packets > 2);
    let claimed = case.list("rtp_streams_heuristic").iter().filter(claimed);
    for expected in announced.chain(claimed) {
        let key = stream_key(expected);
        if !compared.insert(key.clone()) {
            continue;
        }
        let name = format!("RTP {} {} {}", key.2, key.0, key.1);
        let Some(records) = seen.get(&key) else {
            all.push(figure(&name, "a stream", "none"));
            continue;
        };
        all.push(figure(&format!("{name} records"), 1, records.len()));
        let sum = |key: &str| -> u64 { records.iter().filter_map(|r| r[key].as_u64()).sum() };
        all.push(figure(&format!("{name} packets"), &expected["packets"], sum("packets")));
        if !expected["lost"].is_null() {
            all.push(figure(&format!("{name} lost"), &expected["lost"], sum("lost")));
        }
    }
    let invented = seen.keys().filter(|key| !compared.contains(*key));
    all.extend(
        invented
            .map(|key| figure(&format!("RTP {} {} {}", key.2, key.0, key.1), "none", "a stream")),
    );
    all
}

fn stream_key(stream: &Value) -> Key {
    let endpoint = |address: &str, port: &str| {
        let (address, port) = (text(&stream[address]), &stream[port]);
        if address.contains(':') {
            format!("[{address}]:{port}")
        } else {
            format!("{address}:{port}")
        }
    };
    let ssrc = text(&stream["ssrc"]).to_ascii_lowercase();
    (endpoint("src", "sport"), endpoint("dst", "dport"), ssrc)
}

/// Handshakes that begin inside the capture: those with a `ClientHello`. Of DTLS, the yardstick lists
/// each retransmission of one as a stream of its own.
fn handshakes(case: &Case, report: &Value) -> Vec<Figure> {
    let begun = |kind: &str| {
        let begun = |tls: &&Value| tls["proto"] == kind && !tls["client_version"].is_null();
        let begun = case.list("tls").iter().filter(begun);
        if kind == "tls" {
            return begun.count();
        }
        let flow =
            |tls: &Value| [&tls["client"], &tls["server"], &tls["port"]].map(Value::to_string);
        begun.map(flow).collect::<BTreeSet<_>>().len()
    };
    let counts = &report["counts"];
    vec![
        figure("TLS handshakes", begun("tls"), &counts["tls_handshakes"]),
        figure("DTLS handshakes", begun("dtls"), &counts["dtls_handshakes"]),
    ]
}

fn findings(case: &Case, report: &Value, names: &Names) -> Vec<Figure> {
    let rules: Vec<&str> =
        list(&report["findings"]).iter().map(|finding| text(&finding["rule"])).collect();
    let mut all = Vec::new();
    for must in case.list("findings_must") {
        let name = text(&must["id"]);
        if let Some(fired) = names.fired(name, &rules).filter(|_| names.is_due(name)) {
            all.push(figure(&format!("finding {name}"), true, fired));
        }
    }
    for name in case.list("findings_must_not").iter().map(text) {
        if let Some(fired) = names.fired(name, &rules) {
            all.push(figure(&format!("finding {name}"), false, fired));
        }
    }
    all
}
