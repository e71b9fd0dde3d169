//! What `decrypt` wrote, as JSON (schema `overhear.decrypt/1`, `docs/listen.md`): which calls, how many
//! packets were opened, and, if what was said went with them, who revealed what.

use std::io::{self, Write};

use serde::Serialize;

use super::encode::encode;
use super::listen::Tool;
use crate::model::id::RecordId;

/// The schema's number.
pub const SCHEMA: &str = "overhear.decrypt/1";

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct Opening {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Who wrote it.
    pub tool: Tool,
    /// The sources, as given.
    pub sources: Vec<String>,
    /// The calls that were asked for.
    pub calls: Vec<Call>,
    /// Packets.
    pub written: Packets,
    /// Silence stands in the place of what was said: nobody asked for that.
    pub silenced: bool,
}

/// A call.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Its id.
    pub id: RecordId,
    /// Its Call-ID.
    pub call_id: String,
    /// Its streams that were opened.
    pub opened: Vec<RecordId>,
}

/// How many packets were written.
#[derive(Copy, Clone, Debug, Default, Serialize)]
pub struct Packets {
    /// All of them, signalling too.
    pub packets: u64,
    /// RTP that was opened.
    pub rtp: u64,
    /// RTCP that was opened.
    pub rtcp: u64,
    /// Packets of streams with a known key that did not open.
    pub unopened: u64,
}

/// Writes the report as JSON.
///
/// # Errors
/// Those of `out`.
pub fn json(opening: &Opening, out: &mut dyn Write) -> io::Result<()> {
    let mut octets = Vec::new();
    encode(opening, &mut octets)?;
    octets.push(b'\n');
    out.write_all(&octets)
}
