//! `-f`: packet filters in the language of tcpdump (pcap-filter(7)), the door of libpcap.
//!
//! libpcap compiles an expression for one link type; a capture may have several, so a filter is
//! compiled for each when its first frame comes. What runs is [`Program`], ours. libpcap would ask
//! the network for a name that it does not know ([`super::words`] refuses those), and says of most
//! mistakes only that there is one: [`locate`] finds where.

use std::fmt;

use super::bpf::Program;
use super::words;
use crate::model::frame::LinkType;

/// A filter, and what became of it for each link type met.
#[derive(Clone, Debug)]
pub struct Filter {
    expression: String,
    compiled: Vec<(LinkType, Compiled)>,
}

#[derive(Clone, Debug)]
enum Compiled {
    Program(Program),
    /// libpcap cannot say this of the link type; so many frames were rejected for it.
    Refused(String, u64),
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// 1-based character of the expression, where it is known.
    pub position: Option<usize>,
    /// What is wrong there, as a clause.
    pub what: String,
}

/// Link types that an expression is tried for before there are frames: it is wrong if none of
/// them takes it. Ethernet, IP, cooked, radiotap, PFLOG, 802.11, PPP and SS7.
const TRIED: [u16; 8] = [1, 101, 113, 127, 117, 105, 9, 140];

/// Link types of a capture that a filter is kept for; there are 64 in a report's list too.
const KEPT: usize = 64;

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// Where it is wrong, or that it cannot be compiled for any link type.
    pub fn new(expression: &str) -> Result<Self, FilterError> {
        words::check(expression)?;
        let mut first = None;
        for link in TRIED.map(LinkType) {
            match compile(link, expression) {
                Ok(_) => {
                    return Ok(Self { expression: expression.to_owned(), compiled: Vec::new() });
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        let what = first.unwrap_or_default();
        Err(if what.contains("syntax error") {
            locate(expression)
        } else {
            FilterError { position: None, what }
        })
    }

    /// Whether a frame passes. One without link type does not.
    pub fn passes(&mut self, link: Option<LinkType>, octets: &[u8], wire_length: u32) -> bool {
        let Some(link) = link else { return false };
        let known = self.compiled.iter().position(|(known, _)| *known == link);
        let index = known.unwrap_or_else(|| {
            if self.compiled.len() >= KEPT {
                self.compiled.pop();
            }
            let compiled = match compile(link, &self.expression) {
                Ok(program) => Compiled::Program(program),
                Err(error) => Compiled::Refused(error, 0),
            };
            self.compiled.push((link, compiled));
            self.compiled.len().saturating_sub(1)
        });
        match self.compiled.get_mut(index) {
            Some((_, Compiled::Program(program))) => program.passes(octets, wire_length),
            Some((_, Compiled::Refused(_, frames))) => {
                *frames = frames.saturating_add(1);
                false
            }
            None => false,
        }
    }

    /// The expression as given.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Link types that the expression cannot be compiled for, with the reason and the frames that
    /// did not pass for it.
    pub fn refused(&self) -> impl Iterator<Item = (LinkType, &str, u64)> {
        self.compiled.iter().filter_map(|(link, compiled)| match compiled {
            Compiled::Program(_) => None,
            Compiled::Refused(why, frames) => Some((*link, why.as_str(), *frames)),
        })
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "at character {position}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for FilterError {}

/// Endings that make some correct beginning of an expression whole. Brackets are closed too.
const ENDINGS: [&str; 14] = [
    "",
    " 1",
    " host 1",
    " = 1",
    " > 1",
    " 1 = 1",
    "0] = 1",
    "] = 1",
    " 1.2.3.4",
    " 255.0.0.0",
    " 1-2",
    " 1:2:3:4:5:6",
    " proto 1",
    " and host 1",
];

/// Finds the word that no expression can continue with: the first one whose beginning up to it
/// cannot be completed in any way that we know.
fn locate(expression: &str) -> FilterError {
    for (at, end) in words::places(expression) {
        let beginning = expression.get(..end).unwrap_or_default();
        let open = beginning.matches('(').count().saturating_sub(beginning.matches(')').count());
        let close = ")".repeat(open.min(64));
        let goes_on = ENDINGS.iter().any(|ending| {
            compile(LinkType::ETHERNET, &format!("{beginning}{ending}{close}")).is_ok()
        });
        if !goes_on {
            let word = expression.get(at..end).unwrap_or_default();
            let before = expression.get(..at).unwrap_or_default();
            return FilterError {
                position: Some(before.chars().count().saturating_add(1)),
                what: format!("'{word}' cannot stand there"),
            };
        }
    }
    FilterError {
        position: Some(expression.chars().count().saturating_add(1)),
        what: "something is missing at the end".to_owned(),
    }
}

#[cfg(feature = "live")]
fn compile(link: LinkType, expression: &str) -> Result<Program, String> {
    use super::bpf::Instruction;

    let text = |error: pcap::Error| match error {
        pcap::Error::PcapError(text) => text,
        error => error.to_string(),
    };
    let capture = pcap::Capture::dead(pcap::Linktype(dlt(link))).map_err(text)?;
    let program = capture.compile(expression, true).map_err(text)?;
    // The crate keeps the fields to itself, but prints them.
    let instruction = |printed: String| {
        let mut numbers = printed.split(' ').map(str::parse::<u32>);
        let mut next = || numbers.next().and_then(Result::ok);
        let (code, when_true, when_false, k) = (next()?, next()?, next()?, next()?);
        Some(Instruction {
            code: u16::try_from(code).ok()?,
            when_true: u8::try_from(when_true).ok()?,
            when_false: u8::try_from(when_false).ok()?,
            k,
        })
    };
    let instructions = program.get_instructions().iter().map(|one| instruction(one.to_string()));
    let instructions: Option<Vec<Instruction>> = instructions.collect();
    instructions.map(Program::new).ok_or_else(|| "libpcap's program cannot be read".to_owned())
}

#[cfg(not(feature = "live"))]
fn compile(_: LinkType, _: &str) -> Result<Program, String> {
    Err("this overhear was built without libpcap (cargo feature `live`)".to_owned())
}

/// The number under which libpcap knows a link type of a file (its `dlt` and `linktype` differ for
/// a few; <https://www.tcpdump.org/linktypes.html>).
#[cfg(feature = "live")]
fn dlt(link: LinkType) -> i32 {
    match link.0 {
        // Raw IP has one number in files, and another on each system.
        101 | 14 => 12,
        100 => 11,
        106 => 19,
        number => i32::from(number),
    }
}
