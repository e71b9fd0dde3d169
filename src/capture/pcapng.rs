//! Reads pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, interfaces, enhanced,
//! simple and obsolete packets, statistics and secrets.
//!
//! ```text
//! block: type(4) total length(4) body, padded to 4 octets total length(4)
//! ```
//!
//! Names, custom, journal and unknown blocks are passed over and counted. A block whose body contradicts
//! itself is counted and reading goes on, for its length still leads to the next; a length that
//! cannot be is the end.

use super::backing::Delivered;
use super::facts::{FaultKind, InterfaceStatistics, MAX_RECORD, Secrets, Tally};
use super::input::octets;
use super::interface::Interface;
use super::options::{COMMENT, Options};
use super::order::Order;
use super::source::Step;
use crate::model::frame::RawFrame;

/// Block types.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const JOURNAL: u32 = 9;
const SECRETS: u32 = 10;
const CUSTOM: u32 = 0x0bad;
const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;

/// Octets of secrets kept of a source.
const MAX_SECRETS: usize = 32 << 20;
/// Secrets blocks kept of a source.
const MAX_SECRETS_BLOCKS: usize = 65_536;

/// The state between blocks.
#[derive(Debug)]
pub(super) struct PcapNg {
    order: Order,
    /// Interfaces of the current section, in file order.
    interfaces: Vec<Interface>,
    /// Interfaces that a section may have.
    most: usize,
    /// What those of earlier sections said of their drops, how many they were, and the first
    /// frame check sequence length that one stated.
    earlier: InterfaceStatistics,
    earlier_interfaces: u64,
    fcs_octets: Option<u8>,
    number: u64,
    blocks: u64,
    pub(super) secrets: Vec<Secrets>,
    pub(super) secrets_blocks: u64,
    secrets_octets: usize,
    drops: Option<u64>,
}

/// A packet block on its way to a frame.
struct Packet<'a> {
    interface: u32,
    /// High and low half; `None` in simple packets.
    time: Option<(u32, u32)>,
    captured: u32,
    original: u32,
    /// Octets of the block before the captured ones.
    before: usize,
    /// Everything behind the fixed fields.
    tail: &'a [u8],
}

/// What a reader appends to.
struct Sink<'a, F> {
    frames: &'a mut Vec<F>,
    tally: &'a mut Tally,
}

impl PcapNg {
    /// Whether a file that begins so is pcapng: `None` if it is not, else whether its byte order
    /// can be told.
    pub(super) fn recognises(first: &[u8]) -> Option<bool> {
        let (kind, rest) = first.split_first_chunk::<4>()?;
        let magic = rest.get(4..).and_then(<[u8]>::first_chunk::<4>);
        (u32::from_be_bytes(*kind) == SECTION).then(|| magic.and_then(|m| byte_order(*m)).is_some())
    }

    /// Before the first block, with the number of interfaces that a section may describe.
    pub(super) fn new(most: usize) -> Self {
        Self {
            order: Order::Little,
            interfaces: Vec::new(),
            most,
            earlier: InterfaceStatistics::default(),
            earlier_interfaces: 0,
            fcs_octets: None,
            number: 0,
            blocks: 0,
            secrets: Vec::new(),
            secrets_blocks: 0,
            secrets_octets: 0,
            drops: None,
        }
    }

