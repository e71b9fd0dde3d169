//! JSON being written: the octets so far, and what is remembered because it will be written again.

use super::put::Calendar;
use super::records::Json;
use crate::correlate::archive::CallStream;
use crate::correlate::exposure::{Exposure, Gist, gist};

/// Sentences about calls that are remembered.
const SENTENCES: usize = 16;

/// JSON being written.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) octets: Vec<u8>,
    pub(super) calendar: Calendar,
    /// Parts that many records share, as they were written first: two kinds, by their place.
    written: [Vec<Option<Box<[u8]>>>; 2],
    /// The first sentences about calls, by what their streams are like: nearly all are the same.
    sentences: Vec<Sentence>,
}

/// A sentence about calls.
#[derive(Debug)]
struct Sentence {
    /// What their streams are like.
    streams: Box<[Gist]>,
    json: Box<[u8]>,
}

impl Out {
    /// Appends what is JSON already.
    #[inline]
    pub(super) fn raw(&mut self, json: &str) {
        self.octets.extend_from_slice(json.as_bytes());
    }

    /// Appends the sentence about a call with these streams.
    pub(super) fn sentence(&mut self, exposure: Exposure, streams: &[CallStream]) {
        let is = |known: &&Sentence| known.streams.iter().copied().eq(streams.iter().map(gist));
        if let Some(known) = self.sentences.iter().find(is) {
            return self.octets.extend_from_slice(&known.json);
        }
        let begin = self.octets.len();
        exposure.sentence(streams).json(self);
        if self.sentences.len() < SENTENCES {
            let json = self.octets.get(begin..).unwrap_or_default().into();
            self.sentences.push(Sentence { streams: streams.iter().map(gist).collect(), json });
        }
    }

    /// Appends a part that many records share. One without a place is written anew; of the others
    /// there are only as many as their shelf has room for.
    pub(super) fn repeated(&mut self, kind: usize, place: Option<u32>, part: &impl Json) {
        let Some(place) = place.and_then(|place| usize::try_from(place).ok()) else {
            return part.json(self);
        };
        let known = self.written.get(kind).and_then(|written| written.get(place));
        if let Some(Some(text)) = known {
            return self.octets.extend_from_slice(text);
        }
        let begin = self.octets.len();
        part.json(self);
        let text = self.octets.get(begin..).unwrap_or_default();
        if let Some(written) = self.written.get_mut(kind) {
            if written.len() <= place {
                written.resize(place.saturating_add(1), None);
            }
            if let Some(free) = written.get_mut(place) {
                *free = Some(text.into());
            }
        }
    }
}
