//! The cap of every table that input feeds, and what one entry costs.
//!
//! Tables of the lanes are divided over [`CELLS`] cells, each with its own share, so that a cap
//! bites at the same packet whatever the number of lanes. Reaching a cap evicts, counts under
//! `evicted.<table>` and raises `SENSOR-STATE-EVICTED`.

use crate::model::time::Span;

/// Cells that flows hash to. A lane runs the cells `c` with `c mod lanes` = its number.
pub const CELLS: usize = 64;

/// Tunnels inside each other that are passed through; a packet in more is `skipped` as `tunnel-depth`.
/// Real networks have three or four.
pub const TUNNEL_DEPTH: u8 = 8;

/// Calls, streams and handshakes listed in one finding's scope; the count goes on.
pub const FINDING_LINKS: usize = 100;

/// Sightings kept as evidence of one finding.
pub const FINDING_EVIDENCE: usize = 5;

/// Further sightings of the packet named in one piece of evidence.
pub const EVIDENCE_SIGHTINGS: usize = 8;

/// Octets of a packet quoted in one piece of evidence.
pub const EXCERPT_OCTETS: usize = 256;

/// The longest stream that is listened to, seconds: six hours.
pub const HEARD_SECONDS: u64 = 6 * 3_600;

/// Octets of payload kept of one stream that is listened to: G.711 of [`HEARD_SECONDS`] and half as
/// much again.
pub const HEARD_OCTETS: usize = 256 << 20;

/// Octets of payload kept of all streams that are listened to.
pub const HEARD_OCTETS_IN_ALL: usize = 1 << 30;

/// Caps and time-outs. Counts are entries unless the name says octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Live RTP streams and candidates.
    pub streams: usize,
    /// Streams whose verdict figures are being gathered. A look takes 64 packets, 1.3 s of a
    /// telephone call: 8,000 give 400,000 streams one each minute. Where more streams begin at
    /// once, some wait.
    pub armed: usize,
    /// Streams with digits, or with packets that contradict each other.
    pub noted: usize,
    /// Streams whose octets look random that are watched for packets sent again.
    pub replays: usize,
    /// Live UDP flows that carry STUN, DTLS or ZRTP.
    pub udp_flows: usize,
    /// Live TCP connections.
    pub tcp_flows: usize,
    /// Live SCTP associations.
    pub sctp_flows: usize,
    /// Flows between a TURN client and its server, and streams in them.
    pub turn_flows: usize,
    /// Senders of what may be SRTCP with an MKI, or without encryption.
    pub srtcp: usize,
    /// Flows of datagrams that are built like T.38's.
    pub udptl_flows: usize,
    /// Octets held by all cells for TCP reassembly and unfinished SIP messages.
    pub reassembly_octets: usize,
    /// Octets of TLS held by all cells for secrets that may come later in the capture.
    pub tls_retain: usize,
    /// Sessions of which secrets are kept: of key logs, and as many of blocks in captures.
    pub keylog_sessions: usize,
    /// Octets held by the dispatcher for IP fragments.
    pub fragment_octets: usize,
    /// Recent packets remembered to recognise mirror duplicates.
    pub duplicates: usize,
    /// Recent SIP transactions remembered to recognise retransmissions.
    pub transactions: usize,
    /// Live calls.
    pub calls: usize,
    /// Live registrations.
    pub registrations: usize,
    /// Live media announcements (one per m-line address).
    pub announcements: usize,
    /// Streams of which RTCP in clear spoke, until they end.
    pub rtcp: usize,
    /// SRTP keys that stood in signalling.
    pub srtp_keys: usize,
    /// Octets of the samples that wait for the keys of their streams.
    pub srtp_samples: usize,
    /// Ended streams that later ones are held against: so many, and as many of senders that their
    /// call did not announce.
    pub company: usize,
    /// Pairs of sockets between which ZRTP was seen.
    pub zrtp: usize,
    /// Scopes (pairs of peers) that one rule reports separately; the rest is one finding.
    pub findings_per_rule: usize,
    /// Peers whose request and response balance is watched.
    pub peers: usize,
    /// Servers and clients of TLS, and pairs of them, of which what they agree on is summed up.
    pub tls_peers: usize,
    /// Octets of finished records held in memory before they go to the spool.
    pub records_octets: usize,
    /// Octets of the spool: an unlinked temporary file.
    pub spool_octets: u64,
    /// Octets that one octet of a compressed source may become.
    pub unpack_ratio: u64,
    /// Octets that a compressed source may become.
    pub unpack_octets: u64,
    /// Octets that a zstd frame may look back, kept in memory for each source that is open.
    pub unpack_window: usize,
    /// Interfaces that a section of a source may describe.
    pub interfaces: usize,
    /// Silence after which a stream, a UDP flow or a half-open record has ended.
    pub idle: Span,
    /// Silence after which a TCP connection has ended.
    pub tcp_idle: Span,
    /// Wait for the rest of a fragmented datagram.
    pub fragment_wait: Span,
    /// How long a transaction is remembered: 64 × T1 (RFC 3261 §17).
    pub transaction_life: Span,
    /// How long a call is kept after its end, for what comes late.
    pub call_linger: Span,
    /// How long a challenged INVITE may wait for its credentials: somebody may have to type them.
    pub challenge_wait: Span,
    /// Silence after which a call without BYE has ended.
    pub call_idle: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A million, spread by hash: of 64 cells the fullest has four hundred more than its share.
            streams: 1_038_000,
            armed: 8_000,
            noted: 1_800,
            replays: 8_000,
            udp_flows: 60_000,
            tcp_flows: 30_000,
            sctp_flows: 4_000,
            turn_flows: 12_000,
            srtcp: 5_000,
            udptl_flows: 500,
            reassembly_octets: 24 << 20,
            tls_retain: 10 << 20,
            keylog_sessions: 200_000,
            fragment_octets: 8 << 20,
            duplicates: CELLS << 13,
            transactions: 330_000,
            calls: 502_000,
            registrations: 75_000,
            announcements: 1_004_000,
            rtcp: 15_000,
            srtp_keys: 16_000,
            srtp_samples: 12 << 20,
            company: 2_048,
            zrtp: 500,
            findings_per_rule: 1_000,
            peers: 7_200,
            tls_peers: 3_200,
            records_octets: 12 << 20,
            spool_octets: 16 << 30,
            unpack_ratio: 200,
            unpack_octets: 1 << 40,
            unpack_window: 128 << 20,
            interfaces: 65_536,
            idle: Span::from_secs(60),
            tcp_idle: Span::from_secs(3_600),
            fragment_wait: Span::from_secs(30),
            transaction_life: Span::from_secs(32),
            call_linger: Span::from_secs(32),
            challenge_wait: Span::from_secs(180),
            call_idle: Span::from_secs(6 * 3_600),
        }
    }
}

