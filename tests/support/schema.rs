//! A checker for the part of JSON Schema 2020-12 that `docs/overhear.report.schema.json` uses:
//! `type`, `enum`, `const`, `required`, `properties`, `additionalProperties`, `items`, `anyOf`,
//! `minimum`, `maximum`, `$ref` into `$defs`, and the few `pattern`s it has. A keyword it does not
//! know is a fault, so that the schema cannot say something nobody checks.

use serde_json::{Map, Value};

/// Every place where `value` does not follow `schema`, as `path: what`.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, value, "$", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        faults.push(format!("{path}: the schema is not an object"));
        return;
    };
    for (keyword, rule) in keywords {
        let holds = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = rule.as_str().and_then(|text| text.strip_prefix("#/$defs/"));
                match name.and_then(|name| root.get("$defs")?.get(name)) {
                    Some(definition) => {
                        check(root, definition, value, path, faults);
                        true
                    }
                    None => false,
                }
            }
            "type" => match rule {
                Value::Array(names) => names.iter().any(|name| is_type(name, value)),
                name => is_type(name, value),
            },
            "enum" => rule.as_array().is_some_and(|values| values.contains(value)),
            "const" => rule == value,
            "minimum" => value.as_f64().is_none_or(|n| rule.as_f64().is_some_and(|min| n >= min)),
            "maximum" => value.as_f64().is_none_or(|n| rule.as_f64().is_some_and(|max| n <= max)),
            "pattern" => value.as_str().is_none_or(|text| matches(rule, text)),
            "anyOf" => rule.as_array().is_some_and(|options| {
                options.iter().any(|option| {
                    let mut own = Vec::new();
                    check(root, option, value, path, &mut own);
                    own.is_empty()
                })
            }),
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{path}[{place}]"), faults);
                }
                true
            }
            "required" | "properties" | "additionalProperties" => {
                if let Some(object) = value.as_object() {
                    object_keyword(root, keywords, keyword, object, path, faults);
                }
                true
            }
            _ => false,
        };
        if !holds {
            faults.push(format!("{path}: {value} is refused by {keyword} {rule}"));
        }
    }
}

fn object_keyword(
    root: &Value,
    keywords: &Map<String, Value>,
    keyword: &str,
    object: &Map<String, Value>,
    path: &str,
    faults: &mut Vec<String>,
) {
    let properties = keywords.get("properties").and_then(Value::as_object);
    let rule = keywords.get(keyword);
    match keyword {
        "required" => {
            for name in rule.and_then(Value::as_array).into_iter().flatten() {
                if !name.as_str().is_some_and(|name| object.contains_key(name)) {
                    faults.push(format!("{path}: {name} is missing"));
                }
            }
        }
        "properties" => {
            for (name, rule) in properties.into_iter().flatten() {
                if let Some(value) = object.get(name) {
                    check(root, rule, value, &format!("{path}.{name}"), faults);
                }
            }
        }
        _ => {
            let known = |name: &String| properties.is_some_and(|known| known.contains_key(name));
            for (name, value) in object.iter().filter(|(name, _)| !known(name)) {
                if let Some(rule) = rule {
                    check(root, rule, value, &format!("{path}.{name}"), faults);
                }
            }
        }
    }
}

fn is_type(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}

/// The patterns of the schema, by what they say.
fn matches(pattern: &Value, text: &str) -> bool {
    let hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    match pattern.as_str() {
        Some("^[0-9a-f]{64}$") => hex(text, 64),
        Some("^0x[0-9a-f]{8}$") => text.strip_prefix("0x").is_some_and(|rest| hex(rest, 8)),
        Some("^[A-Z0-9]+(-[A-Z0-9]+)+$") => {
            let part = |part: &str| {
                !part.is_empty() && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'Z'))
            };
            text.contains('-') && text.split('-').all(part)
        }
        Some(pattern) if pattern.contains("T[0-9]{2}") => {
            let shape: String =
                text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
            shape.ends_with("9999-99-99T99:99:99.999999999Z")
        }
        Some(pattern) if pattern.contains("]):[0-9]+") => {
            text.parse::<std::net::SocketAddr>().is_ok()
        }
        Some(pattern) => {
            let letter =
                pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix("[0-9a-f]{14}$"));
            letter.and_then(|letter| text.strip_prefix(letter)).is_some_and(|rest| hex(rest, 14))
        }
        None => false,
    }
}
