//! `expect` lines: what the report must say.

use serde_json::Value;

use super::value;
use crate::model::finding::Severity;

/// One thing that must hold of the report.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// `expect RULE-ID`, with `x1` and a severity where given: the rule has findings.
    Fires {
        /// The rule's id, as in the catalogue.
        rule: String,
        /// The exact number of findings; `None` for at least one.
        count: Option<usize>,
        /// The word of the severity of all of them.
        severity: Option<String>,
    },
    /// `expect no RULE-ID`: the rule has no finding.
    Quiet {
        /// The rule's id.
        rule: String,
    },
    /// `expect clean`: no finding above info, of any rule.
    Clean,
    /// `expect counts.sip_messages = 7`: a value of the JSON report.
    Equals {
        /// Keys and array indices, separated by dots: `calls.0.final_status`.
        path: String,
        /// The value, as JSON.
        value: Value,
    },
    /// `expect exit 1 fail-on=high`: the exit status of `review`.
    Exit {
        /// The status.
        status: u8,
        /// The value of `--fail-on`, where given.
        fail_on: Option<String>,
    },
}

/// Reads what follows `expect`.
pub(super) fn read(rest: &str) -> Result<Expectation, String> {
    if let Some((path, wanted)) = rest.split_once(" = ") {
        let value = serde_json::from_str(wanted.trim())
            .map_err(|_| format!("`{}` is not a JSON value", wanted.trim()))?;
        return Ok(Expectation::Equals { path: path.trim().to_owned(), value });
    }
    let words: Vec<&str> = rest.split_whitespace().collect();
    match words.as_slice() {
        ["clean"] => Ok(Expectation::Clean),
        ["no", name] => Ok(Expectation::Quiet { rule: rule(name)? }),
        ["exit", status, options @ ..] => exit(status, options),
        [name, conditions @ ..] => fires(name, conditions),
        [] => Err("`expect` needs a rule, `no RULE`, `clean`, `path = value` or `exit N`".into()),
    }
}

fn exit(status: &str, options: &[&str]) -> Result<Expectation, String> {
    let fail_on = match options {
        [] => None,
        [option] => Some(
            option
                .strip_prefix("fail-on=")
                .and_then(severity)
                .ok_or_else(|| format!("`{option}` is not fail-on= and a severity"))?,
        ),
        _ => return Err("`expect exit` takes a status and fail-on= only".to_owned()),
    };
    Ok(Expectation::Exit { status: value::narrow(status)?, fail_on })
}

fn fires(name: &str, conditions: &[&str]) -> Result<Expectation, String> {
    let (mut count, mut wanted) = (None, None);
    for condition in conditions {
        if let Some(number) = condition.strip_prefix('x') {
            count = Some(value::narrow(number)?);
        } else if let Some(word) = severity(condition) {
            wanted = Some(word);
        } else {
            return Err(format!("`{condition}` is neither a count such as x1 nor a severity"));
        }
    }
    Ok(Expectation::Fires { rule: rule(name)?, count, severity: wanted })
}

fn severity(word: &str) -> Option<String> {
    Severity::DESCENDING.into_iter().map(Severity::word).find(|w| *w == word).map(str::to_owned)
}

fn rule(name: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    if name.contains('-') && name.chars().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err(format!("`{name}` is not a rule id such as SIG-CLEARTEXT"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        let fires = Expectation::Fires {
            rule: "AUTH-BASIC".into(),
            count: Some(1),
            severity: Some("critical".into()),
        };
        assert_eq!(read("AUTH-BASIC x1 critical").unwrap(), fires);
        assert_eq!(
            read("no AUTH-BASIC").unwrap(),
            Expectation::Quiet { rule: "AUTH-BASIC".into() }
        );
        assert_eq!(read("clean").unwrap(), Expectation::Clean);
        let equals = Expectation::Equals { path: "calls.0.state".into(), value: "answered".into() };
        assert_eq!(read("calls.0.state = \"answered\"").unwrap(), equals);
        let exit = Expectation::Exit { status: 1, fail_on: Some("high".into()) };
        assert_eq!(read("exit 1 fail-on=high").unwrap(), exit);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "auth-basic", "AUTH-BASIC often", "a.b = {", "exit x"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
