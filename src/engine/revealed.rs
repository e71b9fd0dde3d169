//! The folder that revealed audio goes to: a WAV file for each direction, one for both side by side, and
//! the frames of codecs that another program plays.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::model::record::Side;
use crate::model::time::{Span, Ts};
use crate::prove::audio::container::{Frame, Kind};
use crate::prove::audio::heard::Taken;
use crate::prove::audio::line::{Both, Line};
use crate::prove::audio::measure::sha256_of;
use crate::prove::audio::player::{Outside, Player};
use crate::prove::audio::wav;
use crate::report::listen::Written;

use super::hearing::side;

/// Characters of a file's name that come from a Call-ID.
const STEM: usize = 64;

/// Where nothing says how fine samples are.
const RATE: u32 = 8_000;

/// One stream with what another program made of it.
#[derive(Debug)]
pub(super) struct Voice<'a> {
    pub(super) taken: &'a Taken,
    pub(super) outside: Vec<Outside>,
    /// The other program, if it made samples.
    pub(super) decoder: Option<&'static str>,
}

impl Voice<'_> {
    /// Samples a second that do justice to it.
    pub(super) fn rate(&self) -> u32 {
        let used = |payload_type: u8| {
            self.taken.recording.pieces().iter().any(|piece| piece.payload_type == payload_type)
        };
        let formats = self.taken.heard.formats.iter();
        let rates = formats.filter(|(of, _)| used(*of)).filter_map(|(_, format)| format.rate());
        rates.max().or(self.taken.heard.formats.rate()).unwrap_or(RATE)
    }

    fn player(&self, rate: u32) -> Player<'_> {
        Player::new(&self.taken.recording, &self.taken.heard.formats, &self.outside, rate)
    }

    /// When its first sample was captured.
    pub(super) fn origin(&self) -> Option<Ts> {
        self.player(self.rate()).origin()
    }

    /// Whether there is anything to write: samples, not only frames for another program.
    pub(super) fn plays(&self) -> bool {
        self.origin().is_some() && (self.outside.is_empty() || self.decoder.is_some())
    }
}

/// A folder and what was written to it.
#[derive(Debug)]
pub(super) struct Folder<'a> {
    path: &'a Path,
    inputs: &'a [PathBuf],
    names: Vec<String>,
}

impl<'a> Folder<'a> {
    /// `inputs` will not be overwritten.
    pub(super) fn new(path: &'a Path, inputs: &'a [PathBuf]) -> Self {
        Self { path, inputs, names: Vec::new() }
    }

    /// Writes a file without content.
    pub(super) fn text(&self, name: &str, text: &str) -> io::Result<()> {
        self.octets(name, text.as_bytes())
    }

    /// The same.
    pub(super) fn octets(&self, name: &str, octets: &[u8]) -> io::Result<()> {
        self.write(name, |file| file.write_all(octets))
    }

    /// Writes frames in the file format of their codec.
    pub(super) fn container(
        &mut self,
        name: &str,
        kind: Kind,
        frames: &[Frame],
    ) -> io::Result<PathBuf> {
        self.write(name, |file| {
            let mut out = BufWriter::new(file);
            kind.write(frames.iter(), &mut out)?;
            out.flush()
        })?;
        self.names.push(name.to_owned());
        Ok(self.path.join(name))
    }

