//! Invariant 2, downward: a module uses only its own layer and those below; a third-party crate
//! has one door; `unsafe` stands in one file; files stay readable.

#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::source::{Source, sources};

/// The layers of the main crate, from the lowest.
const LAYERS: [(&str, u8); 14] = [
    ("model", 1),
    ("policy", 1),
    ("capture", 2),
    ("decode", 2),
    ("reassemble", 2),
    ("dissect", 3),
    ("track", 4),
    ("correlate", 5),
    ("detect", 6),
    ("prove", 7),
    ("report", 7),
    ("scenario", 7),
    ("engine", 8),
    ("cli", 9),
];

/// A third-party crate and the files through which it enters: one, unless a reason stands here.
const DOORS: [(&str, &[&str]); 34] = [
    // Records of TLS, and packets of SRTP four layers above.
    ("aes", &["src/dissect/tls_open/primitives.rs", "src/prove/srtp/aes.rs"]),
    ("cbc", &["src/dissect/tls_open/primitives.rs"]),
    ("ccm", &["src/dissect/tls_open/primitives.rs"]),
    ("clap", &["src/cli/args.rs", "src/cli/args/listen.rs", "src/cli/args/live.rs"]),
    ("crossbeam_channel", &["src/engine/pipeline.rs"]),
    ("ctr", &["src/prove/srtp/aes.rs"]),
    ("etherparse", &["src/decode/general.rs"]),
    ("flate2", &["src/capture/codec.rs"]),
    ("hmac", &["src/dissect/tls_open/primitives.rs", "src/prove/srtp/mac.rs"]),
    ("hound", &["src/prove/audio/wav.rs"]),
    ("indicatif", &["src/cli/progress.rs"]),
    ("lz4_flex", &["src/capture/codec.rs"]),
    ("md5", &["src/correlate/fingerprints.rs", "src/dissect/tls_open/primitives.rs"]),
    // The package of `md5`.
    ("md_5", &[]),
    ("memmap2", &["src/capture/mmap.rs"]),
    ("nom", &["parsers/src/sip/lex.rs"]),
    ("opus_pure", &["src/prove/codec/opus.rs"]),
    // Filters of files, and interfaces.
    ("pcap", &["src/capture/filter.rs", "src/capture/interfaces.rs"]),
    ("prefetch_index", &["src/model/fetch.rs"]),
    (
        "ring",
        &[
            "src/correlate/certificates.rs",
            "src/dissect/tls_open/primitives.rs",
            "src/prove/srtp/gcm.rs",
        ],
    ),
    ("rsa", &["src/dissect/tls_open/rsa.rs"]),
    ("rsip", &["parsers/src/sip/uri.rs"]),
    ("rtp_rs", &[]),
    ("ruzstd", &["src/capture/codec.rs"]),
    // The report, the rules listed as JSON, and the values that a scenario expects of a report.
    ("serde_json", &["src/detect/listing.rs", "src/report/encode.rs", "src/scenario/expect.rs"]),
    // SRTP's tags, and Community IDs.
    ("sha1", &["src/prove/srtp/mac.rs", "src/report/ndjson.rs"]),
    ("signal_hook", &["src/cli/signals.rs"]),
    // Fingerprints of certificates and hellos, the Hello of ZRTP, digests of sources and of what was
    // heard.
    (
        "sha2",
        &[
            "src/correlate/certificates.rs",
            "src/correlate/fingerprints.rs",
            "src/correlate/zrtp.rs",
            "src/engine/sources.rs",
            "src/prove/audio/measure.rs",
        ],
    ),
    // Finished records, and standard input that is to be read twice.
    ("tempfile", &["src/capture/kept.rs", "src/correlate/spool.rs"]),
    ("terminal_size", &["src/cli/output.rs"]),
    ("unicode_width", &["src/report/safe.rs"]),
    ("wide", &["parsers/src/sixteen.rs"]),
    ("x509_parser", &["parsers/src/tls/certificate.rs"]),
    // The oracle of tests only.
    ("proptest", &[]),
];

/// Crates that are a way to write Rust rather than a part of the product: anywhere.
const ANYWHERE: [&str; 5] = ["foldhash", "hashbrown", "memchr", "overhear_parsers", "serde"];

/// Lines a file may have, its tests included.
const LINES: usize = 450;

/// Files that are longer, with the reason.
const LONG: [(&str, &str); 1] =
    [("src/correlate/call.rs", "one call's state: what each message means for it is one table")];

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

/// The module of the main crate that a file belongs to.
fn module(source: &Source) -> Option<&str> {
    let rest = source.path.strip_prefix("src/")?;
    rest.split_once('/').map(|(module, _)| module)
}

/// What `super::` leads to at the top of the crate, from a file that lies `depth` modules deep.
fn climbed(code: &str, depth: usize) -> BTreeSet<String> {
    let climb = "super::".repeat(depth);
    let rooted: String = code.split(&climb).skip(1).fold(String::new(), |mut text, rest| {
        // Deeper chains begin with a shorter one: those are of modules within the file.
        if !rest.starts_with("super::") {
            text.push_str(" crate::");
            text.push_str(rest);
        }
        text
    });
    used(&rooted)
}

