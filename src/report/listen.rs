//! What can be heard of a call: for people, and as JSON (schema `overhear.listen/1`, `docs/listen.md`).
//!
//! Without content unless somebody asked for it: lengths, hashes and envelopes say that a call can be
//! listened to, not what was said in it.

use std::io::{self, Write};

use serde::Serialize;

use super::encode::encode;
use super::safe::safe;
use super::text::{Ink, Layout, count, duration, grouped, moment};
use crate::model::addr::Endpoint;
use crate::model::id::RecordId;
use crate::model::time::{Span, Ts};
use crate::prove::audio::envelope::{self, Side};
use crate::prove::audio::heard::Heard;
use crate::prove::audio::recording::LeftOut;

/// The schema's number.
pub const SCHEMA: &str = "overhear.listen/1";

/// Column at which the text about a stream begins.
const COLUMN: usize = 9;

/// What was heard of all calls that were asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Hearing {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Who heard it.
    pub tool: Tool,
    /// The sources, as given.
    pub sources: Vec<String>,
    /// The calls in order of their first frame.
    pub calls: Vec<Call>,
    /// Sentences: what cannot be heard and why.
    pub limits: Vec<String>,
}

/// This program, and what it revealed.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    /// `overhear`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What was revealed; empty unless somebody asked for it.
    pub reveals: Vec<Reveal>,
}

/// Content that was written.
#[derive(Clone, Debug, Serialize)]
pub struct Reveal {
    /// `audio`.
    pub what: &'static str,
    /// The call.
    pub call: RecordId,
    /// Its Call-ID.
    pub call_id: String,
    /// Who asked for it: the name under which the program ran, if that is known.
    pub by: Option<String>,
    /// The frames it came from.
    pub frames: Vec<Frames>,
    /// What was written.
    pub files: Vec<Written>,
}

/// The frames of one stream.
#[derive(Clone, Debug, Serialize)]
pub struct Frames {
    /// The stream.
    pub stream: RecordId,
    /// Source of the first frame.
    pub first_source: u16,
    /// First frame.
    pub first_frame: u64,
    /// Source of the last frame.
    pub last_source: u16,
    /// Last frame.
    pub last_frame: u64,
    /// Packets.
    pub packets: u64,
}

impl Frames {
    /// Those of a stream that was asked for.
    pub fn of(heard: &Heard) -> Self {
        Self {
            stream: heard.id,
            first_source: heard.first_frame.source,
            first_frame: heard.first_frame.number,
            last_source: heard.last_frame.source,
            last_frame: heard.last_frame.number,
            packets: heard.packets,
        }
    }
}

/// A file.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// Its name within the folder.
    pub name: String,
    /// Octets.
    pub octets: u64,
    /// SHA-256.
    pub sha256: String,
}

/// A call that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Its id.
    pub id: RecordId,
    /// Its Call-ID.
    pub call_id: String,
    /// Who called.
    pub caller: Option<String>,
    /// Who was called.
    pub callee: Option<String>,
    /// Time of the initial INVITE.
    pub start: Ts,
    /// What an eavesdropper gets.
    pub exposure: &'static str,
    /// Its streams in order of their first frame.
    pub streams: Vec<Stream>,
    /// Files without content: pictures.
    pub pictures: Vec<String>,
}

