//! Where frames go: one counter for every way to be handled or skipped.

use super::capture::Accounting;

/// The protocol of a frame's flow.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Handled {
    /// SIP over UDP, TCP or SCTP, keep-alives of its flow included.
    Sip,
    /// RTP, encrypted or not.
    Rtp,
    /// RTCP in clear.
    Rtcp,
    /// RTCP that looks encrypted.
    Srtcp,
    /// STUN.
    Stun,
    /// TLS, readable or not.
    Tls,
    /// DTLS.
    Dtls,
    /// ZRTP.
    Zrtp,
    /// TURN channel data that carries nothing of ours, and TURN over TCP.
    Turn,
    /// HEP: copies that a capture agent sent, whatever they are of.
    Hep,
    /// SIP over WebSocket.
    Ws,
    /// MSRP.
    Msrp,
    /// T.38 in UDPTL.
    T38,
}

/// Why a frame was not looked into further.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Skipped {
    /// Neither IPv4 nor IPv6: ARP, LLDP, ...
    NotIp,
    /// IP, but nothing of ours: DNS, HTTP, ICMP, ...
    NotVoip,
    /// Passed an RTP header check but never behaved like a stream.
    Lookalike,
    /// The same frame had been seen already.
    Duplicate,
    /// A fragment whose datagram never became whole.
    FragmentIncomplete,
    /// The file's record contradicts itself.
    MalformedCapture,
    /// The link header is cut or wrong.
    MalformedLink,
    /// The IP header is cut or wrong.
    MalformedNetwork,
    /// The UDP or TCP header is cut or wrong.
    MalformedTransport,
    /// No decoder for this link type.
    UnsupportedLink,
    /// A TCP connection that ended before it showed what it was.
    Unclassified,
    /// The header of a tunnel is cut or wrong.
    MalformedTunnel,
    /// In more tunnels than are passed through.
    TunnelDepth,
    /// Encrypted below the transport: 802.11, PPP, `MACsec`, ESP.
    Encrypted,
    /// Left out by `--from`, `--to` or `-f`.
    Filtered,
}

const HANDLED: [(Handled, &str); 13] = [
    (Handled::Sip, "sip"),
    (Handled::Rtp, "rtp"),
    (Handled::Rtcp, "rtcp"),
    (Handled::Srtcp, "srtcp"),
    (Handled::Stun, "stun"),
    (Handled::Tls, "tls"),
    (Handled::Dtls, "dtls"),
    (Handled::Zrtp, "zrtp"),
    (Handled::Turn, "turn"),
    (Handled::Hep, "hep"),
    (Handled::Ws, "ws"),
    (Handled::Msrp, "msrp"),
    (Handled::T38, "t38"),
];

const SKIPPED: [(Skipped, &str); 15] = [
    (Skipped::NotIp, "not-ip"),
    (Skipped::NotVoip, "not-voip"),
    (Skipped::Lookalike, "lookalike"),
    (Skipped::Duplicate, "duplicate"),
    (Skipped::FragmentIncomplete, "fragment-incomplete"),
    (Skipped::MalformedCapture, "malformed-capture"),
    (Skipped::MalformedLink, "malformed-link"),
    (Skipped::MalformedNetwork, "malformed-network"),
    (Skipped::MalformedTransport, "malformed-transport"),
    (Skipped::UnsupportedLink, "unsupported-link"),
    (Skipped::Unclassified, "unclassified"),
    (Skipped::MalformedTunnel, "malformed-tunnel"),
    (Skipped::TunnelDepth, "tunnel-depth"),
    (Skipped::Encrypted, "encrypted"),
    (Skipped::Filtered, "filtered"),
];

/// Frame counts by destination; each frame is booked exactly once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    handled: [u64; HANDLED.len()],
    skipped: [u64; SKIPPED.len()],
}

impl Tally {
    /// Books `frames` as handled.
    pub fn handled(&mut self, by: Handled, frames: u64) {
        if let Some(count) = self.handled.get_mut(usize::from(by as u8)) {
            *count += frames;
        }
    }

    /// Books `frames` as skipped.
    pub fn skipped(&mut self, why: Skipped, frames: u64) {
        if let Some(count) = self.skipped.get_mut(usize::from(why as u8)) {
            *count += frames;
        }
    }

    /// Adds another tally to this one.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.handled.iter_mut().zip(other.handled) {
            *mine += theirs;
        }
        for (mine, theirs) in self.skipped.iter_mut().zip(other.skipped) {
            *mine += theirs;
        }
    }

    /// The report's form: only what is not zero.
    pub fn accounting(&self) -> Accounting {
        fn named<K>(names: &[(K, &'static str)], counts: &[u64]) -> Vec<(&'static str, u64)> {
            let named = names.iter().map(|(_, name)| *name).zip(counts.iter().copied());
            named.filter(|(_, count)| *count > 0).collect()
        }
        Accounting {
            handled: named(&HANDLED, &self.handled).into_iter().collect(),
            skipped: named(&SKIPPED, &self.skipped).into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_variants() {
        for (place, (variant, name)) in HANDLED.iter().enumerate() {
            assert_eq!(place, usize::from(*variant as u8), "{name}");
        }
        for (place, (variant, name)) in SKIPPED.iter().enumerate() {
            assert_eq!(place, usize::from(*variant as u8), "{name}");
        }
    }

    #[test]
    fn the_sum_is_what_was_booked() {
        let mut tally = Tally::default();
        tally.handled(Handled::Turn, 3);
        tally.skipped(Skipped::Unclassified, 2);
        let mut twice = tally.clone();
        twice.add(&tally);
        assert_eq!(twice.accounting().total(), 10);
    }
}
