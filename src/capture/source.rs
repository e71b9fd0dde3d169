//! One capture from its first octet to its last, however its octets come.
//!
//! A [`Source`] tells pcap from pcapng by the first octets, fills chunks with frames, and keeps
//! what it learnt beside them ([`SourceFacts`]). A file, the same file read in blocks, and the
//! same octets from a pipe give the same frames and the same facts but for path and via.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::backing::{Backing, Chunk, Delivered};
use super::error::{CaptureError, hint};
use super::facts::{
    Fault, FaultKind, Format, InterfaceStatistics, Secrets, SourceFacts, Tally, Via,
};
use super::input::{Input, Stream};
use super::mmap::Mapping;
use super::pcap::{HEADER, Pcap};
use super::pcapng::PcapNg;

/// Frames a chunk has at most.
pub const MAX_FRAMES: usize = 4096;

/// Octets of the largest file that is mapped. A larger one is read in blocks: that costs less where
/// tables compete for the caches, and less memory (`docs/decisions/0003-reading-files.md`).
const MAPPED: u64 = 32 << 20;

/// How a file is read. The default is what measured faster
/// (`docs/decisions/0003-reading-files.md`).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Map regular files of up to 32 MiB instead of reading them in blocks.
    pub mmap: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { mmap: true }
    }
}

/// A capture that is being read.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    via: Via,
    input: Input,
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
            let input = Input::stream(Stream::Stdin(io::stdin()));
            return Self::identify(path, Via::Stdin, input, None);
        }
        let file = File::open(path).map_err(fail)?;
        let about = file.metadata().map_err(fail)?;
        if about.is_dir() {
            return Err(CaptureError::IsDirectory { path: path.to_path_buf() });
        }
        // Files of /proc have no length, and some file systems cannot map.
        let regular = about.is_file() && about.len() > 0;
        let mapped = regular && options.mmap && about.len() <= MAPPED;
        let mapping = mapped.then(|| Mapping::of(&file).ok()).flatten();
        let input = match mapping {
            Some(mapping) => Input::mapped(mapping),
            None => Input::stream(Stream::File(file)),
        };
        Self::identify(path, Via::File, input, regular.then_some(about.len()))
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
                    Err(error) if self.tally.packets == 0 => {
                        self.done = true;
                        return Err(CaptureError::of(&self.path, error));
                    }
                    Err(error) => self.stop(FaultKind::Io(error.kind())),
                },
            }
        }
        Ok((!frames.is_empty()).then(|| self.input.backing()))
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
        let (position, total) = self.position();
        let timed = tally.earliest <= tally.latest;
        let skipped = self.fault.map_or(0, |fault| fault.remaining);
        let mut facts = SourceFacts {
            path: self.path.clone(),
            format: Format::Pcap,
            via: self.via,
            octets: self.end.or(total).unwrap_or(position),
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
        (self.input.place(self.at), self.size)
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
    ) -> Result<Self, CaptureError> {
        let not = |hint| CaptureError::NotACapture { path: path.to_path_buf(), hint };
        let mut at = 0;
        while input.window().len() < HEADER {
            if !input.more(&mut at, HEADER).map_err(|error| CaptureError::of(path, error))? {
                break;
            }
        }
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
                Some(true) => (Reader::PcapNg(PcapNg::new()), 0),
                Some(false) => return Err(not("its pcapng header has no byte order")),
                None => {
                    let first = window.get(..512).unwrap_or(window);
                    return Err(not(hint(first)));
                }
            }
        };
        Ok(Self {
            path: path.to_path_buf(),
            via,
            input,
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
