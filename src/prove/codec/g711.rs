//! G.711: pulse code modulation with a logarithmic quantiser, an octet a sample at 8 kHz.
//!
//! ```text
//!  7   6 5 4     3 2 1 0
//! |S| segment |  step    |
//! ```
//!
//! ITU-T G.711 tables 1 and 2. Octets travel with inverted bits: all of them in mu-law, every second
//! one in A-law. The values are those of the standard (14 and 13 bits) brought to 16.

/// Which of the two laws.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Law {
    /// North America and Japan: PCMU.
    Mu,
    /// Everywhere else: PCMA.
    A,
}

/// A value for each octet.
type Table = [i16; 256];

static MU: Table = table(Law::Mu);
static A: Table = table(Law::A);

impl Law {
    /// Appends a sample for each octet.
    pub fn decode(self, payload: &[u8], out: &mut Vec<i16>) {
        let table = match self {
            Self::Mu => &MU,
            Self::A => &A,
        };
        let value = |octet: &u8| table.get(usize::from(*octet)).copied().unwrap_or_default();
        out.extend(payload.iter().map(value));
    }
}

#[expect(clippy::indexing_slicing, reason = "while compiling")]
const fn table(law: Law) -> Table {
    let mut table = [0; 256];
    let mut octet = 0_u8;
    loop {
        table[octet as usize] = match law {
            Law::Mu => mu(octet),
            Law::A => a(octet),
        };
        if octet == u8::MAX {
            return table;
        }
        octet += 1;
    }
}

/// Segments double, each with 16 steps; the bias of 33 (132 in 16 bits) makes the first like the others.
const fn mu(octet: u8) -> i16 {
    const BIAS: i16 = 132;
    let bits = !octet;
    let step = ((bits & 0x0f) as i16) << 3;
    let magnitude = ((step + BIAS) << (bits >> 4 & 7)) - BIAS;
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

/// The first segment is as wide as the second, the rest double; a value stands in the middle of its
/// step.
const fn a(octet: u8) -> i16 {
    let bits = octet ^ 0x55;
    let step = (((bits & 0x0f) as i16) << 4) + 8;
    let magnitude = match bits >> 4 & 7 {
        0 => step,
        segment => (step + 256) << (segment - 1),
    };
    if bits & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(law: Law, octets: &[u8]) -> Vec<i16> {
        let mut out = Vec::new();
        law.decode(octets, &mut out);
        out
    }

    #[test]
    fn the_ends_and_the_middle_are_those_of_the_tables() {
        let mu = decoded(Law::Mu, &[0x00, 0x80, 0x7f, 0xff, 0x7e, 0xfe, 0x8f]);
        assert_eq!(mu, [-32_124, 32_124, 0, 0, -8, 8, 16_764]);
        let a = decoded(Law::A, &[0x2a, 0xaa, 0x55, 0xd5, 0x54, 0xd4]);
        assert_eq!(a, [-32_256, 32_256, -8, 8, -24, 24]);
    }

    #[test]
    fn half_of_the_octets_are_the_negatives_of_the_others() {
        for law in [Law::Mu, Law::A] {
            let all = decoded(law, &(0..=255).collect::<Vec<u8>>());
            assert!((0..128).all(|octet| all[octet] == -all[octet + 128]), "{law:?}");
        }
    }
}
