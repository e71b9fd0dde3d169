//! `-w`: packets of the sources as a new capture, with comments at those that findings stand on.
//!
//! The sources are read again. Where calls are cut out, once to find their packets, because a
//! fragment can come before the one that says whose it is, and once more to copy them in the order
//! of all frames. Frames keep their time, length, link type and interface; pcapng blocks other
//! than packets are not copied, decryption secrets least of all.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{self, Write};

use crate::capture::{Merge, MergedBatch, PcapngWriter};
use crate::decode::{self, Decoded, Fragment, FragmentKey};
use crate::model::addr::STABLE;
use crate::model::finding::Finding;
use crate::model::frame::{FrameId, LinkType, RawFrame};
use crate::model::time::{Span, Ts};
use crate::policy::Limits;
use crate::reassemble::ip::{IpReassembler, Pushed};
use crate::report::Outcome;

use super::decrypt::Unsealer;
use super::dispatcher::{fragments, looks_like_sip};
use super::trace::{Share, Trace};
use super::{Config, opened};

/// What names the program in a file that it writes.
const APPLICATION: &str = concat!("overhear ", env!("CARGO_PKG_VERSION"));
/// Frames read at once.
const FRAMES: usize = 512;
/// Runs of frames that a cut may have: 64 MiB.
const RUNS: usize = 4 << 20;
/// Octets of one frame's comment; a finding's evidence is a few hundred.
const COMMENT: usize = 16 << 10;
/// Datagrams whose fragments are remembered.
const DATAGRAMS: usize = 8_192;

/// What was written.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Packets.
    pub packets: u64,
    /// Packets with a comment.
    pub commented: u64,
    /// Packets that no interface is known of, or without time and cut: pcapng has no place for
    /// them.
    pub unwritable: u64,
}

/// Writes the packets that the configuration selects: those of the traced calls, or all.
///
/// # Errors
/// Those of `out`; and when a source can no longer be read, or the calls are in too many pieces.
pub fn write(
    config: &Config,
    trace: Option<&Trace>,
    outcome: &Outcome,
    out: &mut dyn Write,
) -> io::Result<Written> {
    let writer = PcapngWriter::new(out, APPLICATION)?;
    copy(config, trace, outcome, writer, None)
}

/// The same for calls whose media is opened on the way. `note` stands at the beginning of the file.
///
/// # Errors
/// As [`write()`].
pub fn unsealed(
    config: &Config,
    trace: &Trace,
    outcome: &Outcome,
    (unsealer, note): (&mut Unsealer, &str),
    out: &mut dyn Write,
) -> io::Result<Written> {
    let writer = PcapngWriter::with_comment(out, APPLICATION, note)?;
    copy(config, Some(trace), outcome, writer, Some(unsealer))
}

fn copy(
    config: &Config,
    trace: Option<&Trace>,
    outcome: &Outcome,
    mut writer: PcapngWriter<&mut dyn Write>,
    mut unsealer: Option<&mut Unsealer>,
) -> io::Result<Written> {
    let wanted = trace.map(|trace| find(config, outcome, trace)).transpose()?;
    let comments = comments(&outcome.findings);
    let mut written = Written::default();
    let mut last = Ts::default();
    each(config, outcome, &mut |seen| {
        last = seen.own.unwrap_or(last);
        let octets = match &wanted {
            None => seen.octets,
            Some(wanted) if wanted.whole.has(seen.ordinal) => seen.octets,
            Some(wanted) if wanted.headers.has(seen.ordinal) => headers(seen),
            Some(_) => return Ok(()),
        };
        let Some(link) = seen.raw.link.filter(|_| !seen.raw.damaged) else {
            written.unwritable += 1;
            return Ok(());
        };
        let unsealed = unsealer.as_deref_mut().and_then(|with| unseal(with, link, octets, seen));
        if let Some((link, octets, mut note)) = unsealed {
            if let Some(comment) = comments.get(&seen.frame) {
                note = format!("{note}\n{comment}");
            }
            let length = u32::try_from(octets.len()).unwrap_or(u32::MAX);
            let ts = seen.own.or(Some(last));
            writer.on(u64::from(seen.frame.source) << 32 | u64::from(seen.raw.interface));
            writer.packet(ts, link, length, &octets, Some(&note))?;
            written.packets += 1;
            written.commented += 1;
            return Ok(());
        }
        let comment = comments.get(&seen.frame).map(String::as_str);
        // A packet block without time has neither interface nor comment.
        let plain = comment.is_none() && octets.len() as u64 >= u64::from(seen.raw.original);
        let ts = seen.own.or((!plain).then_some(last));
        writer.on(u64::from(seen.frame.source) << 32 | u64::from(seen.raw.interface));
        writer.packet(ts, link, seen.raw.original, octets, comment)?;
        written.packets += 1;
        written.commented += u64::from(comment.is_some());
        Ok(())
    })?;
    writer.finish()?;
    Ok(written)
}