    /// Appends the frames of `window` from `at` on, until there are `most` of them.
    pub(super) fn run<F: Delivered>(
        &mut self,
        window: &[u8],
        at: &mut usize,
        frames: &mut Vec<F>,
        most: usize,
        tally: &mut Tally,
    ) -> Step {
        let mut sink = Sink { frames, tally };
        while sink.frames.len() < most {
            let rest = window.get(*at..).unwrap_or_default();
            let Some(&[t0, t1, t2, t3, l0, l1, l2, l3, m0, m1, m2, m3]) = rest.first_chunk::<12>()
            else {
                return Step::Need(12);
            };
            let kind = self.order.u32([t0, t1, t2, t3]);
            if kind == SECTION {
                match byte_order([m0, m1, m2, m3]) {
                    Some(order) => self.order = order,
                    None => return Step::Fault(self.no_byte_order()),
                }
            }
            let says = self.order.u32([l0, l1, l2, l3]);
            if says < 12 || !says.is_multiple_of(4) || says > MAX_RECORD {
                return Step::Fault(self.bad_length(says));
            }
            let length = usize::try_from(says).unwrap_or(usize::MAX);
            let Some(block) = rest.get(..length) else { return Step::Need(length) };
            let Some((head, &trailer)) = block.split_last_chunk::<4>() else {
                return Step::Need(12);
            };
            if self.order.u32(trailer) != says {
                let lengths = &mut sink.tally.oddities.bad_trailing_lengths;
                *lengths = lengths.saturating_add(1);
            }
            let body = head.get(8..).unwrap_or_default();
            self.blocks = self.blocks.saturating_add(1);
            if kind == ENHANCED_PACKET {
                self.enhanced(body, *at, &mut sink);
            } else {
                self.other(kind, body, *at, &mut sink);
            }
            *at = at.saturating_add(length);
        }
        Step::Full
    }

    /// What is wrong with a file that ends within the block that `rest` begins.
    pub(super) fn cut(&self, rest: &[u8]) -> FaultKind {
        match rest.get(4..).and_then(<[u8]>::first_chunk::<4>) {
            Some(says) if rest.len() >= 12 => self.bad_length(self.order.u32(*says)),
            _ => FaultKind::BlockHeader {
                block: self.blocks.saturating_add(1),
                after_frame: self.number,
            },
        }
    }

    /// Interfaces described so far.
    pub(super) fn interfaces(&self) -> u64 {
        self.earlier_interfaces.saturating_add(octets(self.interfaces.len()))
    }

    /// The first frame check sequence length that an interface states.
    pub(super) fn fcs_octets(&self) -> Option<u8> {
        self.fcs_octets.or_else(|| self.interfaces.iter().find_map(|one| one.fcs_octets))
    }

    /// The drop counts, summed.
    pub(super) fn statistics(&self) -> InterfaceStatistics {
        let mut sum = InterfaceStatistics { drops_before_packets: self.drops, ..self.earlier };
        for interface in &self.interfaces {
            add(&mut sum.received, interface.received);
            add(&mut sum.interface_drops, interface.if_drops);
            add(&mut sum.system_drops, interface.system_drops);
        }
        sum
    }

    /// Forgets the interfaces of a section that has ended, but for what they said.
    pub(super) fn close(&mut self) {
        self.earlier = self.statistics();
        self.earlier_interfaces = self.interfaces();
        self.fcs_octets = self.fcs_octets();
        self.interfaces = Vec::new();
    }

    /// `interface(4) time(8) captured(4) original(4) octets options`
    #[inline]
    fn enhanced<F: Delivered>(&mut self, body: &[u8], at: usize, sink: &mut Sink<'_, F>) {
        let Some((fixed, tail)) = body.split_first_chunk::<20>() else {
            return self.broken(at, sink);
        };
        let (&[i0, i1, i2, i3], fixed) = split4(fixed);
        let [high, low, captured, original] = self.order.quad(fixed);
        let interface = self.order.u32([i0, i1, i2, i3]);
        let time = Some((high, low));
        self.packet(&Packet { interface, time, captured, original, before: 28, tail }, at, sink);
    }

