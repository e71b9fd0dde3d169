//! Damaged captures: truncations and flipped bits of the fixtures, reviewed. Whatever is in a file,
//! a review returns, and books each packet once.
//!
//! Small files are cut after every octet and have a bit of every octet flipped; of larger ones a
//! fixed sample is taken, so that a run stays short. `OVERHEAR_SWEEP` multiplies the samples.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, panic, thread};

use overhear::engine::{Config, review};
use overhear::report::json;

/// Octets up to which a capture is swept whole.
const SMALL: usize = 640;
/// Octets to be reviewed of a larger one, over all its truncations; twice as many with flips.
const WORK: usize = 3 << 20;

/// One way to damage a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Cut after so many octets.
    Cut(usize),
    /// This bit flipped, counted from the file's first.
    Flip(usize),
}

impl Damage {
    fn of(self, whole: &[u8]) -> Vec<u8> {
        match self {
            Self::Cut(len) => whole.get(..len).unwrap_or(whole).to_vec(),
            Self::Flip(bit) => {
                let mut octets = whole.to_vec();
                if let Some(octet) = octets.get_mut(bit / 8) {
                    *octet ^= 1 << (bit % 8);
                }
                octets
            }
        }
    }
}

/// The captures of a folder of fixtures, by name.
fn captures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let capture = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng")
    };
    let mut paths: Vec<PathBuf> = paths.filter(capture).collect();
    paths.sort();
    paths
}

/// Everything to be done to a file of `len` octets: all, or an even sample with a step that is prime
/// to everything in the format.
fn damages(len: usize) -> Vec<Damage> {
    if len <= SMALL {
        let cuts = (0..len).map(Damage::Cut);
        return cuts.chain((0..len).map(|at| Damage::Flip(at * 8 + at % 8))).collect();
    }
    let times = env::var("OVERHEAR_SWEEP").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let sample = (WORK / len).clamp(10, 100) * times;
    let at = |number: usize, of: usize| number.wrapping_mul(2_654_435_761) % of;
    let cuts = (0..sample).map(|number| Damage::Cut(at(number, len)));
    let flips = (0..2 * sample).map(|number| Damage::Flip(at(number, 8 * len)));
    cuts.chain(flips).collect()
}

/// What is wrong with the review of `octets`, if anything.
fn fault(octets: &[u8], path: &Path) -> Option<String> {
    fs::write(path, octets).unwrap();
    let config = Config { mmap: false, ..Config::of(vec![path.to_owned()]) };
    let work = || {
        // A file without a header is an error; that is one way to return.
        let Ok(mut outcome) = review(&config, &mut |_| {}) else { return None };
        let mut written = Vec::new();
        json::write(&mut outcome, 1, &mut written).unwrap();
        let accounting = &outcome.capture.accounting;
        let booked: u64 = accounting.handled.values().chain(accounting.skipped.values()).sum();
        let packets = outcome.capture.packets;
        (booked != packets).then(|| format!("{booked} of {packets} packets booked"))
    };
    panic::catch_unwind(work).unwrap_or_else(|_| Some("panicked".to_owned()))
}

fn sweep(folder: &str) {
    let mut work = Vec::new();
    for path in captures(folder) {
        let octets = fs::read(&path).unwrap();
        let damages = damages(octets.len());
        work.extend(damages.into_iter().map(|damage| (path.clone(), damage)));
    }
    let next = AtomicUsize::new(0);
    let scratch = tempfile::tempdir().unwrap();
    let worker = |number: usize| {
        let place = scratch.path().join(format!("damaged-{number}"));
        let mut faults = Vec::new();
        while let Some((path, damage)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            let octets = damage.of(&fs::read(path).unwrap());
            if let Some(fault) = fault(&octets, &place) {
                faults.push(format!("{}, {damage:?}: {fault}", path.display()));
            }
        }
        faults
    };
    let mut faults: Vec<String> = thread::scope(|scope| {
        let workers = [scope.spawn(|| worker(0)), scope.spawn(|| worker(1))];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    faults.sort();
    assert!(faults.is_empty(), "{} of {}\n{}", faults.len(), work.len(), faults.join("\n"));
}

#[test]
fn damaged_edge_files_are_reviewed() {
    sweep("edge");
}

#[test]
fn damaged_encapsulations_are_reviewed() {
    sweep("encapsulation");
}

#[test]
fn damaged_recordings_are_reviewed() {
    sweep("recorded");
}
