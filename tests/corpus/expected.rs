//! What the yardstick says about one capture: `<capture>.expected.json`, and which rules its plain
//! finding names mean.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::pattern;

/// A capture with its expectations.
pub(crate) struct Case {
    /// The capture.
    pub(crate) path: PathBuf,
    /// Its file name.
    pub(crate) name: String,
    /// Its `expected.json`.
    pub(crate) expected: Value,
}

impl Case {
    /// Every capture of `folder` that has expectations, by name.
    pub(crate) fn all(folder: &Path) -> Vec<Self> {
        let mut all = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if let Some(name) = name.strip_suffix(".expected.json") {
                let text = fs::read(folder.join(format!("{name}.expected.json"))).unwrap();
                let expected = serde_json::from_slice(&text).unwrap();
                all.push(Self { path: folder.join(name), name: name.to_owned(), expected });
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The list of this name; empty if there is none.
    pub(crate) fn list(&self, key: &str) -> &[Value] {
        list(&self.expected[key])
    }
}

/// An array's elements.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A string's text; empty for anything else.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Plain finding names, each with the pattern of rule ids that it means and whether rules of this
/// version have to find it.
pub(crate) struct Names(BTreeMap<String, (String, bool)>);

impl Names {
    /// Reads `finding-names.json`.
    pub(crate) fn read(path: &Path) -> Self {
        let names: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let names = names.as_object().unwrap().iter().map(|(name, meaning)| {
            let due = ["spine", "arrival", "media", "tls"].contains(&text(&meaning["from"]));
            (name.clone(), (text(&meaning["rules"]).to_owned(), due))
        });
        Self(names.collect())
    }

    /// Whether a rule of those that fired is meant by `name`; `None` if the name means no rule.
    pub(crate) fn fired(&self, name: &str, rules: &[&str]) -> Option<bool> {
        let (meant, _) = self.0.get(name)?;
        Some(rules.iter().any(|rule| pattern::matches(meant, rule)))
    }

    /// Whether the rules that exist have to find it.
    pub(crate) fn is_due(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|(_, due)| *due)
    }
}
