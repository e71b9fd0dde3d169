//! Reads the pcap file format (draft-ietf-opsawg-pcap): both byte orders, microseconds and
//! nanoseconds, and the variant of Alexey Kuznetzov with eight more octets in each record header.
//!
//! ```text
//! file:   magic(4) major(2) minor(2) reserved(8) snap length(4) link type and FCS(4)
//! record: seconds(4) fraction(4) captured(4) original(4) [interface(4) ... (4)] octets
//! ```
//!
//! Link types are not interpreted, and a version other than 2.4 is not refused.

use super::backing::Delivered;
use super::facts::{FaultKind, MAX_RECORD, Tally};
use super::order::Order;
use super::source::Step;
use crate::model::frame::{LinkType, RawFrame};
use crate::model::time::{Span, Ts};

/// Octets of the file header.
pub(super) const HEADER: usize = 24;

/// A pcap file behind its header.
#[derive(Debug)]
pub(super) struct Pcap {
    order: Order,
    /// Nanoseconds in one unit of the fraction.
    unit: u32,
    /// Octets of a record header: 16, or 24 in the modified format.
    record_header: u8,
    snap_length: u32,
    pub(super) link: LinkType,
    pub(super) fcs_octets: Option<u8>,
    number: u64,
}

impl Pcap {
    /// Whether a file that begins so is pcap.
    pub(super) fn recognises(first: [u8; 4]) -> bool {
        magic(first).is_some()
    }

    /// Reads the file header; `None` if it is not one.
    pub(super) fn open(header: &[u8; HEADER]) -> Option<Self> {
        let (first, rest) = header.split_first_chunk::<4>()?;
        let (order, unit, record_header) = magic(*first)?;
        let (_, rest) = rest.split_first_chunk::<12>()?;
        let (snap_length, rest) = rest.split_first_chunk::<4>()?;
        let network = order.u32(*rest.first_chunk::<4>()?);
        let [high, low_high, low_low] = [network >> 24, network >> 8 & 0xff, network & 0xff];
        let octet = |value: u32| u8::try_from(value & 0xff).unwrap_or_default();
        // The low 16 bits are the link type. Bit 26 says that the top four count the FCS, in
        // 16-bit units (draft-ietf-opsawg-pcap, "LinkType and additional information").
        let link = LinkType(u16::from_be_bytes([octet(low_high), octet(low_low)]));
        let fcs_octets = (high & 0x04 != 0).then(|| octet(high >> 4).saturating_mul(2));
        let snap_length = match order.u32(*snap_length) {
            0 => u32::MAX,
            length => length,
        };
        Some(Self { order, unit, record_header, snap_length, link, fcs_octets, number: 0 })
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
        let header = usize::from(self.record_header);
        while frames.len() < most {
            let Some((head, _)) = window.get(*at..).and_then(<[u8]>::split_first_chunk::<16>)
            else {
                return Step::Need(header);
            };
            let [seconds, fraction, captured, original] = self.order.quad(head);
            if captured > MAX_RECORD {
                return Step::Fault(self.fault(captured));
            }
            let length = usize::try_from(captured).unwrap_or(usize::MAX);
            let offset = at.saturating_add(header);
            let end = offset.saturating_add(length);
            if end > window.len() {
                return Step::Need(header.saturating_add(length));
            }
            self.number = self.number.saturating_add(1);
            let nanos = i64::from(fraction).saturating_mul(i64::from(self.unit));
            let ts = Ts::from_nanos(i64::from(seconds).saturating_mul(1_000_000_000))
                .plus(Span::from_nanos(nanos));
            let frame = RawFrame {
                number: self.number,
                ts: Some(ts),
                offset,
                captured,
                original,
                link: Some(self.link),
                interface: 0,
                damaged: false,
            };
            tally.frame(&frame, self.snap_length);
            frames.push(F::of(frame));
            *at = end;
        }
        Step::Full
    }

    /// What is wrong with a file that ends within the record that `rest` begins.
    pub(super) fn cut(&self, rest: &[u8]) -> FaultKind {
        match rest.first_chunk::<16>() {
            Some(head) if rest.len() >= usize::from(self.record_header) => {
                let [_, _, captured, _] = self.order.quad(head);
                self.fault(captured)
            }
            _ => FaultKind::RecordHeader { record: self.number.saturating_add(1) },
        }
    }

    fn fault(&self, says: u32) -> FaultKind {
        FaultKind::Record {
            record: self.number.saturating_add(1),
            says,
            header: self.record_header,
        }
    }
}

/// Byte order, nanoseconds per unit and record header length of each magic number.
const fn magic(first: [u8; 4]) -> Option<(Order, u32, u8)> {
    Some(match first {
        [0xd4, 0xc3, 0xb2, 0xa1] => (Order::Little, 1000, 16),
        [0xa1, 0xb2, 0xc3, 0xd4] => (Order::Big, 1000, 16),
        [0x4d, 0x3c, 0xb2, 0xa1] => (Order::Little, 1, 16),
        [0xa1, 0xb2, 0x3c, 0x4d] => (Order::Big, 1, 16),
        [0x34, 0xcd, 0xb2, 0xa1] => (Order::Little, 1000, 24),
        [0xa1, 0xb2, 0xcd, 0x34] => (Order::Big, 1000, 24),
        _ => return None,
    })
}