    /// Every block that is not an enhanced packet.
    #[cold]
    fn other<F: Delivered>(&mut self, kind: u32, body: &[u8], at: usize, sink: &mut Sink<'_, F>) {
        let order = self.order;
        match kind {
            SECTION => {
                self.close();
                self.comments(body.get(16..).unwrap_or_default(), sink.tally);
            }
            INTERFACE => self.interface(body, sink.tally),
            OBSOLETE_PACKET => self.obsolete(body, at, sink),
            SIMPLE_PACKET => self.simple(body, at, sink),
            STATISTICS => {
                let Some((id, rest)) = body.split_first_chunk::<4>() else { return };
                let index = index(order.u32(*id));
                if let Some(interface) = self.interfaces.get_mut(index) {
                    let options = rest.get(8..).unwrap_or_default();
                    interface.statistics(order, options, &mut sink.tally.comments);
                }
            }
            SECRETS => self.keep_secrets(body),
            _ => {
                // Wireshark shows these as frames of their own, and ours are numbered as its.
                let shown = matches!(kind, JOURNAL | CUSTOM | CUSTOM_NOT_COPIED);
                let number = u64::from(shown);
                self.number = self.number.saturating_add(number);
                let skipped = &mut sink.tally.oddities.skipped_blocks;
                *skipped = skipped.saturating_add(1);
                let passed = octets(body.len()).saturating_add(12);
                sink.tally.skipped_octets = sink.tally.skipped_octets.saturating_add(passed);
            }
        }
    }

    /// `interface(2) drops(2) time(8) captured(4) original(4) octets options`
    fn obsolete<F: Delivered>(&mut self, body: &[u8], at: usize, sink: &mut Sink<'_, F>) {
        let Some((fixed, tail)) = body.split_first_chunk::<20>() else {
            return self.broken(at, sink);
        };
        let (&[i0, i1, d0, d1], fixed) = split4(fixed);
        let [high, low, captured, original] = self.order.quad(fixed);
        let drops = self.order.u16([d0, d1]);
        if drops != u16::MAX {
            add(&mut self.drops, Some(u64::from(drops)));
        }
        let interface = u32::from(self.order.u16([i0, i1]));
        let time = Some((high, low));
        self.packet(&Packet { interface, time, captured, original, before: 28, tail }, at, sink);
    }

    /// `original(4) octets`, of the section's first interface, at no known time.
    fn simple<F: Delivered>(&mut self, body: &[u8], at: usize, sink: &mut Sink<'_, F>) {
        let Some((original, tail)) = body.split_first_chunk::<4>() else {
            return self.broken(at, sink);
        };
        let original = self.order.u32(*original);
        let snap_length = self.interfaces.first().map_or(u32::MAX, |i| i.snap_length);
        // There is no captured length: it follows from the other two. The block may hold less
        // than both say, because its writer had a snap length that it did not write down.
        let present = u32::try_from(tail.len()).unwrap_or(u32::MAX);
        let captured = original.min(snap_length).min(present);
        let packet = Packet { interface: 0, time: None, captured, original, before: 12, tail };
        self.packet(&packet, at, sink);
    }

    #[inline]
    fn packet<F: Delivered>(&mut self, packet: &Packet<'_>, at: usize, sink: &mut Sink<'_, F>) {
        let interface = self.interfaces.get(index(packet.interface));
        let length = usize::try_from(packet.captured).unwrap_or(usize::MAX);
        let damaged = length > packet.tail.len();
        self.number = self.number.saturating_add(1);
        let frame = RawFrame {
            number: self.number,
            ts: interface.and_then(|i| packet.time.map(|(high, low)| i.time(high, low))),
            offset: at.saturating_add(packet.before),
            captured: if damaged { 0 } else { packet.captured },
            original: packet.original,
            link: interface.map(|i| i.link),
            interface: packet.interface,
            damaged,
        };
        sink.tally.frame(&frame, interface.map_or(u32::MAX, |i| i.snap_length));
        sink.frames.push(F::of(frame));
        // The octets are padded; what follows are options.
        let data = length.checked_next_multiple_of(4).unwrap_or(usize::MAX);
        if packet.time.is_some() && data < packet.tail.len() {
            self.packet_options(packet.tail.get(data..).unwrap_or_default(), sink.tally);
        }
    }

