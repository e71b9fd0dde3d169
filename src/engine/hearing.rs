//! What was heard of the calls that were asked for: measured for the report, and, if somebody wants
//! content revealed, written to a folder with a note of who revealed what.

use std::io;
use std::path::PathBuf;

use crate::correlate::archive::CallRow;
use crate::model::id::RecordKey;
use crate::model::record::{Party, Side};
use crate::model::time::Ts;
use crate::prove::audio::envelope;
use crate::prove::audio::external;
use crate::prove::audio::format::Format;
use crate::prove::audio::heard::Taken;
use crate::prove::audio::measure::{Measure, hexadecimal};
use crate::prove::audio::player::{Outside, Player};
use crate::report::Outcome;
use crate::report::listen::{Call, Digits, Frames, Hearing, Reveal, SCHEMA, Stream, Tool, Written};

use super::revealed::{Folder, Voice, stem};

/// What somebody who listens wants.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Where files go.
    pub folder: Option<PathBuf>,
    /// Write the audio.
    pub audio: bool,
    /// Say which digits were sent.
    pub digits: bool,
    /// A program that decodes what is not decoded here.
    pub ffmpeg: Option<PathBuf>,
    /// Who asks.
    pub by: Option<String>,
    /// Files that must not be written.
    pub inputs: Vec<PathBuf>,
}

/// Measures, and writes, what there is to hear of `calls`.
///
/// # Errors
/// When the records cannot be read any more, or a file cannot be written: named in the sentence.
pub fn hearing(
    outcome: &mut Outcome,
    calls: &[RecordKey],
    taken: &[Taken],
    wishes: &Wishes,
) -> io::Result<Hearing> {
    let sources = outcome.capture.sources.iter().map(|source| source.path.clone()).collect();
    let tool = Tool {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        reveals: Vec::new(),
    };
    let limits = Vec::new();
    let mut hearing = Hearing { schema: SCHEMA, tool, sources, calls: Vec::new(), limits };
    let mut rows = Vec::new();
    outcome.archive.calls(|row| {
        if calls.contains(&row.record.key()) {
            rows.push((row.record.key(), call(&row)));
        }
        Ok(())
    })?;
    let alone = rows.len() == 1;
    for (key, mut call) in rows {
        let mut stem = stem(&call.call_id);
        if !alone {
            stem = format!("{stem}-{}", call.id);
        }
        let mine = taken.iter().filter(|taken| taken.heard.call == key);
        let reveal = one(&mut call, mine.collect(), &stem, wishes, &hearing.sources)?;
        hearing.tool.reveals.extend(reveal);
        hearing.calls.push(call);
    }
    remarks(&mut hearing, wishes);
    Ok(hearing)
}

fn call(row: &CallRow<'_>) -> Call {
    let name = |party: &Party<'_>| {
        let named = [&party.user, &party.uri, &party.host].into_iter().flatten().next();
        named.map(ToString::to_string)
    };
    Call {
        id: row.record.id,
        call_id: row.record.call_id.to_string(),
        caller: name(&row.record.caller),
        callee: name(&row.record.callee),
        start: row.record.start,
        exposure: row.exposure.word(),
        streams: Vec::new(),
        pictures: Vec::new(),
    }
}

/// Hears one call; what was revealed of it.
fn one(
    call: &mut Call,
    taken: Vec<&Taken>,
    stem: &str,
    wishes: &Wishes,
    sources: &[String],
) -> io::Result<Option<Reveal>> {
    let mut folder = wishes.folder.as_deref().map(|path| Folder::new(path, &wishes.inputs));
    let mut voices = Vec::new();
    for (number, taken) in (1..).zip(taken) {
        let mut voice = Voice { taken, outside: Vec::new(), decoder: None };
        let name = format!("{stem}-{}-{number}", side(taken.heard.sender));
        let into = folder.as_mut().filter(|_| wishes.audio);
        let remark = foreign(&mut voice, &name, into, wishes)?;
        call.streams.push(stream(&voice, remark, wishes));
        voices.push(voice);
    }
    align(&mut call.streams, &voices);
    let Some(mut folder) = folder else { return Ok(None) };
    if call.streams.iter().any(|stream| !stream.levels.is_empty()) {
        let name = format!("{stem}-envelope.svg");
        folder.text(&name, &picture(call))?;
        call.pictures.push(name);
    }
    if !wishes.audio {
        return Ok(None);
    }
    folder.audio(stem, &voices)?;
    let files = folder.finish()?;
    if files.is_empty() {
        return Ok(None);
    }
    let reveal = reveal(call, &voices, files, wishes);
    let mut octets = Vec::new();
    crate::report::listen::reveal(&reveal, sources, &mut octets)?;
    folder.octets(&format!("{stem}-reveal.json"), &octets)?;
    Ok(Some(reveal))
}

