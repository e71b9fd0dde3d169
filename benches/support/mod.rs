//! What the benches run on: the first frames of the workloads in the folder that `OVERHEAR_WORKLOADS`
//! names, else a capture made from a scenario. Criterion repeats a piece of work, so captures are cut
//! to what one repetition should take; `benches/compare` measures whole files.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a bench that cannot run should stop there; each uses a part"
)]

use std::env;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use overhear::capture::{Chunk, OpenOptions, PcapWriter, Source};
use overhear::decode::{Decoded, decode};
use overhear::model::addr::Proto;
use overhear::model::frame::LinkType;
use overhear::scenario::compile;
use overhear_parsers::demux::{self, Kind};
use overhear_parsers::sip;
use tempfile::TempDir;

/// Frames that are taken from a workload at most.
const FRAMES: u64 = 200_000;

/// Four hundred calls with media and RTCP, registrations, and what else talks on such a network.
const CALLS: &str = "\
# Calls, registrations and their surroundings.
host alice 192.0.2.10
host bob   192.0.2.11
host pbx   198.51.100.5

call alice > pbx auth=digest codec=PCMU,G722,opus talk=2s repeat=200 every=25ms @0s
call pbx > bob codec=PCMA,PCMU talk=2s repeat=200 every=25ms @10ms
rtcp alice:40001 > pbx:50001 sr sdes=alice@pbx about=0x1234 lost=3 jitter=17 repeat=100 every=50ms @100ms
register alice > pbx auth=digest repeat=200 every=20ms @5ms
register bob > pbx transport=tcp auth=digest repeat=50 every=100ms @7ms
options pbx > bob repeat=100 every=50ms @15ms
tls bob > pbx repeat=20 every=200ms @20ms
dtls alice > pbx repeat=50 every=100ms @30ms
stun alice > pbx repeat=100 every=50ms @40ms
";

/// Captures to review, in a folder that goes when this does.
pub(crate) struct Captures {
    folder: TempDir,
    /// Name, file, frames.
    pub(crate) files: Vec<(String, PathBuf, u64)>,
}

impl Captures {
    /// The beginnings of the `names` that exist, else the scenario.
    pub(crate) fn new(names: &[&str]) -> Self {
        let mut captures = Self { folder: tempfile::tempdir().unwrap(), files: Vec::new() };
        let workloads = env::var_os("OVERHEAR_WORKLOADS").map(PathBuf::from);
        for name in names {
            let workload =
                workloads.as_ref().map(|folder| folder.join(name).with_extension("pcap"));
            if let Some(path) = workload.filter(|path| path.exists()) {
                captures.beginning(name, &path);
            }
        }
        if captures.files.is_empty() {
            captures.scenario();
        }
        captures
    }

    fn scenario(&mut self) {
        let scenario = compile(CALLS, "calls").unwrap();
        let path = self.folder.path().join("calls.pcap");
        scenario.write_pcap(&mut BufWriter::new(File::create(&path).unwrap())).unwrap();
        self.files.push(("calls".to_owned(), path, scenario.frames.len() as u64));
    }

    fn beginning(&mut self, name: &str, workload: &Path) {
        let path = self.folder.path().join(name).with_extension("pcap");
        let mut out = None;
        let mut count = 0;
        each_frame(workload, |frame, octets| {
            let link = frame.link.unwrap_or(LinkType::ETHERNET);
            let create =
                || PcapWriter::new(BufWriter::new(File::create(&path).unwrap()), link).unwrap();
            out.get_or_insert_with(create)
                .packet(frame.ts.unwrap(), frame.original, octets)
                .unwrap();
            count += 1;
            count < FRAMES
        });
        out.unwrap().finish().unwrap();
        self.files.push((name.to_owned(), path, count));
    }
}

/// Payloads by what they are.
#[derive(Default)]
pub(crate) struct Traffic {
    pub(crate) sip: Vec<Vec<u8>>,
    pub(crate) rtp: Vec<Vec<u8>>,
    pub(crate) rtcp: Vec<Vec<u8>>,
    pub(crate) stun: Vec<Vec<u8>>,
    pub(crate) dtls: Vec<Vec<u8>>,
    /// What TCP segments carry.
    pub(crate) tcp: Vec<Vec<u8>>,
}

impl Traffic {
    /// At most `most` payloads of each kind.
    pub(crate) fn of(path: &Path, most: usize) -> Self {
        let mut traffic = Self::default();
        each_frame(path, |frame, octets| {
            let Decoded::Packet(packet) = decode(frame.link, octets, frame.original) else {
                return true;
            };
            let payload = packet.payload(octets);
            let list = match (packet.proto, demux::classify(payload)) {
                (Proto::TCP, _) if !payload.is_empty() => &mut traffic.tcp,
                (Proto::TCP, _) => return true,
                (_, Kind::Rtp) => &mut traffic.rtp,
                (_, Kind::Rtcp) => &mut traffic.rtcp,
                (_, Kind::Stun) => &mut traffic.stun,
                (_, Kind::Dtls) => &mut traffic.dtls,
                _ if sip::probe(payload) => &mut traffic.sip,
                _ => return true,
            };
            if list.len() < most {
                list.push(payload.to_vec());
            }
            true
        });
        traffic
    }
}

/// Every frame, until `each` returns false.
fn each_frame(path: &Path, mut each: impl FnMut(&overhear::model::frame::RawFrame, &[u8]) -> bool) {
    let mut source = Source::open(path, &OpenOptions::default()).unwrap();
    let mut chunk = Chunk::default();
    while source.fill(&mut chunk, 512).unwrap() {
        for frame in &chunk.frames {
            if !each(frame, chunk.backing.frame(frame)) {
                return;
            }
        }
    }
}
