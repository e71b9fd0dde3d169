//! Which frames of the sources are looked at: `--from`, `--to`, `-f` and `-c`.

use super::filter::Filter;
use crate::model::frame::RawFrame;
use crate::model::time::Ts;

/// What a frame must be to be looked at. The default takes all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Not captured before this moment.
    pub from: Option<Ts>,
    /// Captured before this moment.
    pub to: Option<Ts>,
    /// Passes this filter.
    pub filter: Option<Filter>,
    /// The reading ends after so many frames that are all that.
    pub packets: Option<u64>,
}

/// What a selection took, as long as it is one.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Frames taken.
    pub frames: u64,
    /// Their earliest and latest capture time.
    pub span: Option<(Ts, Ts)>,
}

impl Selection {
    /// Whether every frame is taken.
    pub fn is_everything(&self) -> bool {
        self.from.is_none() && self.to.is_none() && self.filter.is_none() && self.packets.is_none()
    }

    /// Whether a frame is taken, `-c` apart. One without time lies in no span of time.
    pub(super) fn takes(&mut self, raw: &RawFrame, octets: &[u8]) -> bool {
        let from = self.from.is_none_or(|from| raw.ts.is_some_and(|ts| ts >= from));
        let to = self.to.is_none_or(|to| raw.ts.is_some_and(|ts| ts < to));
        let wire_length = raw.original.max(raw.captured);
        from && to
            && self
                .filter
                .as_mut()
                .is_none_or(|filter| filter.passes(raw.link, octets, wire_length))
    }
}

impl Taken {
    /// Books a frame.
    pub(super) fn frame(&mut self, ts: Option<Ts>) {
        self.frames = self.frames.saturating_add(1);
        if let Some(ts) = ts {
            self.span = Some(match self.span {
                Some((first, last)) => (first.min(ts), last.max(ts)),
                None => (ts, ts),
            });
        }
    }
}
