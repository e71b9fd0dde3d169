//! Codecs without a decoder here, decoded by an `ffmpeg` that the user has installed: run once a file,
//! with an argument vector and without a shell. It reads the file that was just written and nothing
//! else, and its output is taken as samples whatever it says.

use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::container::Kind;
use crate::policy::limits::HEARD_SECONDS;

/// The samples that `ffmpeg` makes of `file`, at the rate of its codec, in one channel.
///
/// # Errors
/// When it cannot be run, or ends with an error before it gave any sample: a sentence of its own.
pub fn decode(ffmpeg: &Path, kind: Kind, file: &Path) -> io::Result<Vec<i16>> {
    let rate = kind.rate().to_string();
    let mut child = Command::new(ffmpeg)
        .args(["-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"])
        .args(["-f", kind.demuxer(), "-i"])
        .arg(file)
        .args(["-map", "0:a:0", "-f", "s16le", "-ac", "1", "-ar", rate.as_str(), "pipe:1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let most = HEARD_SECONDS.saturating_mul(u64::from(kind.rate())).saturating_mul(2);
    let mut octets = Vec::new();
    let read = match child.stdout.take() {
        Some(stdout) => stdout.take(most).read_to_end(&mut octets),
        None => Ok(0),
    };
    // Closed at its limit, it ends by itself; its status is asked for so that no process is left.
    let status = child.wait()?;
    read?;
    if octets.is_empty() && !status.success() {
        return Err(io::Error::other(format!("ffmpeg ended with {status}")));
    }
    let (samples, _) = octets.as_chunks::<2>();
    Ok(samples.iter().map(|octets| i16::from_le_bytes(*octets)).collect())
}
