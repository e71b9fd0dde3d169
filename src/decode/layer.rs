//! The walk from the outermost header to a UDP datagram or TCP segment, one layer at a time.
//!
//! Each reader takes off one header, or a few that belong together, and says what comes next. There
//! is no recursion: a packet wrapped a hundred times costs [`STEPS`] steps at most, and is refused by
//! name at [`crate::policy::limits::TUNNEL_DEPTH`] tunnels.

use super::rest::Rest;
use super::tunnels::Path;
use super::{Decoded, Packet, Skip, ether, general, link, ppp, wlan};
use crate::model::frame::LinkType;

/// More headers than the deepest tunnels have.
const STEPS: usize = 64;

/// Which IP a header announces.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// Whatever the first four bits say.
    Either,
}

/// What the octets still to be read begin with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The header of this link type.
    Link(LinkType),
    /// An Ethernet header.
    Ethernet,
    /// What this ethertype announced.
    Ether(u16),
    /// An LLC header (IEEE 802.2).
    Llc,
    /// PPP, with or without address and control field.
    Ppp,
    /// An MPLS label.
    Mpls,
    /// An 802.11 header.
    Wlan,
    /// An IP header.
    Ip(Version),
}

/// What one reader found.
#[derive(Copy, Clone, Debug)]
pub(super) enum Step<'a> {
    /// More headers.
    Next(Next, Rest<'a>),
    /// What looks like a tunnel inside this datagram: if what is in there is malformed, it was none.
    Try(Next, Rest<'a>, Packet),
    /// The end of the walk.
    Done(Decoded),
}

/// What a reader answers.
pub(super) type Opened<'a> = Result<Step<'a>, Skip>;

/// Walks on from what a reader answered.
pub(super) fn walk(first: Opened<'_>, path: &mut Path) -> Decoded {
    let (mut step, mut plain) = (first, None);
    for _ in 0..STEPS {
        let (next, rest) = match step {
            Ok(Step::Next(next, rest)) => (next, rest),
            Ok(Step::Try(next, rest, packet)) => {
                plain = Some(packet);
                (next, rest)
            }
            Ok(Step::Done(decoded)) => return decoded,
            Err(skip) => {
                let plain = plain.filter(|_| skip.is_malformed());
                return plain.map_or(Decoded::Skipped(skip), Decoded::Packet);
            }
        };
        step = open(next, rest, path);
        if matches!(next, Next::Ip(_)) && step.is_ok() {
            plain = None;
        }
    }
    Decoded::Skipped(Skip::TunnelDepth)
}

fn open<'a>(next: Next, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    match next {
        Next::Link(link) => link::open(link, rest, path),
        Next::Ethernet => ether::ethernet(rest, path),
        Next::Ether(ethertype) => ether::typed(ethertype, rest, path),
        Next::Llc => ether::llc(rest),
        Next::Ppp => ppp::open(rest),
        Next::Mpls => ether::mpls(rest, path),
        Next::Wlan => wlan::open(rest, path),
        Next::Ip(version) => general::network(version, rest, path),
    }
}
