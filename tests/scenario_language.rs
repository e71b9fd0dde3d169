//! The scenario language: every fixture compiles, to the same octets each time, and to packets
//! that are what their text says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test says what is wrong by failing"
)]

use std::fs;
use std::path::{Path, PathBuf};

use overhear::scenario::{Scenario, compile};

fn fixtures() -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "scn") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut found);
    found.sort();
    found
}

fn read(path: &Path) -> Scenario {
    let text = fs::read_to_string(path).unwrap();
    compile(&text, &path.display().to_string()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_fixture_compiles_to_packets_and_expectations() {
    for path in fixtures() {
        let scenario = read(&path);
        assert!(!scenario.frames.is_empty(), "{} sends nothing", path.display());
        assert!(!scenario.expectations.is_empty(), "{} expects nothing", path.display());
        if let Some(folder) = std::env::var_os("SCENARIO_EXPORT") {
            let parent = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            let name = path.file_stem().unwrap().to_string_lossy();
            let file = Path::new(&folder).join(format!("{parent}.{name}.pcapng"));
            scenario.write_pcapng(&mut fs::File::create(file).unwrap()).unwrap();
        }
    }
}
