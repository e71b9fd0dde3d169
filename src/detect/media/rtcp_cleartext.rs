//! `MEDIA-RTCP-CLEARTEXT`: reports about media that anyone on the path can read, and forge
//! (RFC 3550 §6, §9; RFC 3711 §3.4).

use overhear_parsers::rtcp::{Body, Packets};

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{MediaSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::addr::stable_hash;
use crate::model::finding::{Figure, Severity};
use crate::model::record::Protection;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// RTCP compound packets in clear: every part is RTCP and the parts end where the datagram
    /// ends.
    ///
    /// ## Why it matters
    /// The reports tell who sends media to whom, since when, how much and how well it arrives, and
    /// source descriptions may name people and hosts. Nothing authenticates them: a forged BYE ends
    /// a stream. Medium; high where the media itself is SRTP, whose reports were meant to be
    /// protected with it (RFC 3711 makes SRTCP's authentication mandatory).
    ///
    /// ## Evidence
    /// The first packets between two hosts with what they contain, and their senders.
    ///
    /// ## False positives
    /// A capture taken where a tunnel ends. Gateways that end SRTP and make RTCP of their own on
    /// the clear side: the two sides are two pairs of hosts.
    ///
    /// ## Fix
    /// Use SRTP with SRTCP, without UNENCRYPTED_SRTCP.
    id: "MEDIA-RTCP-CLEARTEXT",
    name: "media-rtcp-cleartext",
    title: "RTCP can be read and forged",
    severity: Medium ..= High,
    status: Stable,
    wants: [MEDIA, REPORTED],
    references: ["RFC 3550 §9.1", "RFC 3711 §3.4", "RFC 4568 §6.3.2"],
    remediation: "Protect RTCP together with RTP: SRTP profiles (RTP/SAVP, RTP/SAVPF) carry SRTCP. Where the media is encrypted already, find the element that sends RTCP outside of it.",
    question: Some("SRTP"),
    thresholds: [],
    since: "0.1.0",
}

/// Tally: report blocks; goodbyes; SRTP streams that the reports were about.
const BLOCKS: usize = 0;
const BYES: usize = 1;
const ENCRYPTED: usize = 2;
/// Distinct: senders.
const SENDERS: usize = 0;

/// The rule at work.
pub(crate) struct RtcpCleartext;

pub(crate) fn new(_: &Policy) -> RtcpCleartext {
    RtcpCleartext
}

/// What one compound packet contains.
#[derive(Default)]
struct Contents {
    sender: Option<u32>,
    reports: u64,
    blocks: u64,
    descriptions: u64,
    byes: u64,
    others: u64,
}

impl Contents {
    fn of(octets: &[u8]) -> Self {
        let mut contents = Self::default();
        for packet in Packets::new(octets) {
            match packet.decode() {
                Body::SenderReport { ssrc, reports, .. }
                | Body::ReceiverReport { ssrc, reports } => {
                    contents.sender.get_or_insert(ssrc);
                    contents.reports += 1;
                    contents.blocks += u64::try_from(reports.count()).unwrap_or(0);
                }
                Body::Sdes(_) => contents.descriptions += 1,
                Body::Bye { .. } => contents.byes += 1,
                Body::ExtendedReport { .. } | Body::Other => contents.others += 1,
            }
        }
        contents
    }

    /// `1 report with 1 block, 1 source description`.
    fn words(&self) -> String {
        let mut words = Vec::new();
        if self.reports > 0 {
            let blocks = plural(self.blocks, "block");
            words.push(format!("{} with {blocks}", plural(self.reports, "report")));
        }
        let rest = [
            (self.descriptions, "source description"),
            (self.byes, "goodbye"),
            (self.others, "other part"),
        ];
        let rest = rest.into_iter().filter(|(count, _)| *count > 0);
        words.extend(rest.map(|(count, what)| plural(count, what).to_string()));
        words.join(", ")
    }
}

impl Detector for RtcpCleartext {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let MediaSeen::Rtcp { src, dst, at, octets, call } = *seen else { return };
        let contents = Contents::of(octets);
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), at)
            .severity(Severity::Medium)
            .kind(u32::from(src.addr <= dst.addr));
        let hit = sink
            .sighting(sighting, |_| (sentence!("RTCP {src} to {dst}: {}", contents.words()), None));
        let hit = hit.add(BLOCKS, contents.blocks).add(BYES, contents.byes).call(call);
        if let Some(ssrc) = contents.sender {
            let _ = hit.distinct(SENDERS, stable_hash(&(src.addr, ssrc)));
        }
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let protected = !matches!(record.protection, Protection::Cleartext | Protection::Unknown);
        if seen.lookalike || !protected || record.rtcp.is_none() {
            return;
        }
        let subject = Subject::pair(record.src.addr, record.dst.addr);
        if let Some(hit) = sink.concerns(&META, subject, Severity::High) {
            let _ = hit.add(ENCRYPTED, 1).stream(seen.key).call(seen.call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (senders, encrypted) = (entry.distinct(SENDERS), entry.tally(ENCRYPTED));
        // Goodbyes and parts of other kinds name no sender of a report.
        let of = match senders {
            0 => String::new(),
            n => sentence!(" of {}", plural(n, "source")),
        };
        let beside = match encrypted {
            0 => String::new(),
            n => sentence!(", beside {}", plural(n, "encrypted stream")),
        };
        Words {
            summary: sentence!(
                "{} in clear{of} between {}{beside}: who speaks when and how well it arrives can \
                 be read, and goodbyes can be forged.",
                plural(entry.count, "RTCP packet"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("packets", Figure::Count(entry.count)),
                ("sources", Figure::Count(senders)),
                ("report_blocks", Figure::Count(entry.tally(BLOCKS))),
                ("goodbyes", Figure::Count(entry.tally(BYES))),
                ("encrypted_streams", Figure::Count(encrypted)),
            ],
        }
    }
}
