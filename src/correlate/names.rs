//! The texts of a call or registration in one allocation: octets as they came, each cut at a
//! length that no honest header reaches.

use crate::model::packed::Text;

/// Octets kept of one text.
const TEXT_OCTETS: usize = 512;

/// Room for a last text that comes later.
const ROOM: usize = 24;

/// Up to `N` texts, one after the other. `N` times 512 fits 16 bits for every user.
#[derive(Debug)]
pub(super) struct Names<const N: usize> {
    octets: Box<[u8]>,
    ends: [u16; N],
}

impl<const N: usize> Names<N> {
    /// Copies the texts. Where the last one is empty it may come later: there is room for it.
    pub(super) fn new(texts: [&[u8]; N]) -> Self {
        let texts = texts.map(cut);
        let room = if texts.last().is_some_and(|last| last.is_empty()) { ROOM } else { 0 };
        let mut octets = Vec::with_capacity(texts.iter().fold(room, |sum, text| sum + text.len()));
        let mut ends = [0; N];
        for (text, end) in texts.iter().zip(&mut ends) {
            octets.extend_from_slice(text);
            *end = u16::try_from(octets.len()).unwrap_or(u16::MAX);
        }
        octets.resize(octets.len() + room, 0);
        Self { octets: octets.into_boxed_slice(), ends }
    }

    /// Replaces the last text.
    pub(super) fn set_last(&mut self, text: &[u8]) {
        let last = N.saturating_sub(1);
        let start = last.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let text = cut(text);
        let place = self.octets.get_mut(usize::from(start.unwrap_or_default())..);
        let place = place.and_then(|room| room.get_mut(..text.len()));
        if let (Some(place), Some(end)) = (place, self.ends.last_mut()) {
            place.copy_from_slice(text);
            let len = u16::try_from(text.len()).unwrap_or_default();
            *end = start.unwrap_or_default().saturating_add(len);
        } else {
            *self = self.with(last, text);
        }
    }

    /// Text number `index`; empty if there is none.
    pub(super) fn get(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.octets
            .get(usize::from(start.unwrap_or_default())..usize::from(end))
            .unwrap_or_default()
    }

    /// Octets of all texts.
    pub(super) fn len(&self) -> usize {
        self.ends.last().copied().map_or(0, usize::from)
    }

    /// Whether text number `index` is `text`, as far as it was kept.
    pub(super) fn is(&self, index: usize, text: &[u8]) -> bool {
        self.get(index) == cut(text)
    }

    /// Text number `index` as text, U+FFFD for what is not UTF-8; `None` if it is empty.
    pub(super) fn text(&self, index: usize) -> Option<Text<'_>> {
        let octets = self.get(index);
        (!octets.is_empty()).then(|| valid(octets))
    }

    /// The same texts with one replaced.
    pub(super) fn with(&self, index: usize, text: &[u8]) -> Self {
        let mut number = 0_usize;
        Self::new([(); N].map(|()| {
            let this = number;
            number = number.saturating_add(1);
            if this == index { text } else { self.get(this) }
        }))
    }
}

/// Octets as text, U+FFFD for what is not UTF-8.
pub(super) fn valid(octets: &[u8]) -> Text<'_> {
    // Far quicker than the lossy conversion where nothing is lost.
    std::str::from_utf8(octets).map_or_else(|_| String::from_utf8_lossy(octets), Text::from)
}

fn cut(text: &[u8]) -> &[u8] {
    text.get(..TEXT_OCTETS).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_went_in() {
        let names = Names::new([b"one", b"", b"three"]);
        assert_eq!(
            (names.get(0), names.get(1), names.get(2)),
            (&b"one"[..], &b""[..], &b"three"[..])
        );
        assert_eq!((names.get(3), names.text(1)), (&b""[..], None));
        let names = names.with(1, b"two");
        assert_eq!(
            (names.get(0), names.get(1), names.get(2)),
            (&b"one"[..], &b"two"[..], &b"three"[..])
        );
    }

    #[test]
    fn a_last_text_may_come_later_and_change() {
        let mut names = Names::new([&b"one"[..], b""]);
        for last in [&b"two"[..], b"a longer text", b"", &[b'x'; 600], b"y", &[b'z'; 30]] {
            names.set_last(last);
            let kept = &last[..last.len().min(512)];
            assert_eq!((names.get(0), names.get(1)), (&b"one"[..], kept));
            assert_eq!(names.len(), 3 + kept.len());
        }
    }

    #[test]
    fn a_long_text_is_cut_and_still_recognised() {
        let long = vec![b'x'; 70_000];
        let names = Names::new([&long[..], b"y"]);
        assert_eq!((names.get(0).len(), names.get(1)), (512, &b"y"[..]));
        assert!(names.is(0, &long) && !names.is(0, b"x"));
    }
}
