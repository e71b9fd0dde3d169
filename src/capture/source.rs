//! One capture from its first octet to its last, however its octets come.
//!
//! A [`Source`] tells pcap from pcapng by the first octets, fills chunks with frames, and keeps
//! what it learnt beside them ([`SourceFacts`]). A file, the same file read in blocks, and the
//! same octets from a pipe give the same frames and the same facts but for path and via.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::backing::{Backing, Chunk, Delivered};
use super::error::{CaptureError, hint};
use super::facts::{
    Fault, FaultKind, Format, InterfaceStatistics, Secrets, SourceFacts, Tally, Via,
};
use super::input::{Input, Octets};
use super::kept::Kept;
use super::mmap::Mapping;
use super::packed::{Compression, Packed, Spoilt, Unpacking};
use super::pcap::{HEADER, Pcap};
use super::pcapng::PcapNg;
use super::stream::Stream;
use crate::model::frame::RawFrame;
use crate::model::time::Ts;

/// Frames a chunk has at most.
pub const MAX_FRAMES: usize = 4096;

/// Octets of the largest file that is mapped. A larger one is read in blocks: that costs less where
/// tables compete for the caches, and less memory (`docs/decisions/0003-reading-files.md`).
const MAPPED: u64 = 32 << 20;

/// How a file is read. The default is what measured faster
/// (`docs/decisions/0003-reading-files.md`).
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Map regular files of up to 32 MiB instead of reading them in blocks. Compressed ones are
    /// always read.
    pub mmap: bool,
    /// How far compressed captures are unpacked.
    pub unpacking: Unpacking,
    /// Interfaces that a pcapng section may describe; packets of further ones have no link type.
    pub interfaces: usize,
    /// What to read for `-`, if not standard input itself.
    pub stdin: Option<Kept>,
}

impl OpenOptions {
    /// The usual limits, mapping files or not.
    pub const fn mapping(mmap: bool) -> Self {
        Self { mmap, unpacking: Unpacking::USUAL, interfaces: 65_536, stdin: None }
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::mapping(true)
    }
}

/// A capture that is being read.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    options: OpenOptions,
    via: Via,
    input: Input,
    /// As it was when the source was closed.
    compression: Compression,
    reader: Reader,
    /// Place of the next record in the input's window.
    at: usize,
    tally: Tally,
    /// Size of a regular file when it was opened.
    size: Option<u64>,
    /// Octets of the source, once its end was seen.
    end: Option<u64>,
    fault: Option<Fault>,
    done: bool,
    /// What a chunk holds when it holds nothing.
    nothing: Backing,
}

#[derive(Debug)]
enum Reader {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// Why a reader stopped.
pub(super) enum Step {
    /// There are as many frames as were asked for.
    Full,
    /// The next record needs so many octets from where it begins.
    Need(usize),
    /// The next record cannot be read.
    Fault(FaultKind),
}

impl Source {
    /// Opens a capture file, or standard input for `-`, and reads its header.
    ///
    /// # Errors
    /// When the source cannot be read, or is no capture.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, CaptureError> {
        let fail = |error| CaptureError::of(path, error);
        if path.as_os_str() == "-" {
            let stream = options.stdin.as_ref().map_or_else(Stream::stdin, Stream::kept);
            return Self::begin(path, Via::Stdin, stream, None, options);
        }
        let file = File::open(path).map_err(fail)?;
        let about = file.metadata().map_err(fail)?;
        if about.is_dir() {
            return Err(CaptureError::IsDirectory { path: path.to_path_buf() });
        }
        // Files of /proc have no length, and some file systems cannot map.
        let regular = about.is_file() && about.len() > 0;
        let size = regular.then_some(about.len());
        Self::begin(path, Via::File, Stream::file(file), size, options)
    }

    /// Whether a file is a capture, by its content. One that cannot be read counts, so that
    /// somebody says so.
    pub fn is_capture(path: &Path) -> bool {
        let options = OpenOptions::mapping(false);
        !matches!(
            Self::open(path, &options),
            Err(CaptureError::NotACapture { .. } | CaptureError::Empty { .. })
        )
    }

    /// Decides by the first octets what reads `stream`.
    fn begin(
        path: &Path,
        via: Via,
        mut stream: Stream,
        size: Option<u64>,
        options: &OpenOptions,
    ) -> Result<Self, CaptureError> {
        let first = stream.look().map_err(|error| CaptureError::of(path, error))?;
        let compression = Compression::of(first);
        let packed = compression != Compression::None;
        let map = !packed && options.mmap && size.is_some_and(|size| size <= MAPPED);
        let mapping = stream.as_file().filter(|_| map).and_then(|file| Mapping::of(file).ok());
        let input = match mapping {
            Some(mapping) => Input::mapped(mapping),
            None if packed => {
                let packed = Packed::new(stream, compression, options.unpacking);
                Input::stream(Octets::Packed(Box::new(packed)))
            }
            None => Input::stream(Octets::Plain(stream)),
        };
        Self::identify(path, via, input, size, options)
    }

