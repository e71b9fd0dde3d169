//! The two statistics that tell a codec's octets from a cipher's where no structure is known
//! (`CATALOGUE.md` A.1.2): CHI and BITZ.
//!
//! CHI is the chi-square of all octets against equal frequency; BITZ asks of each bit of the first
//! 32 octets how often it is set and how often it changes from packet to packet. Both are needed:
//! compressed speech has an even histogram and bits that move too little, white noise in G.711 has
//! even bits and an uneven histogram. What looks random need not be SRTP; what does not, is not
//! encrypted.
//!
//! SRTP leaves one thing constant behind its ciphertext: the MKI (RFC 3711 §3.1), before the tag or,
//! with AES-GCM, behind it (RFC 7714 §8.2). The first packets show whether there is one; it is left
//! out, or it would make every encrypted stream look clear.

use self::bits::Bits;
use crate::model::figures::{Statistic, Tendency};

mod bits;

/// Octets from the first one on whose bits are counted.
const HEAD: usize = 32;
/// Octets back from the last one whose bits are counted.
const TAIL: usize = 16;
/// Octets back from the last one in which an MKI is looked for.
const TRAILER: usize = 32;
/// Longest MKI that is recognised; the RFC allows 128, nobody uses more than 4.
const MKI: u32 = 16;
/// Where an MKI may begin, counted back from the end: after tags of none, 32, 80 or 128 bits.
const TAGS: [u8; 4] = [0, 4, 10, 16];
/// Packets that show what is constant.
const WARM_UP: u8 = 4;
/// Octets of one packet that the histogram takes, so that those of [`MOST`] packets fit in its counters.
const COUNTED: usize = 1_000;
/// Packets that the counters have room for: as many as a look takes.
const MOST: u8 = 64;
/// Octets below which CHI means nothing.
const OCTETS: u32 = 200;
/// Values of z, four octets of them, below which BITZ must be higher to mean structure, and does not
/// mean randomness.
const VALUES: u32 = 64;
/// Packets with which a look says anything, with medium confidence.
pub const FEW: u16 = 25;
/// Packets with which it is sure.
pub const ENOUGH: u16 = 50;
/// From here on octets have structure. Random ones stay below 345, 11 standard deviations away.
const CHI_CLEAR: f64 = 500.0;
/// From here on bits have structure. Random ones stay below 4.2.
const BITZ_CLEAR: f64 = 8.0;
/// The same for few values.
const BITZ_CLEAR_OF_FEW: f64 = 20.0;
/// Below both of these octets look random.
const CHI_RANDOM: f64 = 350.0;
const BITZ_RANDOM: f64 = 5.0;

/// The counts of one look.
#[derive(Clone, Debug)]
pub struct Statistics {
    histogram: [u16; 256],
    head: Bits<{ HEAD / 8 }>,
    tail: Bits<{ TAIL / 8 }>,
    trailer: Trailer,
    packets: u8,
}

/// What has been the same at the end of every packet so far.
#[derive(Copy, Clone, Debug)]
struct Trailer {
    first: [u8; TRAILER],
    /// Bit i: the octet i before the last one never changed.
    same: u32,
    shortest: usize,
    /// Octets of MKI, and of MKI and tag, once that is known.
    mki: u8,
    covered: u8,
}

impl Default for Statistics {
    fn default() -> Self {
        let trailer =
            Trailer { first: [0; TRAILER], same: 0, shortest: usize::MAX, mki: 0, covered: 0 };
        let (histogram, head, tail) = ([0; 256], Bits::new(), Bits::new());
        Self { histogram, head, tail, trailer, packets: 0 }
    }
}

impl Statistics {
    /// Takes the payload of one packet, tag and padding included; those after [`MOST`] are left out.
    pub fn packet(&mut self, payload: &[u8]) {
        if self.packets < WARM_UP {
            self.trailer.packet(payload, self.packets == 0);
            self.packets += 1;
            if self.packets == WARM_UP {
                self.trailer.decide();
            }
            return;
        }
        if self.packets >= MOST {
            return;
        }
        self.packets += 1;
        let tail = payload.last_chunk::<TAIL>().copied().map(|mut tail| {
            tail.reverse();
            tail
        });
        match tail {
            Some(tail) => self.tail.whole(&tail),
            None => self.tail.part(payload.iter().rev()),
        }
        let (kept, tag) = self.trailer.without_mki(payload);
        match kept.first_chunk::<HEAD>() {
            Some(head) => self.head.whole(head),
            None => self.head.part(kept.iter().chain(tag)),
        }
        let (kept, _) = kept.split_at_checked(COUNTED).unwrap_or((kept, &[]));
        self.count(kept);
        let rest = COUNTED - kept.len();
        self.count(tag.get(..rest).unwrap_or(tag));
    }

