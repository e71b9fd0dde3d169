//! What the tests of the invariants share: the captures that they run over, and the engine run as
//! the command line runs it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests; each test uses some of them"
)]

pub(crate) mod schema;
pub(crate) mod source;
pub(crate) mod workload;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use overhear::engine;
pub(crate) use overhear::engine::Config;
use overhear::policy::{Limits, Policy};
use overhear::report::Outcome;
use overhear::report::json;
use overhear::scenario::{self, Expectation};
use serde_json::Value;

/// Name of the key under which each fixture's file lies in a scratch folder.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// A capture and how it is to be read.
#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    /// Path below `fixtures/`, or the name of a made capture.
    pub(crate) name: String,
    /// Where the capture lies.
    pub(crate) path: PathBuf,
    /// The defaults, or what the scenario sets.
    pub(crate) policy: Policy,
    /// What the scenario expects.
    pub(crate) expectations: Vec<Expectation>,
}

impl Fixture {
    /// The engine's settings for it: one lane, usual epochs.
    pub(crate) fn config(&self) -> Config {
        Config { policy: self.policy.clone(), ..config(&self.path) }
    }

    /// Whether it is a text that was compiled.
    pub(crate) fn is_scenario(&self) -> bool {
        self.name.ends_with(".scn")
    }
}

/// Settings for one file: one lane, usual epochs, usual limits.
pub(crate) fn config(path: &Path) -> Config {
    Config::of(vec![path.to_path_buf()])
}

/// Reviews; `None` where no source could be used.
pub(crate) fn review(config: &Config) -> Option<Outcome> {
    engine::review(config, &mut |_| {}).ok()
}

/// The report's octets; of an unusable source, what is said about it.
pub(crate) fn report(config: &Config) -> String {
    match engine::review(config, &mut |_| {}) {
        Ok(mut outcome) => text(&mut outcome),
        Err(error) => format!("unusable: {error}"),
    }
}

/// An outcome as JSON text.
pub(crate) fn text(outcome: &mut Outcome) -> String {
    let mut octets = Vec::new();
    json::write(outcome, 1, &mut octets).unwrap();
    String::from_utf8(octets).unwrap()
}

/// An outcome as JSON.
pub(crate) fn value(outcome: &mut Outcome) -> Value {
    serde_json::from_str(&text(outcome)).unwrap()
}

/// The first line in which two texts differ, with a little before it.
pub(crate) fn first_difference(left: &str, right: &str) -> String {
    let at = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
    let show = |text: &str| {
        let from = at.saturating_sub(200);
        String::from_utf8_lossy(&text.as_bytes()[from..text.len().min(at + 200)]).into_owned()
    };
    format!("at octet {at}:\n--- {}\n+++ {}", show(left), show(right))
}

/// Asserts that two reports are the same octets, and shows where they are not.
#[track_caller]
pub(crate) fn assert_same(left: &str, right: &str, what: &str) {
    assert!(left == right, "{what}: {}", first_difference(left, right));
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder`, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Every capture of the repository: recorded, with edges, and compiled from scenarios.
pub(crate) fn fixtures() -> &'static [Fixture] {
    static ALL: OnceLock<Vec<Fixture>> = OnceLock::new();
    ALL.get_or_init(|| {
        let root = root().join("fixtures");
        let all: Vec<Fixture> = files(&root).iter().filter_map(|path| read(&root, path)).collect();
        let of = |folder: &str| all.iter().filter(|one| one.name.starts_with(folder)).count();
        assert!(of("recorded/") > 20 && of("edge/") > 20 && of("rules/") > 50, "{}", all.len());
        all
    })
}

fn read(root: &Path, path: &Path) -> Option<Fixture> {
    let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    let kind = path.extension()?.to_str()?;
    match kind {
        "pcap" | "pcapng" | "bin" => Some(Fixture {
            name,
            path: path.to_path_buf(),
            policy: Policy::default(),
            expectations: Vec::new(),
        }),
        "scn" => Some(made(&name, &fs::read_to_string(path).unwrap())),
        _ => None,
    }
}

/// Compiles a scenario into the scratch folder.
pub(crate) fn made(name: &str, text: &str) -> Fixture {
    let scenario = scenario::compile(text, name).unwrap_or_else(|error| panic!("{error}"));
    written(name, &scenario)
}

/// Writes a compiled scenario into the scratch folder.
pub(crate) fn written(name: &str, scenario: &scenario::Scenario) -> Fixture {
    let mut octets = Vec::new();
    scenario.write_pcapng(&mut octets).unwrap();
    Fixture {
        name: name.to_owned(),
        path: scratch(&format!("{}.pcapng", name.replace('/', "_")), &octets),
        policy: scenario.policy.clone(),
        expectations: scenario.expectations.clone(),
    }
}

/// Writes a file into a folder of this test's own, and says where.
pub(crate) fn scratch(name: &str, octets: &[u8]) -> PathBuf {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let folder = Path::new(SCRATCH).join(env!("CARGO_CRATE_NAME"));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    // Another test may have the file mapped: it keeps the old one, and never sees half of the new.
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let unfinished = folder.join(format!(".{}-{number}", std::process::id()));
    fs::write(&unfinished, octets).unwrap();
    fs::rename(&unfinished, &path).unwrap();
    path
}

/// Caps so small that every table must evict, in any capture worth the name.
pub(crate) fn tiny() -> Limits {
    Limits {
        streams: 64,
        armed: 64,
        noted: 64,
        replays: 64,
        company: 4,
        zrtp: 2,
        udptl_flows: 64,
        srtcp: 64,
        udp_flows: 64,
        tcp_flows: 64,
        sctp_flows: 64,
        turn_flows: 64,
        reassembly_octets: 64 * 2_000,
        fragment_octets: 4_000,
        duplicates: 64 * 4,
        transactions: 8,
        calls: 4,
        registrations: 2,
        announcements: 6,
        findings_per_rule: 2,
        peers: 2,
        tls_peers: 2,
        records_octets: 4_096,
        ..Limits::default()
    }
}

/// Sums of the accounting: frames in, handled, skipped.
pub(crate) fn sums(report: &Value) -> (u64, u64, u64) {
    let accounting = &report["capture"]["accounting"];
    let sum = |of: &Value| of.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    (
        report["capture"]["packets"].as_u64().unwrap(),
        sum(&accounting["handled"]),
        sum(&accounting["skipped"]),
    )
}
