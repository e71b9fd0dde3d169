//! The sources as the report lists them, with what they say of drops and cuts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::capture::{Filter, Format, Merge, SourceFacts, Via};
use crate::model::capture::{CaptureRecord, Counts, SourceRecord};
use crate::model::frame::LinkType;
use crate::model::time::{Span, Ts};
use crate::track::shared::Openings;

use super::offset::Offsets;

/// One record a source.
pub(super) fn records(merge: &Merge, offsets: &Offsets, hash: bool) -> Vec<SourceRecord> {
    // Nothing was measured of interfaces.
    let facts = merge.facts().zip(offsets.each().chain(std::iter::repeat(None)));
    facts.map(|(facts, offset)| record(&facts, offset, hash)).collect()
}

/// The sources that can be read a second time: which they are, and where.
pub(super) fn readable_again(merge: &Merge) -> (Vec<u16>, Vec<PathBuf>) {
    let sources = (0..).zip(merge.sources()).filter(|(_, source)| source.reads_again());
    sources.map(|(index, source)| (index, source.path().to_path_buf())).unzip()
}

/// The earliest and the latest time of all sources, by one clock.
pub(super) fn span(records: &[SourceRecord]) -> (Option<Ts>, Option<Ts>) {
    let told = |time: Option<Ts>, of: &SourceRecord| {
        time.map(|time| time.minus(of.clock_offset.unwrap_or_default()))
    };
    (
        records.iter().filter_map(|of| told(of.first_packet, of)).min(),
        records.iter().filter_map(|of| told(of.last_packet, of)).max(),
    )
}

/// Frames that the capturing hosts lost, by what they call it.
pub(super) fn dropped(merge: &Merge) -> BTreeMap<&'static str, u64> {
    let mut dropped = BTreeMap::new();
    for facts in merge.facts() {
        let said = facts.statistics;
        for (reason, count) in [
            ("interface", said.interface_drops),
            ("kernel", said.system_drops),
            ("before-packet", said.drops_before_packets),
        ] {
            if let Some(count) = count.filter(|count| *count > 0) {
                *dropped.entry(reason).or_default() += count;
            }
        }
    }
    dropped
}

/// What was left out because the user wanted it so, or because a filter cannot be applied.
pub(super) fn left_out(merge: &Merge, packets: u64) -> Vec<String> {
    let Some(taken) = merge.taken() else { return Vec::new() };
    let selection = merge.selection();
    let mut limits = Vec::new();
    let out = packets.saturating_sub(taken.frames);
    if out > 0 {
        limits.push(format!(
            "{out} of {packets} packets were left out by --from, --to or -f; what they held is not \
             in this report."
        ));
    }
    if selection.packets == Some(taken.frames) {
        limits.push(format!(
            "Reading ended after {} packets, as -c asked; what follows is not in this report.",
            taken.frames
        ));
    }
    for (link, why, frames) in selection.filter.iter().flat_map(Filter::refused) {
        limits.push(format!(
            "The filter cannot be applied to link type {} ({why}); its {frames} packets were left \
             out.",
            link_name(link)
        ));
    }
    limits
}

/// What cannot be known from this capture, as far as the sources decide it.
pub(super) fn limits(capture: &CaptureRecord, counts: &Counts, openings: &Openings) -> Vec<String> {
    let mut limits = Vec::new();
    for source in &capture.sources {
        if source.truncated {
            let fault = source.fault.as_deref().unwrap_or("it ends before it should");
            limits.push(format!("{} was read up to a fault: {fault}.", source.path));
        }
        if let Some(refused) = source.oddities.get("excess-interface") {
            limits.push(format!(
                "{refused} interfaces of {} were more than are kept (--limit interfaces=N); their \
                 packets were not looked at.",
                source.path
            ));
        }
        if source.clipped_packets > 0 {
            limits.push(format!(
                "{} packets of {} were cut by the snap length; what stood behind the cut is unknown.",
                source.clipped_packets, source.path
            ));
        }
    }
    if !capture.dropped.is_empty() {
        let lost: u64 = capture.dropped.values().sum();
        limits.push(format!("The capturing host says that it lost {lost} packets."));
    }
    let sessions = counts.tls_handshakes.saturating_add(openings.over_sctp);
    let opened = openings.tls.opened;
    if opened == 0 && sessions > 0 {
        limits.push("What travelled inside TLS, SRTP keys included, was not readable.".to_owned());
    } else if opened < sessions {
        limits.push(format!(
            "What travelled inside {} of {sessions} TLS sessions, SRTP keys included, was not readable.",
            sessions - opened
        ));
    }
    if openings.renewed > 0 {
        limits.push(format!(
            "DTLS over UDP agreed on keys once more {} times, encrypted: what was agreed on then is not known.",
            openings.renewed
        ));
    }
    limits
}

fn record(facts: &SourceFacts, offset: Option<Span>, hash: bool) -> SourceRecord {
    SourceRecord {
        path: facts.path.to_string_lossy().into_owned(),
        format: match facts.format {
            Format::Pcap => "pcap",
            Format::PcapNg => "pcapng",
        }
        .to_owned(),
        via: match facts.via {
            Via::File => "file",
            Via::Stdin => "stdin",
            Via::Live => "live",
        }
        .to_owned(),
        compression: facts.compression.name().to_owned(),
        sha256: hash.then(|| sha256(&facts.path)).flatten(),
        bytes: facts.octets,
        clock_offset: offset,
        packets: facts.packets,
        link_types: facts.link_types.iter().map(|link| link_name(*link)).collect(),
        first_packet: facts.first_packet,
        last_packet: facts.last_packet,
        truncated: facts.truncated.is_some(),
        fault: facts.truncated.map(|fault| fault.to_string()),
        clipped_packets: facts.clipped_packets,
        oddities: oddities(facts),
    }
}

fn link_name(link: LinkType) -> String {
    link.name().map_or_else(|| link.0.to_string(), str::to_owned)
}

fn oddities(facts: &SourceFacts) -> BTreeMap<String, u64> {
    let odd = facts.oddities;
    let named = [
        ("bad-trailing-length", odd.bad_trailing_lengths),
        ("skipped-block", odd.skipped_blocks),
        ("lying-snap-length", odd.lying_snap_lengths),
        ("damaged-record", odd.damaged_records),
        ("undeclared-interface", odd.undeclared_interfaces),
        ("short-original-length", odd.short_originals),
        ("excess-interface", odd.excess_interfaces),
    ];
    let some = named.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(name, count)| (name.to_owned(), count)).collect()
}

/// SHA-256 of a file, or `None` where it cannot be read a second time (standard input).
fn sha256(path: &Path) -> Option<String> {
    let mut file = std::fs::File::open(path).ok()?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(read) => hasher.update(block.get(..read)?),
            Err(_) => return None,
        }
    }
    let mut text = String::with_capacity(64);
    for octet in hasher.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    Some(text)
}