/// Finds fields by the names that people give them, which are their own.
macro_rules! named {
    ($(#[$doc:meta])+ $find:ident -> $kind:ty, $names:ident: $($field:ident)+) => {
        impl Limits {
            $(#[$doc])+
            pub fn $find(&mut self, name: &str) -> Option<&mut $kind> {
                match name {
                    $(stringify!($field) => Some(&mut self.$field),)+
                    _ => None,
                }
            }

            #[doc = concat!("The names that [`Self::", stringify!($find), "`] knows.")]
            pub const $names: &[&str] = &[$(stringify!($field)),+];
        }
    };
}

named! {
    /// The cap of a table or purse.
    cap -> usize, CAPS:
    streams armed noted replays udp_flows tcp_flows sctp_flows turn_flows srtcp udptl_flows
    reassembly_octets tls_retain fragment_octets duplicates transactions calls registrations
    announcements rtcp srtp_keys srtp_samples company zrtp peers tls_peers records_octets findings_per_rule
    unpack_window interfaces keylog_sessions
}

named! {
    /// A cap of what is not in memory.
    large_cap -> u64, LARGE_CAPS:
    spool_octets unpack_ratio unpack_octets
}

named! {
    /// How long something is waited for, or remembered.
    time -> Span, TIMES:
    idle tcp_idle fragment_wait transaction_life call_linger challenge_wait call_idle
}

/// One line of `--limits`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The table, as `evicted.<table>` and `[limits]` name it.
    pub table: &'static str,
    /// Entries at most; octets for a purse.
    pub cap: usize,
    /// Octets one entry costs; 1 for a purse.
    pub octets_each: usize,
}

impl Limits {
    /// A cell's share of `cap`: at least 1.
    pub fn per_cell(cap: usize) -> usize {
        (cap / CELLS).max(1)
    }

    /// Every table with its cap and the measured size of an entry (`tests/bounded.rs`). A stream
    /// that was looked at closely keeps 128 octets more; those under the look are in `armed`.
    pub fn rows(&self) -> Vec<Row> {
        let row = |table, cap, octets_each| Row { table, cap, octets_each };
        vec![
            row("streams", self.streams, 344),
            row("armed", self.armed, 2_360),
            row("noted", self.noted, 2_900),
            row("replays", self.replays, 250),
            row("udp_flows", self.udp_flows, 170),
            row("tcp_flows", self.tcp_flows, 960),
            row("sctp_flows", self.sctp_flows, 332),
            row("turn_flows", self.turn_flows, 500),
            row("srtcp", self.srtcp, 190),
            row("udptl_flows", self.udptl_flows, 400),
            row("reassembly_octets", self.reassembly_octets, 1),
            row("tls_retain", self.tls_retain, 1),
            row("fragment_octets", self.fragment_octets, 1),
            row("duplicates", self.duplicates, 24),
            row("transactions", self.transactions, 73),
            row("calls", self.calls, 632),
            row("registrations", self.registrations, 400),
            row("announcements", self.announcements, 158),
            row("rtcp", self.rtcp, 708),
            row("srtp_keys", self.srtp_keys, 480),
            row("srtp_samples", self.srtp_samples, 1),
            row("company", self.company, 340),
            row("zrtp", self.zrtp, 500),
            row("peers", self.peers, 670),
            row("tls_peers", self.tls_peers, 2_400),
            row("records_octets", self.records_octets, 1),
        ]
    }
}