/// One stream.
#[derive(Clone, Debug, Serialize)]
pub struct Stream {
    /// Its id.
    pub id: RecordId,
    /// Who speaks: `caller` or `callee`.
    pub speaker: &'static str,
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// SSRC, `0x` and eight digits.
    pub ssrc: String,
    /// Names of its codecs, in order of appearance.
    pub codecs: Vec<String>,
    /// The verdict's word.
    pub protection: &'static str,
    /// What opened it.
    pub opened_by: Option<String>,
    /// `overhear`, `ffmpeg`, or nobody.
    pub decoder: Option<&'static str>,
    /// Capture time of the first packet.
    pub first: Ts,
    /// Packets, duplicates included.
    pub packets: u64,
    /// Seconds from the first sample to the last; null if none can be had.
    pub seconds: Option<f64>,
    /// Seconds of it that packets brought.
    pub sound_s: Option<f64>,
    /// The share of it, percent, that is loud enough for speech.
    pub speech_pct: Option<f64>,
    /// SHA-256 of the samples: 16 bits each, the lower octet first.
    pub sha256: Option<String>,
    /// Packets that were left out, by reason.
    pub left_out: LeftOut,
    /// Packets of which the capture holds only a part.
    pub clipped: u64,
    /// Packets of which nothing could be made.
    pub undecodable: u64,
    /// Digits sent as events.
    pub digits: Digits,
    /// Why it cannot be heard.
    pub remark: Option<String>,
    /// The level of each 20 ms.
    #[serde(skip)]
    pub levels: Vec<u8>,
    /// Seconds that its first sample is behind that of the call.
    #[serde(skip)]
    pub offset: f64,
}

/// Digits sent as events (RFC 4733).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Digits {
    /// How many.
    pub count: usize,
    /// When each began.
    pub times: Vec<Ts>,
    /// Which, with `--reveal-secrets`.
    pub revealed: Option<String>,
}

impl Hearing {
    /// Whether anything can be heard.
    pub fn audible(&self) -> bool {
        self.calls.iter().flat_map(|call| &call.streams).any(|stream| stream.seconds.is_some())
    }
}

impl Call {
    /// Seconds from the first sample of the call to its last.
    pub fn seconds(&self) -> f64 {
        let end = |stream: &Stream| stream.offset + stream.seconds.unwrap_or_default();
        self.streams.iter().map(end).fold(0.0, f64::max)
    }
}

/// Writes the report as JSON.
///
/// # Errors
/// Those of `out`.
pub fn json(hearing: &Hearing, out: &mut impl Write) -> io::Result<()> {
    let mut octets = Vec::new();
    encode(hearing, &mut octets)?;
    octets.push(b'\n');
    out.write_all(&octets)
}

/// Writes one reveal as JSON.
///
/// # Errors
/// Those of `out`.
pub fn reveal(reveal: &Reveal, sources: &[String], out: &mut dyn Write) -> io::Result<()> {
    /// What stands beside revealed files.
    #[derive(Serialize)]
    struct Sidecar<'a> {
        schema: &'static str,
        tool: &'static str,
        version: &'static str,
        sources: &'a [String],
        reveal: &'a Reveal,
    }
    let mut octets = Vec::new();
    let sidecar = Sidecar {
        schema: "overhear.reveal/1",
        tool: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        sources,
        reveal,
    };
    encode(&sidecar, &mut octets)?;
    octets.push(b'\n');
    out.write_all(&octets)
}

/// Writes the report for a person.
///
/// # Errors
/// Those of `out`.
pub fn write(hearing: &Hearing, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    for call in &hearing.calls {
        head(call, layout, out)?;
        for stream in &call.streams {
            writeln!(out)?;
            about(stream, call, layout, out)?;
        }
        if call.streams.is_empty() {
            writeln!(out, "no media of this call is in the capture")?;
        }
        writeln!(out)?;
    }
    let written: Vec<&Written> =
        hearing.tool.reveals.iter().flat_map(|reveal| &reveal.files).collect();
    for file in &written {
        let text = format!("{}, {} octets", safe(&file.name), grouped(file.octets));
        layout.item(out, ("written", None), COLUMN, &text)?;
    }
    for picture in hearing.calls.iter().flat_map(|call| &call.pictures) {
        layout.item(out, ("written", None), COLUMN, &format!("{}, no content", safe(picture)))?;
    }
    for limit in &hearing.limits {
        layout.item(out, ("note", Some(Ink::Yellow)), COLUMN, limit)?;
    }
    Ok(())
}

