//! The few regular expressions of `finding-names.json`: anchors, groups of alternatives, `?` after a
//! letter, and `.*`.

/// Whether `text` matches `pattern`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    alternatives(pattern).iter().any(|flat| {
        let anchored = flat.strip_prefix('^');
        let flat = anchored.unwrap_or(flat).as_bytes();
        let starts = if anchored.is_some() { 0 } else { text.len() };
        (0..=starts).any(|at| here(flat, text.as_bytes().get(at..).unwrap_or_default()))
    })
}

/// The pattern without groups: one for each combination of alternatives.
fn alternatives(pattern: &str) -> Vec<String> {
    let mut depth = 0;
    let mut branches = vec![String::new()];
    for letter in pattern.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match branches.last_mut() {
            Some(branch) if letter != '|' || depth > 0 => branch.push(letter),
            _ => branches.push(String::new()),
        }
    }
    if branches.len() > 1 {
        return branches.iter().flat_map(|branch| alternatives(branch)).collect();
    }
    let Some((before, rest)) = pattern.split_once('(') else { return vec![pattern.to_owned()] };
    let (group, after) = rest.split_once(')').unwrap();
    let optional = after.strip_prefix('?');
    let mut inner: Vec<&str> = group.split('|').collect();
    inner.extend(optional.map(|_| ""));
    let after = optional.unwrap_or(after);
    inner.iter().flat_map(|inner| alternatives(&format!("{before}{inner}{after}"))).collect()
}

fn here(flat: &[u8], text: &[u8]) -> bool {
    match flat {
        [] => true,
        b"$" => text.is_empty(),
        [b'.', b'*', rest @ ..] => (0..=text.len()).any(|at| here(rest, text.split_at(at).1)),
        [letter, b'?', rest @ ..] => {
            here(rest, text) || text.strip_prefix(&[*letter]).is_some_and(|text| here(rest, text))
        }
        [letter, rest @ ..] => text.strip_prefix(&[*letter]).is_some_and(|text| here(rest, text)),
    }
}

#[test]
fn patterns_mean_what_they_say() {
    assert!(matches("^(ID|STIR)-", "STIR-MISSING"));
    assert!(!matches("^(ID|STIR)-", "SIG-STIR-X"));
    assert!(matches("^MEDIA-SDES-(KEY-EXPOSED|DECRYPT-PROVEN)$", "MEDIA-SDES-KEY-EXPOSED"));
    assert!(matches("^D?TLS-EXPORT$|^D?TLS-.*DES", "TLS-3DES"));
    assert!(!matches("^SIG-CLEARTEXT$", "SIG-CLEARTEXT-X"));
    assert!(matches("^(DIST-)?BRUTE-FORCE|^PASSWORD-SPRAY", "BRUTE-FORCE-SUCCESS"));
    assert!(matches("^(DIST-)?BRUTE-FORCE|^PASSWORD-SPRAY", "DIST-BRUTE-FORCE"));
}
