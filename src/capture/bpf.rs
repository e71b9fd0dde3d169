//! The machine that runs packet filters: classic BPF (`McCanne` and Jacobson, 1993), as libpcap
//! compiles it, over what was captured of a frame and its length on the wire.
//!
//! Our own, because the crate's own call tells a program that a frame was as long as its captured
//! part, so that `greater 1000` would be wrong for every frame that was cut. A program is data
//! here: a jump leads forward only, a load beyond the captured octets rejects the frame, and
//! what is no instruction does too.

/// A compiled filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
}

/// `struct bpf_insn`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) code: u16,
    pub(super) when_true: u8,
    pub(super) when_false: u8,
    pub(super) k: u32,
}

/// What a program works with.
struct Machine<'a> {
    octets: &'a [u8],
    wire_length: u32,
    accumulator: u32,
    index: u32,
    scratch: [u32; 16],
}

impl Program {
    /// A program of these instructions.
    #[cfg_attr(not(any(feature = "live", test)), expect(dead_code, reason = "libpcap compiles"))]
    pub(super) fn new(instructions: Vec<Instruction>) -> Self {
        Self { instructions }
    }

    /// Whether a frame with these captured octets and this length on the wire passes.
    pub(super) fn passes(&self, octets: &[u8], wire_length: u32) -> bool {
        let mut machine =
            Machine { octets, wire_length, accumulator: 0, index: 0, scratch: [0; 16] };
        machine.run(&self.instructions).is_some_and(|kept| kept > 0)
    }
}

impl Machine<'_> {
    /// Octets of the frame to keep; `None` where a program goes wrong. Each step consumes at
    /// least one instruction.
    fn run(&mut self, mut rest: &[Instruction]) -> Option<u32> {
        loop {
            let (now, next) = rest.split_first()?;
            let mut skip = 0;
            match now.code & 0x07 {
                0x00 => self.accumulator = self.load(*now)?,
                0x01 => self.index = self.load(*now)?,
                0x02 => *self.cell(now.k)? = self.accumulator,
                0x03 => *self.cell(now.k)? = self.index,
                0x04 => self.accumulator = self.arithmetic(*now)?,
                0x05 => skip = self.jump(*now)?,
                0x06 => return self.result(*now),
                _ if now.code & 0x80 == 0 => self.index = self.accumulator,
                _ => self.accumulator = self.index,
            }
            rest = next.get(usize::try_from(skip).ok()?..)?;
        }
    }

    /// The modes of loads: a constant, octets at a place or behind the index, a scratch cell, the
    /// length on the wire, and four times the low half of an octet (an IPv4 header's length).
    fn load(&mut self, now: Instruction) -> Option<u32> {
        match now.code & 0xe0 {
            0x00 => Some(now.k),
            0x20 => self.fetch(now.code, now.k),
            0x40 => self.fetch(now.code, self.index.checked_add(now.k)?),
            0x60 => self.cell(now.k).copied(),
            0x80 => Some(self.wire_length),
            0xa0 => {
                let octet = self.octets.get(usize::try_from(now.k).ok()?)?;
                Some(u32::from(octet & 0x0f) << 2)
            }
            _ => None,
        }
    }

    /// One, two or four octets in network byte order.
    fn fetch(&self, code: u16, at: u32) -> Option<u32> {
        let rest = self.octets.get(usize::try_from(at).ok()?..)?;
        match code & 0x18 {
            0x00 => rest.first_chunk().map(|octets| u32::from_be_bytes(*octets)),
            0x08 => rest.first_chunk().map(|octets| u32::from(u16::from_be_bytes(*octets))),
            0x10 => rest.first().map(|octet| u32::from(*octet)),
            _ => None,
        }
    }

    fn arithmetic(&self, now: Instruction) -> Option<u32> {
        let (a, b) = (self.accumulator, self.operand(now));
        Some(match now.code & 0xf0 {
            0x00 => a.wrapping_add(b),
            0x10 => a.wrapping_sub(b),
            0x20 => a.wrapping_mul(b),
            0x30 => a.checked_div(b)?,
            0x40 => a | b,
            0x50 => a & b,
            0x60 => a.checked_shl(b).unwrap_or(0),
            0x70 => a.checked_shr(b).unwrap_or(0),
            0x80 => a.wrapping_neg(),
            0x90 => a.checked_rem(b)?,
            0xa0 => a ^ b,
            _ => return None,
        })
    }

    /// Instructions to pass over.
    fn jump(&self, now: Instruction) -> Option<u32> {
        let (a, b) = (self.accumulator, self.operand(now));
        let holds = match now.code & 0xf0 {
            0x00 => return Some(now.k),
            0x10 => a == b,
            0x20 => a > b,
            0x30 => a >= b,
            0x40 => a & b != 0,
            _ => return None,
        };
        Some(u32::from(if holds { now.when_true } else { now.when_false }))
    }

    fn result(&self, now: Instruction) -> Option<u32> {
        match now.code & 0x18 {
            0x00 => Some(now.k),
            0x08 => Some(self.index),
            0x10 => Some(self.accumulator),
            _ => None,
        }
    }

    fn operand(&self, now: Instruction) -> u32 {
        if now.code & 0x08 == 0 { now.k } else { self.index }
    }

    fn cell(&mut self, k: u32) -> Option<&mut u32> {
        self.scratch.get_mut(usize::try_from(k).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(code: &[(u16, u8, u8, u32)]) -> Program {
        Program::new(
            code.iter()
                .map(|&(code, when_true, when_false, k)| Instruction {
                    code,
                    when_true,
                    when_false,
                    k,
                })
                .collect(),
        )
    }

    #[test]
    fn an_ethernet_type_is_looked_at_and_a_short_frame_rejected() {
        let ip = program(&[(0x28, 0, 0, 12), (0x15, 0, 1, 0x800), (6, 0, 0, 65_535), (6, 0, 0, 0)]);
        let mut frame = [0; 14];
        assert!(!ip.passes(&frame, 14));
        frame[12] = 8;
        assert!(ip.passes(&frame, 14));
        assert!(!ip.passes(&frame[..13], 14));
    }

    #[test]
    fn the_length_is_that_on_the_wire() {
        let long = program(&[(0x80, 0, 0, 0), (0x35, 0, 1, 100), (6, 0, 0, 1), (6, 0, 0, 0)]);
        assert!(long.passes(&[0; 4], 100));
        assert!(!long.passes(&[0; 4], 99));
    }

    #[test]
    fn every_program_ends_whatever_its_instructions() {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            u32::try_from(state >> 33).unwrap()
        };
        for _ in 0..20_000 {
            let code: Vec<_> = (0..next() % 12)
                .map(|_| {
                    let code = u16::try_from(next() & 0xff).unwrap();
                    (code, u8::try_from(next() & 3).unwrap(), u8::try_from(next() & 3).unwrap(), {
                        let k = next();
                        if k & 1 == 0 { k & 31 } else { k.wrapping_mul(7) }
                    })
                })
                .collect();
            program(&code).passes(&[0x45; 40], 60);
        }
    }
}
