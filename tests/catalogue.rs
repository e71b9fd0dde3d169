//! A rule is whole: one file with its documentation, a generated page, a fixture that fires and
//! one that stays quiet. With `OVERHEAR_BLESS=1` the pages under `docs/rules` are written anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use overhear::detect::rule::{HEADINGS, Meta};
use overhear::detect::{CATALOGUE, listing};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rules() -> impl Iterator<Item = &'static Meta> {
    CATALOGUE.iter().map(|registered| registered.meta)
}

/// File names in a folder; none if there is no such folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn ids_are_unique_sorted_and_well_formed() {
    let ids: Vec<&str> = rules().map(|meta| meta.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "not sorted, or twice: {ids:?}");
    for id in ids {
        let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
        assert!(id.chars().all(legal) && id.contains('-'), "{id}");
    }
    let names: BTreeSet<&str> = rules().map(|meta| meta.name).collect();
    assert_eq!(names.len(), CATALOGUE.len(), "a name twice");
}

#[test]
fn every_rule_is_documented_under_every_heading() {
    for meta in rules() {
        let found: Vec<&str> =
            meta.docs.lines().filter_map(|line| line.trim().strip_prefix("## ")).collect();
        assert_eq!(found, HEADINGS, "headings of {}", meta.id);
        for heading in HEADINGS {
            assert!(!meta.section(heading).is_empty(), "{heading} of {}", meta.id);
        }
    }
}

#[test]
fn every_rule_has_a_title_a_remedy_references_and_severities_in_order() {
    for meta in rules() {
        assert!(!meta.title.is_empty() && !meta.remediation.is_empty(), "{}", meta.id);
        assert!(!meta.references.is_empty(), "references of {}", meta.id);
        assert!(meta.lowest <= meta.highest, "severities of {}", meta.id);
        for reference in meta.references {
            let known = ["RFC ", "ITU-T "].iter().any(|of| reference.starts_with(of));
            assert!(known, "{reference} of {}", meta.id);
        }
    }
}

#[test]
fn a_rules_file_is_named_after_its_id() {
    for meta in rules() {
        let (family, name) = meta.id.split_once('-').unwrap();
        let folder = family.to_lowercase();
        let name = name.to_lowercase().replace('-', "_");
        let file = meta.file.replace('\\', "/");
        if let Some(rows) = file.strip_prefix("src/detect/tls/") {
            // Rows of one table stand together (decision 12); each is a module named after its id or,
            // where that is no name, after what it finds.
            let text = fs::read_to_string(root().join(&file)).unwrap();
            assert!(
                folder.ends_with("tls") && text.contains(&format!("id: \"{}\"", meta.id)),
                "{rows}"
            );
        } else {
            assert_eq!(file, format!("src/detect/{folder}/{name}.rs"), "file of {}", meta.id);
        }
        assert!(root().join(&file).is_file(), "{file}");
        assert_eq!(meta.name, meta.id.to_lowercase(), "name of {}", meta.id);
    }
}

#[test]
fn no_rule_is_left_out_of_the_catalogue() {
    let known: BTreeSet<&str> = rules().map(|meta| meta.file).collect();
    for family in names(&root().join("src/detect")) {
        let folder = root().join("src/detect").join(&family);
        for name in names(&folder).iter().filter(|name| name.as_str() != "mod.rs") {
            let text = fs::read_to_string(folder.join(name)).unwrap();
            let file = format!("src/detect/{family}/{name}");
            let is_rule = text.contains("\nrule! {") || text.contains("\nrows! {");
            assert_eq!(is_rule, known.contains(file.as_str()), "{file}");
        }
    }
}

#[test]
fn pages_are_fresh() {
    let folder = root().join("docs/rules");
    let bless = env::var_os("OVERHEAR_BLESS").is_some();
    let expected: BTreeSet<String> = rules().map(|meta| format!("{}.md", meta.id)).collect();
    if bless {
        fs::create_dir_all(&folder).unwrap();
        for stale in names(&folder).difference(&expected) {
            fs::remove_file(folder.join(stale)).unwrap();
        }
    }
    for meta in rules() {
        let path = folder.join(format!("{}.md", meta.id));
        let page = listing::markdown(meta.id).unwrap();
        if bless {
            fs::write(&path, page).unwrap();
        } else {
            let written = fs::read_to_string(&path).unwrap_or_default();
            assert!(written == page, "{} is stale: run with OVERHEAR_BLESS=1", path.display());
        }
    }
    assert_eq!(names(&folder), expected, "pages without a rule");
}

#[test]
fn every_rule_has_a_fixture_that_fires_and_one_that_stays_quiet() {
    let mut missing = Vec::new();
    for meta in rules() {
        let fixtures = names(&root().join("fixtures/rules").join(meta.id));
        for kind in ["fires-", "quiet-"] {
            let wanted =
                |name: &String| name.strip_suffix(".scn").is_some_and(|n| n.starts_with(kind));
            if !fixtures.iter().any(wanted) {
                missing.push(format!("fixtures/rules/{}/{kind}*.scn", meta.id));
            }
        }
    }
    assert!(missing.is_empty(), "missing: {missing:#?}");
}