/// How many modules a file lies deep: `src/model/time.rs` two.
fn depth(path: &str) -> usize {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    inner.trim_end_matches("/mod").split('/').count()
}

/// What stands behind each `crate::` in the code, `use crate::{a, b}` taken apart.
fn used(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code.get(..at).unwrap_or_default().chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = code.get(at + "crate::".len()..).unwrap_or_default();
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(list) => top_level(list),
            None => vec![rest],
        };
        for name in names {
            let name: String = name
                .trim_start()
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                found.insert(name);
            }
        }
    }
    found
}

/// The members of a list up to its closing brace, nested lists left whole.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut from, mut members) = (0_u32, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(list.get(from..at).unwrap_or_default());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(list.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    members
}

#[test]
fn no_arrow_points_up() {
    let mut arrows = 0;
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(from) = module(source) else { continue };
        let own = layer(from).unwrap_or_else(|| panic!("{from} has no layer: {}", source.path));
        let climbed = climbed(&source.code, depth(&source.path));
        for target in used(&source.code).into_iter().chain(climbed) {
            let Some(other) = layer(&target) else { continue };
            arrows += 1;
            if other > own {
                wrong.push(format!("{} (L{own}) uses {target} (L{other})", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(arrows > 150, "only {arrows} arrows: the scan sees nothing");
}

#[test]
fn modules_of_one_layer_that_use_each_other_do_so_one_way() {
    let mut edges: BTreeSet<(String, String)> = BTreeSet::new();
    for source in sources() {
        let Some(from) = module(source) else { continue };
        for target in used(&source.code) {
            if target != from && layer(&target).is_some() && layer(&target) == layer(from) {
                edges.insert((from.to_owned(), target));
            }
        }
    }
    for (from, to) in &edges {
        assert!(!edges.contains(&(to.clone(), from.clone())), "{from} and {to} use each other");
    }
}

#[test]
fn every_folder_has_a_layer_and_parsers_know_nobody() {
    let folders: BTreeSet<&str> = sources().iter().filter_map(module).collect();
    let known: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(folders, known);
    for source in sources().iter().filter(|source| source.path.starts_with("parsers/")) {
        for word in
            ["overhear::", "std::fs", "std::net::Tcp", "std::thread", "std::env", "println!"]
        {
            assert!(!source.code.contains(word), "{word} in {}", source.path);
        }
    }
}

/// Whether the code names the crate as the first part of a path.
fn enters(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let starts = code.match_indices(&path).any(|(at, _)| {
        let before = code.get(..at).unwrap_or_default().chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'))
    });
    starts || code.contains(&format!("use {name};"))
}

#[test]
fn every_crate_has_one_door() {
    let mut entered: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources() {
        for (name, _) in DOORS {
            if enters(&source.code, name) {
                entered.entry(name).or_default().insert(&source.path);
            }
        }
    }
    for (name, doors) in DOORS {
        let found = entered.remove(name).unwrap_or_default();
        let wanted: BTreeSet<&str> = doors.iter().copied().collect();
        assert_eq!(found, wanted, "doors of {name}");
    }
}

#[test]
fn every_dependency_is_in_the_table_of_doors() {
    let mut missing = Vec::new();
    for manifest in ["Cargo.toml", "parsers/Cargo.toml"] {
        let text = std::fs::read_to_string(support::root().join(manifest)).unwrap();
        let mut within = false;
        for line in text.lines() {
            if line.starts_with('[') {
                within = line == "[dependencies]";
            } else if within && !line.is_empty() && !line.starts_with('#') {
                let end = line.find(['=', ' ', '.']).unwrap_or(line.len());
                let name = line.get(..end).unwrap_or_default().replace('-', "_");
                // The one package whose library has another name.
                let name = if name == "md_5" { "md5".to_owned() } else { name };
                let listed = DOORS.iter().any(|(known, _)| *known == name);
                if !listed && !ANYWHERE.contains(&name.as_str()) {
                    missing.push(name);
                }
            }
        }
    }
    assert!(missing.is_empty(), "no door is named for {missing:?}");
}

#[test]
fn unsafe_stands_in_one_file() {
    for source in sources() {
        let words = source.code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let found = words.filter(|word| *word == "unsafe").count();
        if found > 0 {
            assert_eq!(source.path, "src/capture/mmap.rs", "unsafe");
        }
    }
    let parsers = std::fs::read_to_string(support::root().join("parsers/src/lib.rs")).unwrap();
    assert!(parsers.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn files_are_short_enough_to_be_read() {
    let mut long = Vec::new();
    for source in sources() {
        let allowed = LONG.iter().any(|(path, _)| *path == source.path);
        let lines = source.text.lines().count();
        if lines > LINES && !allowed {
            long.push(format!("{}: {lines} lines", source.path));
        }
        assert!(!allowed || lines > LINES, "{} is no longer long", source.path);
    }
    assert!(long.is_empty(), "longer than {LINES} lines: {long:#?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    for source in sources() {
        assert!(source.text.starts_with("//!"), "{} begins without //!", source.path);
    }
}
