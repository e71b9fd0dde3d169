//! Secrets blocks of the sources (draft-ietf-opsawg-pcapng §4.7), each handed out when its place
//! comes: before the first frame of its source behind it.
//!
//! A source reads ahead, so that its blocks are known some frames before they act. None is looked
//! for further ahead: a file and a pipe do the same.

use std::sync::Arc;

use crate::capture::{Format, Merge};
use crate::dissect::tls_open::keylog::KeyLog;
use crate::dissect::tls_open::keys::Keys;
use crate::model::time::Ts;
use crate::track::shared::{Opened, Openings};

/// The type of a block that is a key log.
const KEY_LOG: u32 = 0x544c_534b;

/// More secrets, on their way to the lanes.
#[derive(Debug)]
pub struct NewSecrets {
    /// All that hold from now on.
    pub keys: Arc<Keys>,
    /// Those that were not known before.
    pub fresh: Arc<KeyLog>,
    /// The watermark.
    pub at: Ts,
    /// The ordinal of the frame before which they act.
    pub ordinal: u64,
}

/// The blocks of all sources.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Blocks read of each source.
    read: Vec<usize>,
    /// Those that wait for their place: source, number of the frame before, content.
    due: Vec<(u16, u64, KeyLog)>,
    keys: Arc<Keys>,
    /// Sessions kept at most.
    cap: usize,
}

impl Blocks {
    /// Before the first frame: what the user gave.
    pub(super) fn new(merge: &Merge, given: &Keys, cap: usize) -> Self {
        // A source that is not open yet may turn out to be of any format.
        let mut formats = merge.sources().map(|source| source.facts().format);
        let growing = merge.sources().len() > 1 || formats.any(|format| format == Format::PcapNg);
        Self { read: Vec::new(), due: Vec::new(), keys: Arc::new(given.growing(growing)), cap }
    }

    /// All secrets that hold.
    pub(super) fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    /// Reads the blocks that sources have come across since the last call.
    pub(super) fn gather(&mut self, merge: &Merge) {
        self.read.resize(merge.sources().len(), 0);
        for ((source, index), read) in merge.sources().zip(0..).zip(&mut self.read) {
            for block in source.secrets().iter().skip(*read) {
                *read += 1;
                let mut log = KeyLog::default();
                if block.kind == KEY_LOG {
                    log.read(&block.octets, self.cap);
                }
                if !log.is_empty() {
                    self.due.push((index, block.after_frame, log));
                }
            }
        }
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// What acts from this frame of this source on; without a frame, what is left at the end.
    pub(super) fn before(&mut self, frame: Option<(u16, u64)>) -> Option<Arc<KeyLog>> {
        let now = |due: &mut (u16, u64, KeyLog)| {
            frame.is_none_or(|(source, number)| due.0 == source && due.1 < number)
        };
        let mut fresh = KeyLog::default();
        for (_, _, log) in self.due.extract_if(.., now) {
            fresh.add(&log, self.cap);
        }
        if fresh.is_empty() {
            return None;
        }
        let fresh = Arc::new(fresh);
        self.keys = Arc::new(self.keys.and(&fresh, self.cap));
        Some(fresh)
    }
}

/// What the secrets did and what they did not, if there were any: sentences.
pub(super) fn limits(given: &Keys, openings: &Openings) -> Vec<String> {
    let mut limits = Vec::new();
    let (lines, bad, excess) = given.lines();
    if bad > 0 {
        limits.push(format!("{bad} of the {lines} lines of the key log could not be read."));
    }
    if excess > 0 {
        limits.push(format!(
            "{excess} lines of the key log were more than are kept (--limit keylog_sessions=N)."
        ));
    }
    let kinds = [(openings.tls, "TLS sessions"), (openings.over_udp, "DTLS handshakes over UDP")];
    for (Opened { sessions, opened, unknown, .. }, what) in kinds {
        if given.are_known() && unknown > 0 {
            limits.push(format!(
                "The secrets supplied opened {opened} of {sessions} {what}; for {unknown} of them \
                 they hold nothing."
            ));
        }
    }
    if lines > 0 && lines == bad {
        limits.push("The key log holds no secret at all.".to_owned());
    }
    for (Opened { failed, .. }, what) in kinds.iter().filter(|(of, _)| of.failed > 0) {
        limits.push(format!(
            "{failed} {what} did not open although their secrets were supplied: these are of \
             another session, or the cipher suite is not supported."
        ));
    }
    let late = openings.late;
    if late > 0 {
        limits.push(format!(
            "The secrets of {late} TLS sessions came in the capture when what they open had gone by."
        ));
    }
    limits
}