    fn count(&mut self, octets: &[u8]) {
        // Eight at a time, for the loop costs as much as the counting.
        let (eights, rest) = octets.as_chunks::<8>();
        for eight in eights {
            for octet in eight {
                self.count_one(*octet);
            }
        }
        for octet in rest {
            self.count_one(*octet);
        }
    }

    #[inline]
    fn count_one(&mut self, octet: u8) {
        // Cannot wrap: `COUNTED` octets of `MOST` packets.
        if let Some(count) = self.histogram.get_mut(usize::from(octet)) {
            *count = count.wrapping_add(1);
        }
    }

    /// Octets of an MKI; 0 if there is none.
    pub const fn mki(&self) -> u8 {
        self.trailer.mki
    }

    /// What the packets so far say, and the figures; `repeats` if they prove to be clear in
    /// another way. `None` for too few packets, or too few octets in them.
    pub fn said(&self, repeats: bool) -> Option<(Tendency, Statistic)> {
        let packets = self.enough()?;
        let (chi, [bitz]) = (self.chi(), self.head.bitz([HEAD]));
        let tendency = Self::judge(repeats, chi, || bitz)?;
        let tenths_of = |bitz: Option<(f64, u32)>| bitz.map(|(bitz, _)| tenths(bitz));
        let [tail_10, tail_4] = self.tail.bitz([10, 4]).map(tenths_of);
        let figures = Statistic {
            packets: packets.into(),
            chi: chi.map_or(0, whole),
            bitz: tenths_of(bitz).unwrap_or(0),
            tail_10: tail_10.unwrap_or(i16::MAX),
            tail_4: tail_4.unwrap_or(i16::MAX),
        };
        Some((tendency, figures))
    }

    /// The first half of [`Self::said`], for who asks in the middle of a look: of speech CHI is enough.
    pub fn tendency(&self, repeats: bool) -> Option<Tendency> {
        self.enough()?;
        let bitz = || {
            let [bitz] = self.head.bitz([HEAD]);
            bitz
        };
        Self::judge(repeats, self.chi(), bitz)
    }

    /// Packets counted, if they are not too few.
    fn enough(&self) -> Option<u8> {
        let packets = self.packets.saturating_sub(WARM_UP);
        (u16::from(packets) >= FEW).then_some(packets)
    }

    /// The tendency, by CHI and if need be by BITZ.
    fn judge(
        repeats: bool,
        chi: Option<f64>,
        bitz: impl FnOnce() -> Option<(f64, u32)>,
    ) -> Option<Tendency> {
        if repeats || chi >= Some(CHI_CLEAR) {
            return Some(Tendency::Clear);
        }
        let bitz = bitz();
        let of_many = bitz.filter(|(_, values)| *values >= VALUES).map(|(bitz, _)| bitz);
        let few_are_clear = bitz.is_some_and(|(bitz, _)| bitz >= BITZ_CLEAR_OF_FEW);
        match (chi, of_many) {
            (_, Some(BITZ_CLEAR..)) => Some(Tendency::Clear),
            _ if few_are_clear => Some(Tendency::Clear),
            (Some(..CHI_RANDOM), Some(..BITZ_RANDOM)) => Some(Tendency::Random),
            (Some(_), Some(_)) => Some(Tendency::Unsure),
            _ => None,
        }
    }

    /// The sum of (count - expected)² / expected, in whole numbers until the end.
    fn chi(&self) -> Option<f64> {
        let total: u32 = self.histogram.iter().map(|count| u32::from(*count)).sum();
        if total < OCTETS {
            return None;
        }
        // Cannot wrap: `COUNTED` octets of `MOST` packets in one place make 2^32 less a little.
        let square = |count: &u16| u32::from(*count).wrapping_mul(u32::from(*count));
        let squares: u64 = self.histogram.iter().map(|count| u64::from(square(count))).sum();
        let total = f64::from(total);
        #[expect(clippy::cast_precision_loss, reason = "fits: of at most 64,000 octets")]
        let squares = squares as f64;
        Some(squares * 256.0 / total - total)
    }
}

impl Trailer {
    fn packet(&mut self, payload: &[u8], is_first: bool) {
        self.shortest = self.shortest.min(payload.len());
        let mut same = 0;
        for (bit, (first, octet)) in self.first.iter_mut().zip(payload.iter().rev()).enumerate() {
            if is_first {
                *first = *octet;
            }
            same |= u32::from(*first == *octet) << bit;
        }
        self.same = if is_first { same } else { self.same & same };
    }