fn reveal(call: &Call, voices: &[Voice<'_>], files: Vec<Written>, wishes: &Wishes) -> Reveal {
    let played = voices.iter().filter(|voice| voice.plays());
    Reveal {
        what: "audio",
        call: call.id,
        call_id: call.call_id.clone(),
        by: wishes.by.clone(),
        frames: played.map(|voice| Frames::of(&voice.taken.heard)).collect(),
        files,
    }
}

/// Writes and decodes what has no decoder here. Why it could not be decoded, if it was not.
fn foreign(
    voice: &mut Voice<'_>,
    name: &str,
    mut folder: Option<&mut Folder<'_>>,
    wishes: &Wishes,
) -> io::Result<Option<String>> {
    let taken = voice.taken;
    let mut remark = None;
    for (payload_type, format) in taken.heard.formats.iter() {
        let Format::Foreign(kind) = format else { continue };
        let of =
            |piece: &&crate::prove::audio::recording::Piece| piece.payload_type == *payload_type;
        let pieces = taken.recording.pieces().iter().filter(of);
        let payloads = pieces.map(|piece| taken.recording.payload(piece));
        let frames: Vec<_> = payloads.flat_map(|payload| kind.frames(payload)).collect();
        if frames.is_empty() {
            continue;
        }
        let mut outside = Outside { payload_type: *payload_type, samples: Vec::new() };
        let here = format!("{} is not decoded here", kind.name());
        remark = Some(here.clone());
        if let Some(folder) = folder.as_deref_mut() {
            let file = format!("{name}.{}", kind.extension());
            let path = folder.container(&file, *kind, &frames)?;
            let decoded =
                wishes.ffmpeg.as_deref().map(|ffmpeg| external::decode(ffmpeg, *kind, &path));
            remark = match decoded {
                Some(Ok(samples)) if !samples.is_empty() => {
                    outside.samples = samples;
                    voice.decoder = Some("ffmpeg");
                    None
                }
                Some(_) => Some(format!("{here}, and ffmpeg could not: {file} has its frames")),
                None => Some(format!("{here}: {file} has its frames for a player")),
            };
        }
        voice.outside.push(outside);
    }
    Ok(remark)
}

fn stream(voice: &Voice<'_>, remark: Option<String>, wishes: &Wishes) -> Stream {
    let Taken { heard, recording, opened } = voice.taken;
    let rate = voice.rate();
    let mut player = Player::new(recording, &heard.formats, &voice.outside, rate);
    let measure = Measure::of(&mut player);
    let (events, undecodable) = (player.events().clone(), player.unplayed());
    let heard_any = measure.sound > 0;
    // Frames that nobody decoded have a length and nothing else.
    let decoder = match voice.decoder {
        Some(decoder) => Some(decoder),
        None => (heard_any && voice.outside.is_empty()).then_some("overhear"),
    };
    let sounds = heard_any && decoder.is_some();
    Stream {
        id: heard.id,
        speaker: side(heard.sender),
        src: heard.key.src,
        dst: heard.key.dst,
        ssrc: format!("0x{:08x}", heard.key.ssrc),
        codecs: heard.codecs.clone(),
        protection: heard.protection.word(),
        opened_by: opened.clone(),
        decoder,
        first: heard.first,
        packets: heard.packets,
        seconds: heard_any.then(|| round(measure.seconds())),
        sound_s: heard_any.then(|| round(measure.sound_seconds())),
        speech_pct: measure.activity().filter(|_| sounds).map(|share| round(share * 100.0)),
        sha256: sounds.then(|| hexadecimal(&measure.hash)),
        left_out: recording.left_out,
        clipped: recording.clipped,
        undecodable,
        digits: Digits {
            count: events.count(),
            times: events.times().collect(),
            revealed: wishes.digits.then(|| events.revealed()).filter(|text| !text.is_empty()),
        },
        remark: remark
            .or_else(|| (!heard_any).then(|| why(voice.taken, undecodable, events.count()))),
        levels: if sounds { measure.levels } else { Vec::new() },
        offset: 0.0,
    }
}

/// Why nothing can be heard of a stream.
fn why(taken: &Taken, undecodable: u64, digits: usize) -> String {
    if taken.recording.left_out.sealed > 0 {
        return match taken.opened {
            Some(_) => "its packets do not open with the key that is known".to_owned(),
            None => "no key of it is known".to_owned(),
        };
    }
    if undecodable > 0 {
        return "its codec has no decoder here".to_owned();
    }
    if digits > 0 { "it carries digits only" } else { "it has no audio" }.to_owned()
}

/// Says of each stream how much later than the first of the call it begins.
fn align(streams: &mut [Stream], voices: &[Voice<'_>]) {
    let origins: Vec<Option<Ts>> = voices.iter().map(Voice::origin).collect();
    let Some(first) = origins.iter().flatten().min().copied() else { return };
    for (stream, origin) in streams.iter_mut().zip(origins) {
        stream.offset = origin.map_or(0.0, |origin| origin.since(first).secs_f64());
    }
}

fn picture(call: &Call) -> String {
    let sides: Vec<envelope::Side<'_>> = call
        .streams
        .iter()
        .filter(|stream| !stream.levels.is_empty())
        .map(|stream| envelope::Side {
            label: stream.speaker,
            offset: stream.offset,
            levels: &stream.levels,
        })
        .collect();
    envelope::picture(&sides, call.seconds())
}

/// What a reader must know.
fn remarks(hearing: &mut Hearing, wishes: &Wishes) {
    let streams = || hearing.calls.iter().flat_map(|call| &call.streams);
    let sealed = streams().filter(|stream| stream.seconds.is_none() && stream.left_out.sealed > 0);
    let sealed = u64::try_from(sealed.count()).unwrap_or(u64::MAX);
    let mut limits = Vec::new();
    if sealed > 0 {
        limits.push(format!(
            "{} encrypted, and nothing of it was written: no key that this capture shows opens it.",
            crate::report::text::count(sealed, "stream")
        ));
    }
    if hearing.audible() && !wishes.audio {
        limits.push(
            "The audio was measured, not written: that takes --reveal-audio and -o DIR.".to_owned(),
        );
    }
    hearing.limits = limits;
}

/// The word for a side.
pub(super) const fn side(side: Side) -> &'static str {
    match side {
        Side::Caller => "caller",
        Side::Callee => "callee",
    }
}

/// Three decimals.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