/// The frame with its media opened, and a note about that.
fn unseal(
    unsealer: &mut Unsealer,
    link: LinkType,
    octets: &[u8],
    seen: &Seen<'_>,
) -> Option<(LinkType, Vec<u8>, String)> {
    match decode::decode(Some(link), octets, seen.raw.original) {
        Decoded::Packet(packet) => unsealer.frame((link, octets), &packet, seen.raw.ts?),
        Decoded::Fragment(_) | Decoded::Skipped(_) => None,
    }
}

/// A frame that is selected.
struct Seen<'a> {
    frame: FrameId,
    raw: &'a RawFrame,
    /// Its time by the clock of its source; that in `raw` is by the clock of the first.
    own: Option<Ts>,
    octets: &'a [u8],
    /// As the dispatcher counts: frames that are not selected too.
    ordinal: u64,
}

/// The sources from the beginning, and by how much the clock of each is ahead.
pub(super) fn again(config: &Config, outcome: &Outcome) -> (Merge, Vec<Span>) {
    let (mut merge, _): (Merge, _) = opened(config);
    let sources = outcome.capture.sources.iter();
    let ahead: Vec<Span> = sources.map(|of| of.clock_offset.unwrap_or_default()).collect();
    merge.correct(ahead.iter().copied());
    (merge, ahead)
}