    /// What stands before the MKI, and the tag behind it.
    fn without_mki<'a>(&self, payload: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let covered = payload.len().saturating_sub(self.covered.into());
        let (kept, trailer) = payload.split_at_checked(covered).unwrap_or((payload, &[]));
        (kept, trailer.get(self.mki.into()..).unwrap_or_default())
    }

    /// Octets that are constant and begin where an MKI does. Silence, which is constant throughout,
    /// is none.
    fn decide(&mut self) {
        for tag in TAGS {
            let begins = tag == 0 || self.same >> (tag - 1) & 1 == 0;
            let run = (self.same >> tag).trailing_ones();
            if begins && (1..=MKI).contains(&run) {
                let run = u8::try_from(run).unwrap_or(0);
                let covered = tag + run;
                if usize::from(covered) < self.shortest {
                    (self.mki, self.covered) = (run, covered);
                }
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn whole(value: f64) -> u16 {
    value.round() as u16
}

#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn tenths(value: f64) -> i16 {
    (value * 10.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// xorshift64*.
    struct Noise(u64);

    impl Noise {
        fn octets(&mut self, count: usize) -> Vec<u8> {
            let mut next = || {
                self.0 ^= self.0 >> 12;
                self.0 ^= self.0 << 25;
                self.0 ^= self.0 >> 27;
                (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
            };
            (0..count).map(|_| next()).collect()
        }
    }

    fn said(payloads: impl IntoIterator<Item = Vec<u8>>) -> Option<(Tendency, Statistic)> {
        let mut statistics = Statistics::default();
        for payload in payloads {
            statistics.packet(&payload);
        }
        statistics.said(false)
    }

    #[test]
    fn random_octets_of_any_length_are_never_clear() {
        let mut noise = Noise(0x1234_5678_9abc_def1);
        let (mut unsure, mut all) = (0, 0);
        for octets in (1..200).chain([240, 333, 500, 640, 1_000, 1_188, 1_500]) {
            for packets in [29, 35, 54, 64] {
                let looked = said((0..packets).map(|_| noise.octets(octets)));
                let Some(looked) = looked else {
                    assert!(octets < 10, "{packets} of {octets}");
                    continue;
                };
                assert_ne!(looked.0, Tendency::Clear, "{packets} of {octets}: {looked:?}");
                all += i32::from(octets >= 10);
                unsure += i32::from(octets >= 10 && looked.0 == Tendency::Unsure);
            }
        }
        assert!(unsure * 1_000 < all, "{unsure} of {all}");
    }

    #[test]
    fn random_octets_of_changing_length_are_never_clear() {
        let mut noise = Noise(99);
        for shortest in [5, 11, 20, 60] {
            for _ in 0..20 {
                let lengths: Vec<usize> =
                    noise.octets(64).iter().map(|o| shortest + usize::from(o % 90)).collect();
                let looked = said(lengths.iter().map(|&octets| noise.octets(octets))).unwrap();
                assert_eq!(looked.0, Tendency::Random, "{shortest}: {looked:?}");
            }
        }
    }

    #[test]
    fn an_mki_does_not_make_ciphertext_look_clear() {
        let mut noise = Noise(7);
        for mki in [1, 2, 4, 8, 16] {
            for tag in [0, 4, 10, 16] {
                for octets in [2, 12, 20, 33, 160] {
                    let mark = noise.octets(mki);
                    let packet =
                        |_| [noise.octets(octets), mark.clone(), noise.octets(tag)].concat();
                    let looked = said((0..64).map(packet));
                    let clear = looked.is_some_and(|(kind, _)| kind == Tendency::Clear);
                    assert!(!clear, "{mki} {tag} {octets}: {looked:?}");
                    let random = looked.is_some_and(|(kind, _)| kind == Tendency::Random);
                    assert!(random || octets + tag < 12, "{mki} {tag} {octets}: {looked:?}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_move_is_clear_however_short() {
        for octets in [1, 2, 4, 10, 20, 24, 33, 160] {
            let looked = said((0..64).map(|_| vec![0xd5; octets])).unwrap();
            assert_eq!(looked.0, Tendency::Clear, "{octets}: {looked:?}");
        }
        // One octet in front that keeps its value, as a table of contents does.
        let mut noise = Noise(3);
        let looked = said((0..64).map(|_| [vec![0x78], noise.octets(60)].concat())).unwrap();
        assert_eq!(looked.0, Tendency::Clear);
        assert!(looked.1.chi < 500 && looked.1.bitz > 250, "{looked:?}");
    }

    #[test]
    fn a_tag_behind_clear_octets_shows_in_the_tail() {
        let mut noise = Noise(11);
        let speech = |n: u32| (0..160).map(move |i| (n.wrapping_mul(i) % 40) as u8);
        let tagged = |n| speech(n).chain(noise.octets(10)).collect();
        let (_, figures) = said((0..64).map(tagged)).unwrap();
        assert!(figures.tail_10 < 40 && figures.bitz > 80, "{figures:?}");
        let (_, figures) = said((0..64).map(|n| speech(n).collect())).unwrap();
        assert!(figures.tail_10 > 80, "{figures:?}");
    }

    #[test]
    fn few_packets_say_nothing() {
        assert_eq!(said((0..28).map(|_| vec![0; 160])), None);
    }
}