    /// Reads on, with frames from where the last chunk ended. What `chunk` held is gone.
    /// `false` at the end, and then `chunk` is empty. A pipe's frames come as they arrive.
    ///
    /// # Errors
    /// When reading fails before the first frame; later that is a [`Fault`].
    pub fn fill(&mut self, chunk: &mut Chunk, max_frames: usize) -> Result<bool, CaptureError> {
        self.recycle(chunk);
        match self.deliver(&mut chunk.frames, max_frames)? {
            Some(backing) => chunk.backing = backing,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Appends the next frames to `frames`, which has none, and names the owner of their octets;
    /// `None` at the end.
    pub(super) fn deliver<F: Delivered>(
        &mut self,
        frames: &mut Vec<F>,
        max_frames: usize,
    ) -> Result<Option<Backing>, CaptureError> {
        let most = max_frames.clamp(1, MAX_FRAMES);
        frames.reserve(most);
        while !self.done {
            match self.run(frames, most) {
                Step::Fault(kind) => self.stop(kind),
                _ if !frames.is_empty() => break,
                Step::Full => self.done = true,
                Step::Need(need) => match self.input.more(&mut self.at, need) {
                    Ok(true) => {}
                    Ok(false) => self.finish(),
                    Err(error) => match (Spoilt::of(&error), self.compression()) {
                        (Some(spoilt), compression) => {
                            self.stop(FaultKind::Packed { compression, spoilt });
                        }
                        (None, _) if self.tally.packets == 0 => {
                            self.done = true;
                            return Err(CaptureError::of(&self.path, error));
                        }
                        (None, _) => self.stop(FaultKind::Io(error.kind())),
                    },
                },
            }
        }
        if frames.is_empty() {
            self.close();
            return Ok(None);
        }
        Ok(Some(self.input.backing()))
    }

    /// The time of the first frame, for a source that is to be opened again when it is due:
    /// nothing of it is kept. `None` if there is no such time, or no second time to open it.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub(super) fn sleep(&mut self) -> Result<Option<Ts>, CaptureError> {
        if self.size.is_none() {
            return Ok(None);
        }
        let mut first: Vec<RawFrame> = Vec::new();
        self.deliver(&mut first, 1)?;
        let time = first.first().and_then(|frame| frame.ts);
        if time.is_some() {
            self.close();
            (self.done, self.end, self.fault) = (false, None, None);
            self.tally = Tally::new();
        } else {
            self.wake()?;
        }
        Ok(time)
    }

    /// Opens the source again, from its beginning.
    ///
    /// # Errors
    /// When it is no longer there, or no longer what it was.
    pub(super) fn wake(&mut self) -> Result<(), CaptureError> {
        *self = Self::open(&self.path, &self.options)?;
        Ok(())
    }

    /// Whether it can be read a second time: a file, and no pipe.
    pub fn reads_again(&self) -> bool {
        self.size.is_some()
    }

    /// The same source from its beginning, beside this one; `None` if it can be read only once, or
    /// is no longer there.
    pub fn again(&self) -> Option<Self> {
        self.size.and_then(|_| Self::open(&self.path, &self.options).ok())
    }

    /// Takes the octets of a chunk back. They are used again once no clone of the chunk's backing
    /// is left; whether that is before or after this call does not matter.
    pub fn recycle(&mut self, chunk: &mut Chunk) {
        chunk.frames.clear();
        chunk.backing = self.nothing.clone();
    }

    /// What is known of the source up to now; complete once [`fill`](Self::fill) said `false`.
    pub fn facts(&self) -> SourceFacts {
        let tally = &self.tally;
        let timed = tally.earliest <= tally.latest;
        let skipped = self.fault.map_or(0, |fault| fault.remaining);
        let mut facts = SourceFacts {
            path: self.path.clone(),
            format: Format::Pcap,
            via: self.via,
            octets: self.end.unwrap_or_else(|| self.input.place(self.at)),
            compression: self.compression(),
            packets: tally.packets,
            link_types: tally.link_types.clone(),
            first_packet: timed.then_some(tally.earliest),
            last_packet: timed.then_some(tally.latest),
            truncated: self.fault,
            clipped_packets: tally.clipped,
            oddities: tally.oddities,
            statistics: InterfaceStatistics::default(),
            interfaces: 1,
            comments: tally.comments,
            secrets_blocks: 0,
            skipped_octets: tally.skipped_octets.saturating_add(skipped),
            fcs_octets: None,
        };
        match &self.reader {
            Reader::Pcap(pcap) => facts.fcs_octets = pcap.fcs_octets,
            Reader::PcapNg(ng) => {
                facts.format = Format::PcapNg;
                facts.statistics = ng.statistics();
                facts.interfaces = ng.interfaces();
                facts.secrets_blocks = ng.secrets_blocks;
                facts.fcs_octets = ng.fcs_octets();
            }
        }
        facts
    }

    /// The decryption secrets met so far, in file order: those of index n stay there.
    pub fn secrets(&self) -> &[Secrets] {
        match &self.reader {
            Reader::Pcap(_) => &[],
            Reader::PcapNg(ng) => &ng.secrets,
        }
    }

    /// Octets consumed, and of how many if that is known.
    pub fn position(&self) -> (u64, Option<u64>) {
        let consumed = match (self.input.packed(), self.end) {
            (Some((_, taken)), _) => taken,
            // Closed: what was compressed has another length than what came out.
            (None, Some(_)) => self.size.unwrap_or_else(|| self.input.place(self.at)),
            (None, None) => self.input.place(self.at),
        };
        (consumed, self.size)
    }

    /// How the source is compressed.
    fn compression(&self) -> Compression {
        self.input.packed().map_or(self.compression, |(compression, _)| compression)
    }

    /// Lets go of the file and of all memory but for the facts.
    fn close(&mut self) {
        self.compression = self.compression();
        let place = self.input.place(self.at);
        self.input = Input::closed(place);
        self.at = 0;
        if let Reader::PcapNg(ng) = &mut self.reader {
            ng.close();
        }
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes do with about `octets` of memory, for many sources open at once.
    pub(super) fn limit(&mut self, octets: usize) {
        self.input.limit(octets);
    }

    fn identify(
        path: &Path,
        via: Via,
        mut input: Input,
        size: Option<u64>,
        options: &OpenOptions,
    ) -> Result<Self, CaptureError> {
        let not = |hint| CaptureError::NotACapture { path: path.to_path_buf(), hint };
        let mut at = 0;
        while input.window().len() < HEADER {
            match input.more(&mut at, HEADER) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(CaptureError::of(path, error)),
            }
        }
        let packed = input.packed().is_some();
        let window = input.window();
        let Some(magic) = window.first_chunk::<4>() else {
            return Err(match window {
                [] => CaptureError::Empty { path: path.to_path_buf() },
                first => not(hint(first)),
            });
        };
        let (reader, at) = if Pcap::recognises(*magic) {
            let pcap = window.first_chunk().and_then(Pcap::open);
            (Reader::Pcap(pcap.ok_or_else(|| not("its pcap header is cut off"))?), HEADER)
        } else {
            match PcapNg::recognises(window) {
                Some(true) => (Reader::PcapNg(PcapNg::new(options.interfaces)), 0),
                Some(false) => return Err(not("its pcapng header has no byte order")),
                None => {
                    let first = window.get(..512).unwrap_or(window);
                    let twice = packed && Compression::of(first) != Compression::None;
                    return Err(not(if twice { "compressed twice" } else { hint(first) }));
                }
            }
        };
        Ok(Self {
            path: path.to_path_buf(),
            options: options.clone(),
            via,
            input,
            compression: Compression::None,
            reader,
            at,
            tally: Tally::new(),
            size,
            end: None,
            fault: None,
            done: false,
            nothing: Backing::default(),
        })
    }

    fn run<F: Delivered>(&mut self, frames: &mut Vec<F>, most: usize) -> Step {
        let (window, at) = (self.input.window(), &mut self.at);
        match &mut self.reader {
            Reader::Pcap(pcap) => pcap.run(window, at, frames, most, &mut self.tally),
            Reader::PcapNg(ng) => ng.run(window, at, frames, most, &mut self.tally),
        }
    }

    /// The source ended where a record should begin, or within it.
    fn finish(&mut self) {
        let rest = self.input.window().get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            self.done = true;
            self.end = Some(self.input.place(self.at));
            return;
        }
        let kind = match &self.reader {
            Reader::Pcap(pcap) => pcap.cut(rest),
            Reader::PcapNg(ng) => ng.cut(rest),
        };
        self.stop(kind);
    }

    /// Ends the source before its end. A stream is read out, so that its length is known, as a
    /// file's is, and its writer is not killed.
    fn stop(&mut self, kind: FaultKind) {
        self.done = true;
        let window = self.input.window().len();
        let end = self.input.place(window).saturating_add(self.input.drain());
        let offset = self.input.place(self.at);
        self.end = Some(end);
        self.fault = Some(Fault { offset, remaining: end.saturating_sub(offset), kind });
    }
}
