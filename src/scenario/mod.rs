//! Scenarios: readable text that becomes packets in memory, with the findings it expects.
//!
//! A `.scn` file says which hosts exist, what they send and what the report must then say. Every
//! rule's firing and quiet fixture, the tests of the invariants and the small bench captures are
//! such files; `docs/scenario-language.md` describes the language. [`compile`] reads no clock and
//! draws from a fixed generator only: the same text gives the same octets everywhere. Checksums
//! are right, so that tshark can check what [`Scenario::write_pcapng`] exports.
//!
//! Not here: running the engine over the packets and comparing (`tests/scenarios.rs`).

mod args;
mod auth;
mod beside;
mod call;
mod certificate;
mod codec;
mod dialog;
mod dtls;
mod expect;
mod message;
mod plain;
mod register;
mod relay;
mod rng;
mod rtcp;
mod rtp;
mod run;
mod sctp;
mod shake;
mod shape;
mod tcp;
mod text;
mod tls;
mod value;
mod wire;
mod world;
mod write;
mod ws;

use std::fmt;
use std::io;

use crate::model::frame::LinkType;
use crate::model::time::Ts;
use crate::policy::Policy;

pub use expect::Expectation;

/// Frames that one scenario may make: a typing slip must not fill the memory.
pub const FRAMES: usize = 500_000;

/// What a scenario text means.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The text of the first `#` line, or the name given to [`compile`].
    pub title: String,
    /// The frames in the order in which a capture has them.
    pub frames: Vec<ScenarioFrame>,
    /// What the report must say, in the order written.
    pub expectations: Vec<Expectation>,
    /// The defaults, with what `limit` lines changed.
    pub policy: Policy,
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioFrame {
    /// Capture time.
    pub ts: Ts,
    /// The link type; the same in all frames of a scenario.
    pub link: LinkType,
    /// The frame as it was on the wire.
    pub octets: Vec<u8>,
    /// How many of `octets` the capture holds: fewer than all under `snap=`.
    pub captured: usize,
}

/// Where a scenario text is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The name given to [`compile`].
    pub name: String,
    /// 1-based line of the statement.
    pub line: usize,
    /// A sentence.
    pub message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.name, self.line, self.message)
    }
}

impl std::error::Error for ScenarioError {}

impl ScenarioFrame {
    /// The octets that the capture holds.
    pub fn captured_octets(&self) -> &[u8] {
        self.octets.get(..self.captured).unwrap_or(&self.octets)
    }
}

impl Scenario {
    /// Writes a pcapng file: one section, one interface with nanoseconds, one EPB per frame.
    ///
    /// # Errors
    /// What `out` returns.
    pub fn write_pcapng(&self, out: &mut impl io::Write) -> io::Result<()> {
        write::pcapng(&self.frames, out)
    }

    /// Writes a classic little-endian pcap file with nanoseconds.
    ///
    /// # Errors
    /// What `out` returns.
    pub fn write_pcap(&self, out: &mut impl io::Write) -> io::Result<()> {
        write::pcap(&self.frames, out)
    }
}

/// Reads a scenario. `name` is for error messages and stands in for a missing title.
///
/// # Errors
/// The first statement that cannot be read or carried out.
pub fn compile(text: &str, name: &str) -> Result<Scenario, ScenarioError> {
    run::compile(text, name).map_err(|(line, message)| ScenarioError {
        name: name.to_owned(),
        line,
        message,
    })
}