fn head(call: &Call, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let name = |party: &Option<String>| safe(party.as_deref().unwrap_or("?")).into_owned();
    let (date, time) = moment(call.start);
    let title = format!("call {}  {} -> {}", call.id, name(&call.caller), name(&call.callee));
    writeln!(out, "{}", layout.paint(&title, Ink::Bold))?;
    let text = format!("{date} {time} UTC, Call-ID {}, {}", safe(&call.call_id), call.exposure);
    layout.item(out, ("", None), COLUMN, &text)
}

fn about(stream: &Stream, call: &Call, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let codecs = if stream.codecs.is_empty() { "?".to_owned() } else { stream.codecs.join(", ") };
    let text = format!("{} -> {}, {}", stream.src, stream.dst, safe(&codecs));
    layout.item(out, (stream.speaker, Some(Ink::Bold)), COLUMN, &text)?;
    layout.item(out, ("", None), COLUMN, &figures(stream))?;
    if let Some(hash) = &stream.sha256 {
        writeln!(out, "{:COLUMN$}sha256 {hash}", "")?;
    }
    let asides = asides(stream);
    if !asides.is_empty() {
        layout.item(out, ("", None), COLUMN, &asides.join("; "))?;
    }
    if stream.levels.iter().any(|level| *level > 0) {
        let side = Side { label: "", offset: stream.offset, levels: &stream.levels };
        let row = envelope::row(&side, call.seconds(), layout.width.saturating_sub(COLUMN + 2));
        writeln!(out, "{:COLUMN$}|{row}|", "")?;
    }
    Ok(())
}

/// What can be heard, in a sentence.
fn figures(stream: &Stream) -> String {
    let mut parts = Vec::new();
    match (stream.sound_s, stream.seconds) {
        (Some(sound), Some(whole)) => {
            parts.push(format!("{} recoverable of {}", span(sound), span(whole)));
        }
        _ => parts.push("nothing can be heard".to_owned()),
    }
    if let Some(speech) = stream.speech_pct {
        parts.push(format!("speech in {speech:.0} % of it"));
    }
    if let Some(decoder) = stream.decoder.filter(|decoder| *decoder != env!("CARGO_PKG_NAME")) {
        parts.push(format!("decoded by {decoder}"));
    }
    match (&stream.opened_by, stream.protection) {
        (Some(key), _) => parts.push(format!("opened with {}", safe(key))),
        (None, "unknown") => parts.push("protection unknown".to_owned()),
        (None, protection) => parts.push(protection.to_owned()),
    }
    parts.extend(stream.remark.as_deref().map(|remark| safe(remark).into_owned()));
    parts.join(", ")
}

fn asides(stream: &Stream) -> Vec<String> {
    let LeftOut { duplicates, intruding, beyond, sealed } = stream.left_out;
    let mut all = Vec::new();
    for (number, what) in [
        (duplicates, "came twice"),
        (intruding, "of a second sender under this SSRC left out"),
        (beyond, "beyond six hours left out"),
        (if stream.seconds.is_some() { sealed } else { 0 }, "not opened"),
        (stream.undecodable, "of no use to the decoder"),
        (stream.clipped, "cut by the capture"),
    ] {
        if number > 0 {
            all.push(format!("{} {what}", count(number, "packet")));
        }
    }
    if stream.digits.count > 0 {
        let number = u64::try_from(stream.digits.count).unwrap_or(u64::MAX);
        let shown = stream.digits.revealed.as_ref().map(|digits| format!(": {}", safe(digits)));
        all.push(format!("{} sent as events{}", count(number, "digit"), shown.unwrap_or_default()));
    }
    all
}

#[expect(clippy::cast_possible_truncation, reason = "at most six hours")]
fn span(seconds: f64) -> String {
    duration(Span::from_millis((seconds * 1e3) as i64))
}

#[cfg(test)]
mod tests;
