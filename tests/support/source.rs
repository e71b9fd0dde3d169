//! The sources as the scans see them: code without comments, strings left in, tests cut off.

use std::fs;
use std::sync::OnceLock;

use super::{files, root};

/// One source file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Path below the repository.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
    /// Without comments and without the tests at its end.
    pub(crate) code: String,
}

/// Every source file of the product; files that hold only tests are left out.
pub(crate) fn sources() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = Vec::new();
        for folder in ["src", "parsers/src"] {
            for path in files(&root().join(folder)) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                // Registries and samples lie beside what reads them.
                if name.ends_with(".rs") && !is_test_file(&name) {
                    let text = fs::read_to_string(&path).unwrap();
                    all.push(Source { code: code(&text), path: name, text });
                }
            }
        }
        assert!(all.len() > 150, "{} sources", all.len());
        all
    })
}

/// Files behind `#[cfg(test)] mod`.
fn is_test_file(name: &str) -> bool {
    let tests = ["/tests.rs", "_tests.rs", "/testing.rs", "/sample.rs"];
    name.contains("/tests/") || tests.iter().any(|end| name.ends_with(end))
}

/// Lines before the tests, without what stands behind `//`.
fn code(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        if line.starts_with("#[cfg(test)]\nmod tests") || line.ends_with("mod tests {") {
            break;
        }
        let end = comment(line).unwrap_or(line.len());
        code.push_str(line.get(..end).unwrap_or_default());
        code.push('\n');
    }
    code
}

/// Where a comment begins: at `//` that is not within quotes.
fn comment(line: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '/' if !quoted && line.get(at..).is_some_and(|rest| rest.starts_with("//")) => {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}