    /// Writes what can be heard: each side, both side by side, and streams that ran beside others
    /// of their side on their own.
    pub(super) fn audio(&mut self, stem: &str, voices: &[Voice<'_>]) -> io::Result<()> {
        let voices: Vec<&Voice<'_>> = voices.iter().filter(|voice| voice.plays()).collect();
        let of = |wanted: Side| {
            let mine = voices.iter().filter(|voice| voice.taken.heard.sender == wanted);
            parts(mine.copied().collect())
        };
        let sides = [Side::Caller, Side::Callee].map(|wanted| (wanted, of(wanted)));
        for (wanted, (main, beside)) in &sides {
            let name = format!("{stem}-{}", side(*wanted));
            self.line(&format!("{name}.wav"), main)?;
            for (number, voice) in (2..).zip(beside) {
                self.line(&format!("{name}-{number}.wav"), std::slice::from_ref(voice))?;
            }
        }
        let [(_, (caller, _)), (_, (callee, _))] = &sides;
        self.both(&format!("{stem}-both.wav"), [caller, callee])
    }

    /// What was written of content, with its hashes.
    pub(super) fn finish(&self) -> io::Result<Vec<Written>> {
        let written = |name: &String| {
            let path = self.path.join(name);
            let wrong = |error| named(&path, "cannot be read again", &error);
            let mut file = File::open(&path).map_err(wrong)?;
            let octets = file.metadata().map_err(wrong)?.len();
            let sha256 = sha256_of(&mut file).map_err(wrong)?;
            Ok(Written { name: name.clone(), octets, sha256 })
        };
        self.names.iter().map(written).collect()
    }

    fn line(&mut self, name: &str, voices: &[&Voice<'_>]) -> io::Result<()> {
        let Some(origin) = first(voices) else { return Ok(()) };
        let rate = finest(voices);
        let mut line = Line::new(origin, rate, voices.iter().map(|voice| voice.player(rate)));
        self.wav(name, (rate, 1), &mut |out| line.play(out))
    }

    /// Caller left, callee right, from the first sample of either on.
    fn both(&mut self, name: &str, sides: [&[&Voice<'_>]; 2]) -> io::Result<()> {
        let Some(origin) = sides.iter().filter_map(|voices| first(voices)).min() else {
            return Ok(());
        };
        let rate = sides.iter().map(|voices| finest(voices)).max().unwrap_or(RATE);
        let lines = sides
            .map(|voices| Line::new(origin, rate, voices.iter().map(|voice| voice.player(rate))));
        let mut both = Both::new(lines);
        self.wav(name, (rate, 2), &mut |out| both.play(out))
    }

    fn wav(
        &mut self,
        name: &str,
        form: (u32, u16),
        play: &mut dyn FnMut(&mut Vec<i16>) -> bool,
    ) -> io::Result<()> {
        self.write(name, |file| wav::write(BufWriter::new(file), form, play).map(drop))?;
        self.names.push(name.to_owned());
        Ok(())
    }

    /// Opens a file for writing, unless it is an input, and has it written.
    fn write(&self, name: &str, work: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        let path = self.path.join(name);
        if let Ok(own) = fs::canonicalize(&path)
            && self.inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|is| is == own))
        {
            let refused = io::Error::other("is an input and will not be overwritten");
            return Err(named(&path, "", &refused));
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let done = options.open(&path).and_then(|mut file| work(&mut file));
        done.map_err(|error| named(&path, "cannot be written", &error))
    }
}

/// A Call-ID as the beginning of a file's name: letters, digits, dots, dashes, and nothing that a shell or
/// a file system takes for something else.
pub(super) fn stem(call_id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let stem: String = call_id.chars().take(STEM).map(plain).collect();
    match stem.chars().next() {
        Some(first) if first.is_ascii_alphanumeric() => stem,
        _ => format!("call{stem}"),
    }
}

/// The streams that make up a direction, and those that ran beside them: the same audio once more, as
/// a relay's, or somebody else's.
fn parts<'v, 'a>(mut voices: Vec<&'v Voice<'a>>) -> (Vec<&'v Voice<'a>>, Vec<&'v Voice<'a>>) {
    voices.sort_by_key(|voice| std::cmp::Reverse(voice.taken.heard.packets));
    let (mut main, mut beside): (Vec<&Voice<'_>>, Vec<&Voice<'_>>) = (Vec::new(), Vec::new());
    for voice in voices {
        let together = main.iter().any(|other| overlap(voice, other));
        if together { &mut beside } else { &mut main }.push(voice);
    }
    let begun = |voice: &&Voice<'_>| (voice.taken.heard.first, voice.taken.heard.id);
    main.sort_by_key(begun);
    beside.sort_by_key(begun);
    (main, beside)
}

/// Whether two streams ran at one time for more than half of the shorter one.
fn overlap(one: &Voice<'_>, other: &Voice<'_>) -> bool {
    let (one, other) = (&one.taken.heard, &other.taken.heard);
    let common = one.last.min(other.last).since(one.first.max(other.first)).nanos();
    let shorter = one.last.since(one.first).min(other.last.since(other.first));
    common > 0 && common > shorter.max(Span::ZERO).nanos() / 2
}

fn first(voices: &[&Voice<'_>]) -> Option<Ts> {
    voices.iter().filter_map(|voice| voice.origin()).min()
}

fn finest(voices: &[&Voice<'_>]) -> u32 {
    voices.iter().map(|voice| voice.rate()).max().unwrap_or(RATE)
}

fn named(path: &Path, what: &str, error: &io::Error) -> io::Error {
    let colon = if what.is_empty() { "" } else { ": " };
    io::Error::other(format!("{}: {what}{colon}{error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_tame_whatever_the_call_id() {
        assert_eq!(stem("b17a560ad384d601"), "b17a560ad384d601");
        assert_eq!(stem("a1@host.example;x"), "a1_host.example_x");
        assert_eq!(stem("../../etc/passwd"), "call.._.._etc_passwd");
        assert_eq!(stem("-rf"), "call-rf");
        assert_eq!(stem(""), "call");
        assert_eq!(stem(&"é".repeat(100)).len(), 68);
    }
}
