//! Real captures against the figures of a yardstick (`<capture>.expected.json`, mostly from tshark).
//!
//! `fixtures/recorded` is always read; the folders `recorded` and `public` of `OVERHEAR_CAPTURES`
//! (else of `../shared/captures` beside the checkout) if they are there. Captures are read where
//! they lie. What differs for a reason is listed in `corpus/known.rs`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "corpus/check.rs"]
mod check;
#[path = "corpus/expected.rs"]
mod expected;
#[path = "corpus/known.rs"]
mod known;
#[path = "corpus/pattern.rs"]
mod pattern;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, thread};

use overhear::engine::{Config, review};
use overhear::report::json;
use serde_json::Value;

use check::Figure;
use expected::{Case, Names};

/// Numbers of lanes that have to give the same bytes.
const LANES: [usize; 3] = [2, 3, 8];

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with captures that are not part of the repository.
fn captures() -> Option<PathBuf> {
    let named = env::var_os("OVERHEAR_CAPTURES").map(PathBuf::from);
    named.or_else(|| Some(here().join("../shared/captures")).filter(|folder| folder.is_dir()))
}

#[test]
fn recorded_fixtures_agree_with_the_yardstick() {
    compare(&here().join("fixtures/recorded"), None);
}

#[test]
#[expect(clippy::print_stdout, reason = "says that it was skipped")]
fn captures_agree_with_the_yardstick() {
    let Some(folder) = captures() else {
        println!("skipped: OVERHEAR_CAPTURES names no folder with captures");
        return;
    };
    let names = Names::read(&folder.join("finding-names.json"));
    let mut stale = known_rows();
    let mut faults = Vec::new();
    for part in ["recorded", "public"] {
        faults.extend(faults_of(&folder.join(part), Some(&names), &mut stale));
    }
    faults.extend(stale.iter().map(|row| format!("known, but not seen: {row}")));
    assert!(faults.is_empty(), "{} disagreements\n{}", faults.len(), faults.join("\n"));
}

#[test]
#[expect(clippy::print_stdout, reason = "says that it was skipped")]
fn loss_and_jitter_are_those_of_tshark_or_the_packets_show_why() {
    let installed = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !installed("python3") || !installed("tshark") {
        println!("skipped: python3 and tshark are needed to compare loss and jitter");
        return;
    }
    let mut compare = Command::new(here().join("benches/loss-and-jitter"));
    compare.arg("--bin").arg(env!("CARGO_BIN_EXE_overhear")).env_remove("OVERHEAR_CAPTURES");
    if let Some(folder) = captures() {
        compare.arg("--captures").arg(folder);
    }
    let told = compare.output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

#[test]
fn every_known_difference_is_explained() {
    let explained = std::fs::read_to_string(here().join("docs/tshark-differences.md")).unwrap();
    for (file, figure, _) in known::DIFFERENCES {
        assert!(explained.contains(&format!("`{file}`")), "{file}: {figure}");
    }
    for file in known::MALFORMED {
        assert!(explained.contains(&format!("`{file}`")), "{file}");
    }
}

fn compare(folder: &Path, names: Option<&Names>) {
    let faults = faults_of(folder, names, &mut known_rows());
    assert!(faults.is_empty(), "{} disagreements\n{}", faults.len(), faults.join("\n"));
}

/// What disagrees in any file of a folder; rows of `known` that apply are taken out of `stale`.
fn faults_of(folder: &Path, names: Option<&Names>, stale: &mut Vec<String>) -> Vec<String> {
    let cases = Case::all(folder);
    assert!(!cases.is_empty(), "no captures in {}", folder.display());
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut faults, mut used) = (Vec::new(), Vec::new());
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = check_case(case, names, &mut used);
            faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", case.name)));
        }
        (faults, used)
    };
    let mut faults = thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        let mut all = Vec::new();
        for (faults, used) in workers.map(|worker| worker.join().unwrap()) {
            all.extend(faults);
            stale.retain(|row| !used.contains(row));
        }
        all
    });
    faults.sort();
    faults
}

fn check_case(case: &Case, names: Option<&Names>, used: &mut Vec<String>) -> Vec<String> {
    let written = report(&case.path, 1);
    let mut faults = Vec::new();
    for lanes in LANES {
        if report(&case.path, lanes) != written {
            faults.push(format!("{lanes} lanes write another report than one"));
        }
    }
    let report: Value = serde_json::from_slice(&written).unwrap();
    let mut figures = check::accounting(case, &report);
    figures.extend(check::figures(case, &report, names));
    figures.extend(check::duplicates(&report));
    let excused = |figure: &Figure, used: &mut Vec<String>| {
        let rows: Vec<String> = excuses(case, figure).collect();
        let excused = !rows.is_empty();
        used.extend(rows);
        excused
    };
    for figure in &figures {
        if figure.want != figure.got && !excused(figure, used) {
            faults.push(format!("{}: {}, not {}", figure.name, figure.got, figure.want));
        }
    }
    faults
}

/// The rows of `known` by which a figure may differ.
fn excuses<'a>(case: &'a Case, figure: &'a Figure) -> impl Iterator<Item = String> + 'a {
    let name = case.name.as_str();
    let later = known::LATER.iter().filter(move |(file, figures, _)| {
        *file == name && figures.iter().any(|start| figure.name.starts_with(start))
    });
    let malformed = known::MALFORMED.iter().filter(move |file| {
        let parse = |text: &str| text.parse::<u64>().unwrap_or_default();
        **file == name
            && (figure.name != "sip messages" || parse(&figure.got) >= parse(&figure.want))
            && !["packets", "accounting"].contains(&figure.name.as_str())
    });
    let differences = known::DIFFERENCES.iter().filter(move |(file, known, ours)| {
        *file == name && *known == figure.name && *ours == figure.got
    });
    later
        .map(|(file, _, theme)| format!("{file}: {theme}"))
        .chain(malformed.map(|file| (*file).to_owned()))
        .chain(differences.map(|(file, figure, _)| format!("{file}: {figure}")))
}

/// Every row, to find those that excuse nothing.
fn known_rows() -> Vec<String> {
    let later = known::LATER.iter().map(|(file, _, theme)| format!("{file}: {theme}"));
    let malformed = known::MALFORMED.iter().map(|file| (*file).to_owned());
    let differences =
        known::DIFFERENCES.iter().map(|(file, figure, _)| format!("{file}: {figure}"));
    later.chain(malformed).chain(differences).collect()
}

/// The report on one file.
fn report(path: &Path, lanes: usize) -> Vec<u8> {
    let config = Config { lanes, mmap: false, ..Config::of(vec![path.to_owned()]) };
    let mut outcome = review(&config, &mut |_| {}).unwrap();
    let mut written = Vec::new();
    json::write(&mut outcome, 1, &mut written).unwrap();
    written
}
