//! `listen` and `decrypt`: the commands that reveal what was said.

use std::path::PathBuf;

use clap::Args;

use super::Source;

const LISTENING: &str = "\
Examples:
  overhear listen x.pcapng --call c0f3           what could be heard, no content
  overhear listen x.pcapng --call c0f3 -o out    and a picture of it
  overhear listen x.pcapng --call c0f3 -o out --reveal-audio        as WAV files

Without --reveal-audio nothing that was said leaves the capture: lengths, a
hash of the samples and an envelope are the proof. Listen only to what you may.";

const DECRYPTING: &str = "\
Examples:
  overhear decrypt x.pcapng --call c0f3 -w open.pcapng        opened, and silent
  overhear decrypt x.pcapng --call c0f3 -w open.pcapng --reveal-audio

Streams are opened whose SRTP keys the capture shows. Without --reveal-audio
silence takes the place of what was said: headers, times, lengths and RTCP are
the proof. Listen only to what you may.";

#[derive(Debug, Args)]
#[command(after_help = LISTENING)]
#[command(override_usage = "overhear listen FILE... --call ID [-o DIR [--reveal-audio]]")]
pub(in crate::cli) struct Listen {
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// The call: our id or the beginning of it, or a SIP Call-ID (repeatable)
    #[arg(long, value_name = "ID", required = true)]
    pub(in crate::cli) call: Vec<String>,
    /// The folder for files; made if it does not exist
    #[arg(short = 'o', long, value_name = "DIR")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Write what was said, as WAV files; the report says that you did
    #[arg(long, requires = "output")]
    pub(in crate::cli) reveal_audio: bool,
    /// Say which digits were pressed, too
    #[arg(long)]
    pub(in crate::cli) reveal_secrets: bool,
    /// Write the report as JSON; - for stdout, instead of the terminal report
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) json: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = DECRYPTING)]
#[command(override_usage = "overhear decrypt FILE... --call ID -w OUT.pcapng [--reveal-audio]")]
pub(in crate::cli) struct Decrypt {
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// The call: our id or the beginning of it, or a SIP Call-ID (repeatable)
    #[arg(long, value_name = "ID", required = true)]
    pub(in crate::cli) call: Vec<String>,
    /// The pcapng file to write, - for stdout
    #[arg(short = 'w', long, value_name = "OUT.pcapng")]
    pub(in crate::cli) write: PathBuf,
    /// Write what was said, too; the file and the report say that you did
    #[arg(long)]
    pub(in crate::cli) reveal_audio: bool,
    /// Write what was opened as JSON; - for stdout
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) json: Option<PathBuf>,
}
