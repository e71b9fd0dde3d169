//! The recording that `-w` asks for.

use std::io::{self, Write};

use crate::capture::input::octets;
use crate::capture::write::PcapngWriter;
use crate::model::frame::LinkType;

/// Where packets are written down.
pub type Recorder = Box<dyn Write + Send>;

/// An output that knows how much went into it.
pub(super) struct Counting {
    pub(super) out: Recorder,
    pub(super) octets: u64,
}

impl Write for Counting {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let written = self.out.write(from)?;
        self.octets = self.octets.saturating_add(octets(written));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Begins the file: all interfaces are described in their order, so that their numbers agree.
pub(super) fn begin(
    out: Recorder,
    links: &[(String, LinkType)],
) -> io::Result<PcapngWriter<Counting>> {
    let out = Counting { out, octets: 0 };
    let mut writer = PcapngWriter::new(out, concat!("overhear ", env!("CARGO_PKG_VERSION")))?;
    for (name, link) in links {
        writer.interface_named(*link, name)?;
    }
    writer.flush()?;
    Ok(writer)
}
