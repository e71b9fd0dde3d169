//! What may be said to `overhear live`. Letters are those of tcpdump, dumpcap and tshark.

use std::path::PathBuf;

use clap::Args;

use super::{FailOn, Secrets, lanes, packets};
use crate::cli::limits;

const LIVE: &str = "\
Examples:
  overhear live -i eth0                      calls and findings as they happen
  overhear live -i eth0 -f 'udp or tcp' -w tap.pcapng -a duration:3600
  overhear live -i any --ndjson - -q         a line of JSON for each

Capturing needs the capability CAP_NET_RAW:
  sudo setcap cap_net_raw+ep \"$(command -v overhear)\"";

#[derive(Debug, Args)]
#[command(after_help = LIVE)]
pub(in crate::cli) struct Live {
    /// An interface, or any for all of them (repeatable)
    #[arg(short = 'i', short_alias = 'd', long = "interface", value_name = "IFACE")]
    pub(in crate::cli) interfaces: Vec<String>,
    /// List the interfaces
    #[arg(short = 'D', long)]
    pub(in crate::cli) list_interfaces: bool,
    /// Only packets that pass this filter, in the language of tcpdump
    #[arg(short = 'f', long, value_name = "BPF", conflicts_with = "words")]
    pub(in crate::cli) filter: Option<String>,
    /// The same as -f, as trailing words
    #[arg(last = true, value_name = "BPF")]
    pub(in crate::cli) words: Vec<String>,
    /// Write the packets as pcapng, in the order in which they are examined
    #[arg(short = 'w', long, value_name = "FILE")]
    pub(in crate::cli) write: Option<PathBuf>,
    /// Stop after so many packets
    #[arg(short = 'c', value_name = "N", value_parser = packets)]
    pub(in crate::cli) count: Option<u64>,
    /// Stop after duration:SECONDS, packets:N or filesize:KB (repeatable)
    #[arg(short = 'a', long, value_name = "LIMIT", value_parser = autostop)]
    pub(in crate::cli) autostop: Vec<Autostop>,
    /// Write the report at the end as JSON; - for stdout
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) json: Option<PathBuf>,
    /// Write calls, streams and findings as they end, a line of JSON each
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ndjson: Option<PathBuf>,
    /// The name in these lines [default: the host's]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) sensor: Option<String>,
    /// Octets of each packet to capture
    #[arg(short = 's', value_name = "OCTETS", default_value_t = 262_144)]
    #[arg(value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub(in crate::cli) snap_length: u32,
    /// Mebibytes that the kernel may hold for each interface
    #[arg(short = 'B', long, value_name = "MIB", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=2_047))]
    pub(in crate::cli) buffer_size: u32,
    /// Only what is addressed to this host
    #[arg(short = 'p', long)]
    pub(in crate::cli) no_promiscuous_mode: bool,
    #[command(flatten)]
    pub(in crate::cli) secrets: Secrets,
    /// Worker threads [default: as many as cores]
    #[arg(long, value_name = "N", value_parser = lanes)]
    pub(in crate::cli) lanes: Option<usize>,
    /// No colours
    #[arg(long)]
    pub(in crate::cli) no_color: bool,
    /// Print nothing but what is asked for
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
    /// Never resolve names (we never do)
    #[arg(short = 'n')]
    pub(in crate::cli) numeric: bool,
    /// Set a table's cap, e.g. streams=50000 (advanced, repeatable)
    #[arg(long, value_name = "TABLE=N", value_parser = limits::setting)]
    pub(in crate::cli) limit: Vec<limits::Setting>,
    /// Exit with 1 if a finding is at least this severe
    #[arg(long, value_name = "SEVERITY")]
    pub(in crate::cli) fail_on: Option<FailOn>,
}

/// When a capture ends by itself.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(in crate::cli) enum Autostop {
    /// After so many seconds.
    Duration(f64),
    /// After so many packets.
    Packets(u64),
    /// After so many units of 1,000 octets written, as dumpcap counts them.
    FileSize(u64),
}

/// `duration:S`, `packets:N`, `filesize:KB`.
fn autostop(text: &str) -> Result<Autostop, String> {
    let known = || "duration:SECONDS, packets:N or filesize:KB is needed".to_owned();
    let (name, value) = text.split_once(':').ok_or_else(known)?;
    match name {
        "duration" => value.parse().ok().filter(|s| *s > 0.0 && *s < 1e9).map(Autostop::Duration),
        "packets" => packets(value).ok().map(Autostop::Packets),
        "filesize" => packets(value).ok().map(Autostop::FileSize),
        _ => None,
    }
    .ok_or_else(known)
}