/// Reads the sources again from the beginning.
fn each(
    config: &Config,
    outcome: &Outcome,
    work: &mut dyn FnMut(&Seen<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let (mut merge, ahead) = again(config, outcome);
    let mut merged = MergedBatch::default();
    let mut ordinal = 0;
    while merge.next_batch(FRAMES, &mut merged) {
        for (source, backing, raw) in &merged.frames {
            ordinal += 1;
            let owner = merged.backings.get(usize::from(*backing));
            let octets = owner.map(|owner| owner.frame(raw)).unwrap_or_default();
            if merge.takes(raw, octets) {
                let frame = FrameId { source: *source, number: raw.number };
                let ahead = ahead.get(usize::from(*source)).copied().unwrap_or_default();
                let own = raw.ts.map(|ts| ts.plus(ahead));
                work(&Seen { frame, raw, own, octets, ordinal })?;
            }
        }
    }
    Ok(())
}

/// The frames that are copied.
#[derive(Debug, Default)]
struct Wanted {
    whole: Runs,
    /// Of these only the headers, as if the snap length had cut them.
    headers: Runs,
}

/// Ordinals as runs.
#[derive(Debug, Default)]
struct Runs {
    runs: Vec<(u64, u64)>,
}

impl Runs {
    fn add(&mut self, ordinal: u64) -> io::Result<()> {
        if let Some((_, last)) = self.runs.last_mut()
            && *last + 1 == ordinal
        {
            *last = ordinal;
        } else if self.runs.len() < RUNS {
            self.runs.push((ordinal, ordinal));
        } else {
            return Err(io::Error::other("the calls are in too many pieces to be cut out"));
        }
        Ok(())
    }

    fn has(&self, ordinal: u64) -> bool {
        let next = self.runs.partition_point(|(_, last)| *last < ordinal);
        self.runs.get(next).is_some_and(|(first, _)| *first <= ordinal)
    }
}

/// The frames of fragmented datagrams until it is known whose they are.
struct Pieces {
    reassembler: IpReassembler,
    frames: HashMap<FragmentKey, Vec<u64>, foldhash::quality::FixedState>,
    order: VecDeque<FragmentKey>,
    watermark: Ts,
}

fn find(config: &Config, outcome: &Outcome, trace: &Trace) -> io::Result<Wanted> {
    let mut wanted = Wanted::default();
    let mut pieces = Pieces::new(&config.policy.limits);
    let mut last = Ts::default();
    each(config, outcome, &mut |seen| {
        let ts = seen.raw.ts.unwrap_or(last);
        last = ts;
        pieces.watermark = pieces.watermark.max(ts);
        match decode::decode(seen.raw.link, seen.octets, seen.raw.original) {
            Decoded::Packet(packet) => {
                let sip = looks_like_sip(packet.payload(seen.octets));
                match trace.share(&packet, seen.ordinal, ts, sip) {
                    Share::Whole => wanted.whole.add(seen.ordinal)?,
                    Share::Headers => wanted.headers.add(seen.ordinal)?,
                    Share::Nothing => {}
                }
            }
            Decoded::Fragment(fragment) => {
                for ordinal in pieces.push(&fragment, seen, ts, trace) {
                    wanted.whole.add(ordinal)?;
                }
            }
            Decoded::Skipped(_) => {}
        }
        Ok(())
    })?;
    wanted.whole.runs.sort_unstable();
    Ok(wanted)
}

impl Pieces {
    fn new(limits: &Limits) -> Self {
        Self {
            reassembler: fragments(limits),
            frames: HashMap::with_hasher(STABLE),
            order: VecDeque::new(),
            watermark: Ts::MIN,
        }
    }

    /// Takes a fragment; all frames of its datagram, once that is whole and wanted.
    fn push(&mut self, fragment: &Fragment, seen: &Seen<'_>, ts: Ts, trace: &Trace) -> Vec<u64> {
        let key = fragment.key;
        if !self.frames.contains_key(&key) {
            self.order.push_back(key);
            if self.order.len() > DATAGRAMS
                && let Some(oldest) = self.order.pop_front()
            {
                self.frames.remove(&oldest);
            }
        }
        let frames = self.frames.entry(key).or_default();
        // No datagram has more fragments of eight octets.
        if frames.len() < 8_192 {
            frames.push(seen.ordinal);
        }
        let data = fragment.data(seen.octets);
        let holds = match self.reassembler.push(fragment, data, seen.frame, self.watermark) {
            Pushed::Whole(datagram) => match datagram.decode() {
                Decoded::Packet(packet) => {
                    let sip = looks_like_sip(packet.payload(datagram.octets));
                    Some(trace.share(&packet, seen.ordinal, ts, sip) == Share::Whole)
                }
                Decoded::Fragment(_) | Decoded::Skipped(_) => Some(false),
            },
            Pushed::Waits | Pushed::Duplicate => None,
        };
        self.reassembler.advance(self.watermark);
        match holds {
            Some(true) => self.frames.remove(&key).unwrap_or_default(),
            Some(false) => {
                self.frames.remove(&key);
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}

/// The octets of a frame before its payload.
fn headers<'a>(seen: &Seen<'a>) -> &'a [u8] {
    let end = match decode::decode(seen.raw.link, seen.octets, seen.raw.original) {
        Decoded::Packet(packet) => usize::try_from(packet.payload_at).unwrap_or(0),
        Decoded::Fragment(_) | Decoded::Skipped(_) => 0,
    };
    seen.octets.get(..end).unwrap_or_default()
}

/// What is to be said at each frame: which findings it is evidence of, and what is seen there.
fn comments(findings: &[Finding]) -> BTreeMap<FrameId, String> {
    let mut comments: BTreeMap<FrameId, String> = BTreeMap::new();
    for finding in findings {
        for evidence in &finding.evidence {
            let text = comments.entry(evidence.at.frame).or_default();
            let line = format!("{} ({}): {}", finding.id, finding.severity.word(), evidence.what);
            if text.lines().any(|known| known == line) || text.len() + line.len() > COMMENT {
                continue;
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
        }
    }
    comments
}
