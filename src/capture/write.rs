//! Writes captures: pcapng for everything we make, plain pcap for tests.
//!
//! pcapng: one section in little-endian order, an interface for each that packets came from, or for
//! each link type, with times in nanoseconds, enhanced packets (draft-ietf-opsawg-pcapng §4.1 to §4.4).

use std::io::{self, Write};

use crate::model::frame::LinkType;
use crate::model::time::Ts;

/// A pcapng file being written.
#[derive(Debug)]
pub struct PcapngWriter<W> {
    out: W,
    application: String,
    comment: String,
    /// The section's interfaces: what their packets came from, and their link types.
    interfaces: Vec<(u64, LinkType)>,
    /// What packets come from now.
    from: u64,
    block: Vec<u8>,
}

/// A pcap file being written: nanoseconds, little-endian, one link type.
#[derive(Debug)]
pub struct PcapWriter<W> {
    out: W,
}

impl<W: Write> PcapngWriter<W> {
    /// Begins a file, naming the program that writes it unless its name is empty.
    ///
    /// # Errors
    /// Those of `out`, here and below.
    pub fn new(out: W, application: &str) -> io::Result<Self> {
        Self::with_comment(out, application, "")
    }

    /// The same with a comment about the whole file, unless that is empty.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn with_comment(out: W, application: &str, comment: &str) -> io::Result<Self> {
        let mut writer = Self {
            out,
            application: application.to_owned(),
            comment: comment.to_owned(),
            interfaces: Vec::new(),
            from: 0,
            block: Vec::new(),
        };
        writer.section()?;
        Ok(writer)
    }

    /// Writes one packet, and before it whatever it needs. `original` is its length on the wire;
    /// times before 1970 become 1970.
    ///
    /// # Errors
    /// Those of `out`, and `InvalidInput` for more than 64 MiB.
    pub fn packet(
        &mut self,
        ts: Option<Ts>,
        link: LinkType,
        original: u32,
        octets: &[u8],
        comment: Option<&str>,
    ) -> io::Result<()> {
        let Some(ts) = ts else { return self.simple(link, original, octets) };
        let interface = self.interface(link)?;
        let captured = length(octets)?;
        self.begin(6);
        self.number(interface);
        self.time(ts);
        self.number(captured);
        self.number(original);
        self.padded(octets);
        if let Some(comment) = comment {
            self.option(1, comment.as_bytes());
            self.option(0, &[]);
        }
        self.end()
    }

    /// Says what the next packets come from: those of equal link type and origin share an
    /// interface.
    pub fn on(&mut self, from: u64) {
        self.from = from;
    }

    /// Describes an interface with this link type, if there is none yet.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn describe(&mut self, link: LinkType) -> io::Result<()> {
        self.interface(link).map(drop)
    }

    /// Describes an interface by its name, though no packet of it has come yet. Its packets are
    /// those said to be [`on`](Self::on) its index.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn interface_named(&mut self, link: LinkType, name: &str) -> io::Result<u32> {
        let index =
            u32::try_from(self.interfaces.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.interfaces.push((index.into(), link));
        self.describe_interface(link, name)?;
        Ok(index)
    }

    /// Writes what the capturing host counted on an interface (§4.6): packets received, dropped by
    /// the interface, dropped by the system.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn statistics(&mut self, interface: u32, at: Ts, counted: [u64; 3]) -> io::Result<()> {
        self.begin(5);
        self.number(interface);
        self.time(at);
        for (code, count) in [4, 5, 7].into_iter().zip(counted) {
            self.option(code, &count.to_le_bytes());
        }
        self.option(0, &[]);
        self.end()
    }

    /// Writes secrets that act from here on; 0x544c534b is a TLS key log.
    ///
    /// # Errors
    /// Those of `out`, and `InvalidInput` for more than 64 MiB.
    pub fn secrets(&mut self, kind: u32, octets: &[u8]) -> io::Result<()> {
        let length = length(octets)?;
        self.begin(10);
        self.number(kind);
        self.number(length);
        self.padded(octets);
        self.end()
    }

    /// Hands the output back, flushed.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// Where it goes.
    pub(super) fn output(&self) -> &W {
        &self.out
    }

    /// Hands everything written so far on.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn section(&mut self) -> io::Result<()> {
        self.interfaces.clear();
        self.begin(0x0a0d_0d0a);
        self.number(0x1a2b_3c4d);
        self.number(1); // version 1.0
        self.number(u32::MAX); // section length not known
        self.number(u32::MAX);
        let said =
            [(1, std::mem::take(&mut self.comment)), (4, std::mem::take(&mut self.application))];
        for (code, text) in said.iter().filter(|(_, text)| !text.is_empty()) {
            self.option(*code, text.as_bytes());
        }
        let [(_, comment), (_, application)] = said;
        if !(comment.is_empty() && application.is_empty()) {
            self.option(0, &[]);
        }
        (self.comment, self.application) = (comment, application);
        self.end()
    }

    /// The index of the interface with this link type, described now if it is new.
    fn interface(&mut self, link: LinkType) -> io::Result<u32> {
        let wanted = (self.from, link);
        let known = self.interfaces.iter().position(|known| *known == wanted);
        let index = known.unwrap_or(self.interfaces.len());
        if known.is_none() {
            self.interfaces.push(wanted);
            self.describe_interface(link, "")?;
        }
        u32::try_from(index).map_err(|_| io::ErrorKind::InvalidInput.into())
    }

    fn describe_interface(&mut self, link: LinkType, name: &str) -> io::Result<()> {
        self.begin(1);
        self.number(u32::from(link.0));
        self.number(0); // no snap length
        if !name.is_empty() {
            self.option(2, name.as_bytes());
        }
        self.option(9, &[9]); // if_tsresol: nanoseconds
        self.option(0, &[]);
        self.end()
    }

    /// A packet without time; its interface is always the section's first.
    fn simple(&mut self, link: LinkType, original: u32, octets: &[u8]) -> io::Result<()> {
        // Its captured length is the lesser of the original and what the block has room for, so
        // the padding of a clipped packet would be read as captured.
        let captured = length(octets)?;
        let exact = captured >= original || octets.len().is_multiple_of(4);
        if !exact {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a clipped packet without time cannot be written",
            ));
        }
        if self.interfaces.first().is_some_and(|first| *first != (self.from, link)) {
            self.section()?;
        }
        self.interface(link)?;
        self.begin(3);
        self.number(original);
        self.padded(octets);
        self.end()
    }

    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.number(kind);
        self.number(0);
    }

    /// Sets both lengths and writes the block.
    fn end(&mut self) -> io::Result<()> {
        let total = length(&self.block)?.saturating_add(4).to_le_bytes();
        if let Some(length) = self.block.get_mut(4..8) {
            length.copy_from_slice(&total);
        }
        self.block.extend_from_slice(&total);
        self.out.write_all(&self.block)
    }

    /// A time in nanoseconds, its upper half first.
    fn time(&mut self, at: Ts) {
        let nanos = u64::try_from(at.nanos()).unwrap_or(0);
        self.number(u32::try_from(nanos >> 32).unwrap_or(u32::MAX));
        self.number(u32::try_from(nanos & 0xffff_ffff).unwrap_or(u32::MAX));
    }

    fn number(&mut self, number: u32) {
        self.block.extend_from_slice(&number.to_le_bytes());
    }

    fn padded(&mut self, octets: &[u8]) {
        self.block.extend_from_slice(octets);
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    /// An option; a value that is too long for one is cut.
    fn option(&mut self, code: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.block.extend_from_slice(&code.to_le_bytes());
        self.block.extend_from_slice(&length.to_le_bytes());
        self.padded(value.get(..usize::from(length)).unwrap_or_default());
    }
}

impl<W: Write> PcapWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of `out`, here and below.
    pub fn new(mut out: W, link: LinkType) -> io::Result<Self> {
        out.write_all(&0xa1b2_3c4d_u32.to_le_bytes())?;
        out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        out.write_all(&262_144_u32.to_le_bytes())?;
        out.write_all(&u32::from(link.0).to_le_bytes())?;
        Ok(Self { out })
    }

    /// Writes one packet. Times before 1970 become 1970, those after 2106 the last second.
    ///
    /// # Errors
    /// Those of `out`, and `InvalidInput` for more than 64 MiB.
    pub fn packet(&mut self, ts: Ts, original: u32, octets: &[u8]) -> io::Result<()> {
        let nanos = ts.nanos().max(0);
        let second = u32::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(u32::MAX);
        let fraction = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0);
        for number in [second, fraction, length(octets)?, original] {
            self.out.write_all(&number.to_le_bytes())?;
        }
        self.out.write_all(octets)
    }

    /// Hands the output back, flushed.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// The length of what a block can hold.
fn length(octets: &[u8]) -> io::Result<u32> {
    u32::try_from(octets.len())
        .ok()
        .filter(|length| *length <= super::facts::MAX_RECORD)
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}
