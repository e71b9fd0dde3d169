//! `MEDIA-RTCP-CNAME-LEAK`: names that identify users or devices (RFC 7022).

use std::net::{Ipv4Addr, Ipv6Addr};

use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, printable, sentence};
use super::rtcp_name_leak::items;
use crate::model::addr::stable_hash;
use crate::model::finding::{Confidence, Figure};
use crate::model::id::{RecordId, RecordKey};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A CNAME in clear RTCP that holds an `@`, an address or the name of a host, or that stays the same
    /// over three calls and more.
    ///
    /// ## Why it matters
    /// It tells who the user is or which machine is used, and which calls are of one device, even where
    /// everything else is hidden. RFC 7022 asks for short-term random names.
    ///
    /// ## Evidence
    /// The first packets with such a name.
    ///
    /// ## False positives
    /// Random names that hold a dot or an `@`.
    ///
    /// ## Fix
    /// Let endpoints make a random CNAME for each session (RFC 7022), and encrypt RTCP.
    id: "MEDIA-RTCP-CNAME-LEAK",
    name: "media-rtcp-cname-leak",
    title: "RTCP in clear identifies users or devices",
    severity: Low ..= Low,
    status: Stable,
    wants: [MEDIA],
    references: ["RFC 7022 §4", "RFC 3550 §6.5.1"],
    remediation: super::FIX_METADATA,
    question: None,
    thresholds: ["cname_calls"],
    since: "0.1.0",
}

/// The item (RFC 3550 §6.5.1).
const CNAME: u8 = 1;

/// Tally: kinds of leak, one bit each. Distinct: names.
const KINDS: usize = 0;
const NAMES: usize = 0;

/// Why a name tells something.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Leak {
    User,
    Address,
    Host,
    Same,
}

/// The rule at work.
pub(crate) struct RtcpCnameLeak {
    calls: usize,
    /// Sender and name, with the calls that had it, up to as many as it takes.
    seen: HashMap<u64, Vec<RecordId>, foldhash::fast::FixedState>,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> RtcpCnameLeak {
    RtcpCnameLeak {
        calls: usize::try_from(policy.thresholds.media.cname_calls).unwrap_or(usize::MAX),
        seen: HashMap::default(),
        cap: policy.limits.peers,
        evicted: 0,
    }
}

impl RtcpCnameLeak {
    /// Whether the sender had this name in as many calls as it takes, this one included.
    fn stays(&mut self, of: u64, call: Option<RecordKey>) -> bool {
        let Some(call) = call else { return false };
        if !self.seen.contains_key(&of) && self.seen.len() >= self.cap {
            self.evicted += 1;
            return false;
        }
        let calls = self.seen.entry(of).or_default();
        if calls.len() < self.calls && !calls.contains(&call.id) {
            calls.push(call.id);
        }
        calls.len() >= self.calls
    }
}

impl Detector for RtcpCnameLeak {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let &MediaSeen::Rtcp { src, dst, at, octets, call } = seen else { return };
        for item in items(octets).filter(|item| item.kind == CNAME) {
            let of = stable_hash(&(src.addr, item.text));
            let leak = told(item.text).or_else(|| self.stays(of, call).then_some(Leak::Same));
            let Some(leak) = leak else { continue };
            let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), at)
                .confidence(Confidence::High)
                .kind(u32::from(leak as u8) << 1 | u32::from(src.addr <= dst.addr));
            let what = |_: &mut _| {
                let why = leak.spoken();
                (sentence!("RTCP {src} to {dst}: CNAME {}, {why}", printable(item.text, 64)), None)
            };
            sink.sighting(sighting, what)
                .mark(KINDS, 1 << (leak as u8))
                .distinct(NAMES, of)
                .call(call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "RTCP between {} tells its senders apart by {} in {}.",
                entry.subject.spoken(),
                plural(entry.distinct(NAMES), "name"),
                plural(entry.count, "packet"),
            ),
            parameters: vec![
                ("cname_calls", Figure::Count(self.calls as u64)),
                ("names", Figure::Count(entry.distinct(NAMES))),
                ("stays_the_same", Figure::Flag(entry.tally(KINDS) & 1 << (Leak::Same as u8) != 0)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("cnames", self.evicted)
    }
}

impl Leak {
    const fn spoken(self) -> &'static str {
        match self {
            Self::User => "a user",
            Self::Address => "an address",
            Self::Host => "a host",
            Self::Same => "the same in several calls",
        }
    }
}

/// Whether there is an address somewhere in it, perhaps with a port.
fn holds_address(text: &str) -> bool {
    let no_v4 = |c: char| !c.is_ascii_digit() && c != '.';
    let no_v6 = |c: char| !c.is_ascii_hexdigit() && c != ':';
    // Most names are of a kind that has neither, and come every five seconds.
    let has = |mark, times| text.bytes().filter(|octet| *octet == mark).count() >= times;
    has(b'.', 3) && text.split(no_v4).any(|word| word.parse::<Ipv4Addr>().is_ok())
        || has(b':', 2) && text.split(no_v6).any(|word| word.parse::<Ipv6Addr>().is_ok())
}

/// What a name gives away by itself.
fn told(name: &[u8]) -> Option<Leak> {
    let text = std::str::from_utf8(name).ok()?;
    if let Some((user, host)) = text.split_once('@') {
        return (!user.is_empty() && !host.is_empty()).then_some(Leak::User);
    }
    if holds_address(text) {
        return Some(Leak::Address);
    }
    let labels = || text.split('.');
    let legal = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let last = labels().next_back().unwrap_or_default();
    let host = labels().count() > 1
        && labels().all(legal)
        && last.len() > 1
        && last.chars().all(|c| c.is_ascii_lowercase());
    host.then_some(Leak::Host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_users_addresses_and_hosts() {
        assert_eq!(told(b"alice@10.0.0.5"), Some(Leak::User));
        for address in ["2001:db8::1", "[2001:db8::1]:4000", "10.0.0.1:5004", "pbx-192.0.2.7"] {
            assert_eq!(told(address.as_bytes()), Some(Leak::Address), "{address}");
        }
        assert_eq!(told(b"phone-7.example.org"), Some(Leak::Host));
        for random in [&b"ZG9udCBsb29r"[..], b"{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", b"", b"@"] {
            assert_eq!(told(random), None, "{random:?}");
        }
    }
}