    /// A packet block too short for its own fields.
    #[cold]
    fn broken<F: Delivered>(&mut self, at: usize, sink: &mut Sink<'_, F>) {
        self.number = self.number.saturating_add(1);
        let frame = RawFrame {
            number: self.number,
            ts: None,
            offset: at,
            captured: 0,
            original: 0,
            link: None,
            interface: u32::MAX,
            damaged: true,
        };
        sink.tally.frame(&frame, u32::MAX);
        sink.frames.push(F::of(frame));
    }

    #[cold]
    fn packet_options(&mut self, options: &[u8], tally: &mut Tally) {
        for (code, value) in Options::new(self.order, options) {
            match (code, value.first_chunk::<8>()) {
                (COMMENT, _) => tally.comments = tally.comments.saturating_add(1),
                (4, Some(drops)) => add(&mut self.drops, Some(self.order.u64(*drops))),
                _ => {}
            }
        }
    }

    fn interface(&mut self, body: &[u8], tally: &mut Tally) {
        let Some(interface) = Interface::described(self.order, body, &mut tally.comments) else {
            tally.oddities.skipped_blocks = tally.oddities.skipped_blocks.saturating_add(1);
            return;
        };
        if self.interfaces.len() < self.most {
            self.interfaces.push(interface);
        } else {
            let excess = &mut tally.oddities.excess_interfaces;
            *excess = excess.saturating_add(1);
        }
    }

    fn comments(&self, options: &[u8], tally: &mut Tally) {
        let comments = Options::new(self.order, options).filter(|(code, _)| *code == COMMENT);
        tally.comments = tally.comments.saturating_add(octets(comments.count()));
    }

    /// `type(4) length(4) octets options`
    fn keep_secrets(&mut self, body: &[u8]) {
        self.secrets_blocks = self.secrets_blocks.saturating_add(1);
        let Some((&[k0, k1, k2, k3, l0, l1, l2, l3], tail)) = body.split_first_chunk::<8>() else {
            return;
        };
        let length = usize::try_from(self.order.u32([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let kept = tail.get(..length).unwrap_or(tail);
        let total = self.secrets_octets.saturating_add(kept.len());
        if total > MAX_SECRETS || self.secrets.len() >= MAX_SECRETS_BLOCKS {
            return;
        }
        self.secrets_octets = total;
        let kind = self.order.u32([k0, k1, k2, k3]);
        self.secrets.push(Secrets { kind, octets: kept.to_vec(), after_frame: self.number });
    }

    fn bad_length(&self, says: u32) -> FaultKind {
        FaultKind::Block { block: self.blocks.saturating_add(1), after_frame: self.number, says }
    }

    fn no_byte_order(&self) -> FaultKind {
        FaultKind::ByteOrder { block: self.blocks.saturating_add(1), after_frame: self.number }
    }
}

/// The number of an interface as an index.
#[inline]
fn index(interface: u32) -> usize {
    usize::try_from(interface).unwrap_or(usize::MAX)
}

/// The byte order magic, 0x1a2b3c4d.
const fn byte_order(magic: [u8; 4]) -> Option<Order> {
    match magic {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        _ => None,
    }
}

/// Four octets and the sixteen behind them.
const fn split4(fixed: &[u8; 20]) -> (&[u8; 4], &[u8; 16]) {
    const FILL: (&[u8; 4], &[u8; 16]) = (&[0; 4], &[0; 16]);
    match fixed.split_first_chunk::<4>() {
        Some((first, rest)) => match rest.first_chunk::<16>() {
            Some(rest) => (first, rest),
            None => FILL,
        },
        None => FILL,
    }
}

fn add(sum: &mut Option<u64>, count: Option<u64>) {
    if let Some(count) = count {
        *sum = Some(sum.unwrap_or(0).saturating_add(count));
    }
}
