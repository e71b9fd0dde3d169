//! What closer looks at a stream leave behind: counts and two statistics, no octet of payload.

use super::stream::LawRow;

/// What closer looks at packets of one payload type gave.
///
/// The numbers T1 to T9 are those of the structural tests, `CATALOGUE.md` A.1.3. Each counts
/// what would hold if the payload were that codec's, whatever the codec is: which one is meant is
/// known later, from SDP.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// T1 and T2: the most frequent rows of the last look.
    pub rows: [LawRow; 3],
    /// Pairs in all rows, those left out included.
    pub pairs: u16,
    /// PT of the packets looked at.
    pub payload_type: u8,
    /// Octets, equal in every packet, where SRTP has its MKI (RFC 3711 §3.1); mostly 0.
    pub mki: u8,
    /// Packets looked at.
    pub packets: u16,
    /// Of these, packets captured whole: only they count below.
    pub whole: u16,
    /// T2: GSM, a whole number of 33-octet frames that all start with 0xD.
    pub gsm: u16,
    /// T2: G.723.1, frames whose sizes by their first octets add up to payload and step.
    pub g723: u16,
    /// T3: AMR octet-aligned, table of contents and sizes add up.
    pub amr: u16,
    /// T3: the same for AMR-WB.
    pub amr_wb: u16,
    /// T4: pairs in which the Opus TOC gives the timestamp step at 48 kHz.
    pub opus: u16,
    /// T4: pairs looked at for it.
    pub opus_pairs: u16,
    /// T5: telephone events, whose duration does not fall while their timestamp stays.
    pub events: u16,
    /// T6: payloads of 16 octets and more equal to one of the last 64, under another number.
    pub equal: u16,
    /// T7: payloads with a run of at least 8 equal octets.
    pub runs: u16,
    /// Payloads that are text (RFC 4103).
    pub text: u16,
    /// Different payload lengths of one look, at most 8: the most of any look.
    pub lengths: u8,
    /// T8: H.263 payload headers (RFC 2190).
    pub h263: u16,
    /// T8: H.264, forbidden bit 0 and a legal type.
    pub h264: u16,
    /// T8: the same for H.265.
    pub h265: u16,
    /// T8: VP8 payload descriptors (RFC 7741).
    pub vp8: u16,
    /// T9: packets with P.
    pub padded: u16,
    /// T9: of these, with a possible count and zeros before it.
    pub padding_fits: u16,
    /// The statistics of all looks.
    pub looks: Looks,
}

/// The statistics of the looks at one stream, kept apart by what each look says: a stream that
/// turns from clear to encrypted is not averaged to something between.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// Looks that show structure, or packets that repeat.
    pub clear: Statistic,
    /// Looks in which the octets look random.
    pub random: Statistic,
    /// Looks that say neither.
    pub unsure: Statistic,
}

/// CHI and BITZ over some packets (`CATALOGUE.md` A.1.2), of the latest look of its kind.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistic {
    /// Packets in all looks of the kind; 0 if there was none.
    pub packets: u32,
    /// CHI: chi-square of the octets against equal frequency, 255 degrees of freedom; 65,535 for
    /// that much and more.
    pub chi: u16,
    /// BITZ of the first 32 octets, in tenths.
    pub bitz: i16,
    /// BITZ of the last 10 octets, in tenths.
    pub tail_10: i16,
    /// BITZ of the last 4 octets, in tenths.
    pub tail_4: i16,
}

/// What statistics say of octets.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Tendency {
    /// They have structure.
    Clear,
    /// They look random: encrypted, or compressed beyond what can be told.
    Random,
    /// Neither is sure.
    Unsure,
}

impl Looks {
    /// The kind with the most packets, clear if as many are random, and the figures that speak for
    /// it; `None` before the first look was long enough.
    pub fn said(&self) -> Option<(Tendency, Statistic)> {
        let (kind, of) = match (self.clear.packets, self.random.packets) {
            (0, 0) => (Tendency::Unsure, self.unsure),
            (clear, random) if clear >= random => (Tendency::Clear, self.clear),
            _ => (Tendency::Random, self.random),
        };
        (of.packets > 0).then_some((kind, of))
    }

    /// Whether some looks show clear and others encrypted packets.
    pub const fn turned(&self) -> bool {
        self.clear.packets > 0 && self.random.packets > 0
    }

    /// The figures of looks of this kind.
    pub fn of(&mut self, kind: Tendency) -> &mut Statistic {
        match kind {
            Tendency::Clear => &mut self.clear,
            Tendency::Random => &mut self.random,
            Tendency::Unsure => &mut self.unsure,
        }
    }

    /// These looks and later ones.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            clear: self.clear.and(later.clear),
            random: self.random.and(later.random),
            unsure: self.unsure.and(later.unsure),
        }
    }
}

impl Statistic {
    /// The later figures, for the packets of both.
    fn and(self, later: Self) -> Self {
        let packets = self.packets.saturating_add(later.packets);
        let of = if later.packets > 0 { later } else { self };
        Self { packets, ..of }
    }
}
