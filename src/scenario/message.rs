//! A body's lines to octets: verbatim messages with their line ends, variables and lengths.

use super::args::Args;
use super::world::World;

/// How a body is written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Ends {
    Crlf,
    Lf,
}

/// The payload of a `udp` or `tcp` step: `random=N`, `hex`, or the body as text.
pub(super) fn payload(world: &mut World, args: &mut Args<'_>) -> Result<Vec<u8>, String> {
    Ok(payloads(world, args)?.concat())
}

/// The same, each message by itself.
pub(super) fn payloads(world: &mut World, args: &mut Args<'_>) -> Result<Vec<Vec<u8>>, String> {
    if let Some(count) = args.read("random", super::value::narrow::<u16>)? {
        return Ok(vec![world.rng().octets(usize::from(count))]);
    }
    let ends = if args.choice("eol", &["crlf", "lf"])? == "lf" { Ends::Lf } else { Ends::Crlf };
    if args.flag("hex") {
        return hex(args.body).map(|octets| vec![octets]);
    }
    if args.flag("empty") {
        return Ok(vec![Vec::new()]);
    }
    if args.body.is_empty() {
        let verb = args.verb;
        return Err(format!(
            "`{verb}` needs a message below it, indented, or hex, random= or empty"
        ));
    }
    let escapes = args.flag("escapes");
    let messages = args.body.split(|line| *line == "---");
    messages.map(|lines| message(world, lines, ends, escapes)).collect()
}

fn hex(lines: &[&str]) -> Result<Vec<u8>, String> {
    let digits: String = lines.iter().flat_map(|line| line.split_whitespace()).collect();
    let pairs = digits.as_bytes().chunks(2);
    let octet = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|text| text.len() == 2);
        text.and_then(|text| u8::from_str_radix(text, 16).ok())
    };
    let made: Option<Vec<u8>> = pairs.map(octet).collect();
    made.ok_or_else(|| "hex: the body is not pairs of hexadecimal digits".to_owned())
}

/// One message. Without an empty line it is a header only, and gets the empty line that ends it.
fn message(world: &World, lines: &[&str], ends: Ends, escapes: bool) -> Result<Vec<u8>, String> {
    let end: &[u8] = if ends == Ends::Lf { b"\n" } else { b"\r\n" };
    let blank = lines.iter().position(|line| line.is_empty());
    let (head, body) = match blank {
        Some(at) => (lines.get(..at), lines.get(at.saturating_add(1)..)),
        None => (Some(lines), None),
    };
    let encode = |lines: Option<&[&str]>| -> Result<Vec<u8>, String> {
        let mut octets = Vec::new();
        for line in lines.unwrap_or_default() {
            let text = variables(world, line)?;
            if escapes {
                octets.extend(unescaped(&text)?);
            } else {
                octets.extend(text.as_bytes());
            }
            octets.extend(end);
        }
        Ok(octets)
    };
    let body = encode(body)?;
    let length = format!("Content-Length: {}", body.len());
    let counted: Vec<&str> = head
        .unwrap_or_default()
        .iter()
        .map(|line| if *line == "Content-Length: auto" { length.as_str() } else { line })
        .collect();
    let mut octets = encode(Some(&counted))?;
    octets.extend(end);
    octets.extend(body);
    Ok(octets)
}

/// Puts in `{i}` (the repetition, from 0) and `{alice}` (the host's address); `{{` is a brace.
fn variables(world: &World, line: &str) -> Result<String, String> {
    let mut made = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        made.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            made.push('{');
            rest = after;
            continue;
        }
        let (name, after) =
            after.split_once('}').ok_or_else(|| "`{` without `}`; write `{{`".to_owned())?;
        match world.hosts.iter().find(|host| host.name == name) {
            Some(host) => made.push_str(&host.ip.to_string()),
            None if name == "i" => made.push_str(&world.repetition.to_string()),
            None => return Err(format!("`{{{name}}}` is neither a host nor {{i}}")),
        }
        rest = after;
    }
    made.push_str(rest);
    Ok(made)
}

/// `\r \n \t \0 \\ \xHH` to octets.
fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        octets.extend(before.as_bytes());
        let (octet, taken) = match after.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'0', ..] => (0, 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', ..] => {
                let digits = after.get(1..3).unwrap_or_default();
                let octet = u8::from_str_radix(digits, 16);
                (octet.map_err(|_| format!("`\\x{digits}` is not an octet"))?, 3)
            }
            _ => return Err("after `\\` there is r, n, t, 0, \\ or xHH".to_owned()),
        };
        octets.push(octet);
        rest = after.get(taken..).unwrap_or_default();
    }
    octets.extend(rest.as_bytes());
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_only_message_gets_its_empty_line() {
        let lines = ["OPTIONS sip:b SIP/2.0", "Content-Length: auto"];
        let made = message(&World::new(), &lines, Ends::Crlf, false).unwrap();
        assert_eq!(made, b"OPTIONS sip:b SIP/2.0\r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn the_length_counts_the_body_with_its_line_ends() {
        let lines = ["X", "Content-Length: auto", "", "v=0", "s=-"];
        let made = message(&World::new(), &lines, Ends::Crlf, false).unwrap();
        assert_eq!(made, b"X\r\nContent-Length: 10\r\n\r\nv=0\r\ns=-\r\n");
    }

    #[test]
    fn variables_and_escapes_are_put_in() {
        assert_eq!(variables(&World::new(), "a{i}{{b").unwrap(), "a0{b");
        assert!(variables(&World::new(), "{nobody}").is_err());
        assert_eq!(unescaped("\\xff\\r\\\\").unwrap(), [0xff, 13, b'\\']);
        assert!(unescaped("\\q").is_err());
    }
}
