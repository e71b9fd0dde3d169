//! The record of what `decrypt` opened: the calls, the packets, and who revealed what was said.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::prove::audio::heard::Heard;
use crate::prove::audio::measure::sha256_of;
use crate::report::Outcome;
use crate::report::listen::{Frames, Reveal, Tool, Written};
use crate::report::opened::{Call, Opening, Packets, SCHEMA};

use super::decrypt::Unsealer;
use super::trace::Trace;

/// Who wants a record of what, and where the packets went.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// Who asks.
    pub by: Option<String>,
    /// The capture that was written; `None` for standard output.
    pub file: Option<&'a Path>,
    /// Packets in it.
    pub packets: u64,
}

/// The record of one run, once its capture is written.
///
/// # Errors
/// When the records, or the file that was written, cannot be read.
pub fn opening(
    outcome: &mut Outcome,
    trace: &Trace,
    unsealer: &Unsealer,
    asked: &Asked<'_>,
) -> io::Result<Opening> {
    let written = Packets {
        packets: asked.packets,
        rtp: unsealer.media,
        rtcp: unsealer.control,
        unopened: unsealer.failed,
    };
    let tool = Tool {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        reveals: Vec::new(),
    };
    let sources = outcome.capture.sources.iter().map(|source| source.path.clone()).collect();
    let silenced = !unsealer.content();
    let mut opening =
        Opening { schema: SCHEMA, tool, sources, calls: Vec::new(), written, silenced };
    let files = asked.file.filter(|_| !silenced).map(file).transpose()?;
    let wanted = trace.calls();
    outcome.archive.calls(|row| {
        let key = row.record.key();
        if !wanted.contains(&key) {
            return Ok(());
        }
        let of_call = trace.heard().iter().filter(|heard| heard.call == key);
        let opened: Vec<&Heard> = of_call.filter(|heard| unsealer.opens(heard)).collect();
        let (id, call_id) = (row.record.id, row.record.call_id.to_string());
        if !silenced && !opened.is_empty() {
            opening.tool.reveals.push(Reveal {
                what: "audio",
                call: id,
                call_id: call_id.clone(),
                by: asked.by.clone(),
                frames: opened.iter().map(|heard| Frames::of(heard)).collect(),
                files: files.iter().cloned().collect(),
            });
        }
        let opened = opened.iter().map(|heard| heard.id).collect();
        opening.calls.push(Call { id, call_id, opened });
        Ok(())
    })?;
    Ok(opening)
}

fn file(path: &Path) -> io::Result<Written> {
    let mut file = File::open(path)?;
    let octets = file.metadata()?.len();
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(Written { name, octets, sha256: sha256_of(&mut file)? })
}
