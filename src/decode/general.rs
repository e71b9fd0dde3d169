//! IPv4, IPv6 with extension headers, UDP and TCP, for every shape a frame can have.
//!
//! Reads RFC 791 §3.1, RFC 8200 §3 and §4, RFC 4302 §2 (authentication header, passed over),
//! RFC 768, RFC 9293 §3.1. The only file that names `etherparse`: its header slices are used step
//! by step, because its packet types are strict about lengths that captures routinely have wrong,
//! and read extension headers out of the middle of fragments.
//!
//! Tunnels (GRE, IP in IP, VXLAN, GTP-U, ...) will be opened in `layer4`, where a protocol
//! number or a UDP port is known; until then they are [`Skip::NotVoip`] or plain UDP.

use etherparse::{
    IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, UdpHeaderSlice,
};

use super::link::{Opened, Version};
use super::{Decoded, Fragment, FragmentKey, Network, Packet, Skip, Tcp, octets32};
use crate::model::addr::{Addr, Endpoint, Proto};

const HOP_BY_HOP: Proto = Proto(0);
const ROUTING: Proto = Proto(43);
const FRAGMENT: Proto = Proto(44);
const AUTHENTICATION: Proto = Proto(51);
const DESTINATION: Proto = Proto(60);

/// Extension headers read one after the other. RFC 8200 §4.1 knows seven places for them.
const MAX_EXTENSIONS: usize = 16;

/// A stretch of the frame still to be read: what is present of it and how long it was.
#[derive(Copy, Clone)]
struct Rest<'a> {
    /// Octets present.
    octets: &'a [u8],
    /// Offset of the first of them in the frame.
    at: u32,
    /// Octets on the wire; at least those present.
    wire: u32,
}

impl<'a> Rest<'a> {
    /// What is left past a header of `len` octets, of which fewer may be present.
    fn past(self, len: usize) -> Rest<'a> {
        let present = len.min(self.octets.len());
        Rest {
            octets: self.octets.get(present..).unwrap_or_default(),
            at: self.at.saturating_add(octets32(present)),
            wire: self.wire.saturating_sub(octets32(len)),
        }
    }

    /// The first `wire` octets, of which fewer may be present.
    fn cut(self, wire: u32) -> Rest<'a> {
        let present = usize::try_from(wire).unwrap_or(usize::MAX);
        Rest { octets: self.octets.get(..present).unwrap_or(self.octets), at: self.at, wire }
    }
}

/// Reads the packet of a frame whose link header was read.
pub fn network(opened: &Opened, frame: &[u8], original_len: u32) -> Decoded {
    let wire = original_len.max(octets32(frame.len()));
    let rest = Rest { octets: frame, at: 0, wire }.past(opened.at);
    let version = match (opened.version, rest.octets.first().map_or(0, |first| first >> 4)) {
        (Version::V4 | Version::Either, 4) => Version::V4,
        (Version::V6 | Version::Either, 6) => Version::V6,
        _ => return Decoded::Skipped(Skip::MalformedNetwork),
    };
    let read = if version == Version::V4 { ipv4 } else { ipv6 };
    read(rest, opened.link_hash).unwrap_or_else(Decoded::Skipped)
}

/// Reads a datagram joined from fragments; a fragment inside one is malformed.
pub fn joined(network: &Network, octets: &[u8], wire_len: u32) -> Decoded {
    let rest = Rest { octets, at: 0, wire: wire_len.max(octets32(octets.len())) };
    match extensions(*network, rest) {
        Ok(Decoded::Fragment(_)) => Decoded::Skipped(Skip::MalformedNetwork),
        Ok(decoded) => decoded,
        Err(skip) => Decoded::Skipped(skip),
    }
}

/// RFC 791 §3.1.
fn ipv4(rest: Rest<'_>, link_hash: u32) -> Result<Decoded, Skip> {
    let header = Ipv4HeaderSlice::from_slice(rest.octets).map_err(|_| Skip::MalformedNetwork)?;
    let header_len = header.slice().len();
    let rest = match u32::from(header.total_len()) {
        0 => rest,
        total if total < octets32(header_len) => return Err(Skip::MalformedNetwork),
        total => rest.cut(total),
    };
    let network = Network {
        src: Addr::v4(header.source()),
        dst: Addr::v4(header.destination()),
        proto: Proto(header.protocol().0),
        ip_id: header.identification(),
        has_ip_id: true,
        ttl: header.ttl(),
        dscp: header.dcp().value(),
        link_hash,
    };
    let data = rest.past(header_len);
    if header.is_fragmenting_payload() {
        let ident = u32::from(network.ip_id);
        let key = FragmentKey { src: network.src, dst: network.dst, proto: network.proto, ident };
        let place = (header.fragments_offset().value(), header.more_fragments());
        return Ok(fragment(network, key, place, data));
    }
    extensions(network, data)
}

/// RFC 8200 §3.
fn ipv6(rest: Rest<'_>, link_hash: u32) -> Result<Decoded, Skip> {
    let header = Ipv6HeaderSlice::from_slice(rest.octets).map_err(|_| Skip::MalformedNetwork)?;
    let data = rest.past(header.slice().len());
    let data = match u32::from(header.payload_length()) {
        0 => data,
        len => data.cut(len),
    };
    let network = Network {
        src: Addr::v6(header.source()),
        dst: Addr::v6(header.destination()),
        proto: Proto(header.next_header().0),
        ip_id: 0,
        has_ip_id: false,
        ttl: header.hop_limit(),
        dscp: header.dscp().value(),
        link_hash,
    };
    extensions(network, data)
}

/// Walks extension headers (RFC 8200 §4) in whatever order they come, then reads the transport.
///
/// Order and repetition are the sender's business: a tap that is stricter than the receiver would
/// be blind where the receiver is not.
fn extensions(mut network: Network, mut rest: Rest<'_>) -> Result<Decoded, Skip> {
    let malformed = Skip::MalformedNetwork;
    for _ in 0..MAX_EXTENSIONS {
        let (next, len) = match network.proto {
            // In IPv4, protocol 0 is no header at all.
            HOP_BY_HOP | ROUTING | DESTINATION if !network.has_ip_id => {
                let header =
                    Ipv6RawExtHeaderSlice::from_slice(rest.octets).map_err(|_| malformed)?;
                (header.next_header(), header.slice().len())
            }
            AUTHENTICATION => {
                let header = IpAuthHeaderSlice::from_slice(rest.octets).map_err(|_| malformed)?;
                (header.next_header(), header.slice().len())
            }
            FRAGMENT if !network.has_ip_id => {
                let header =
                    Ipv6FragmentHeaderSlice::from_slice(rest.octets).map_err(|_| malformed)?;
                let (next, len) = (header.next_header(), header.slice().len());
                // Offset 0 and no more to come is an atomic fragment, RFC 6946: a whole packet.
                if header.is_fragmenting_payload() {
                    let key = FragmentKey {
                        src: network.src,
                        dst: network.dst,
                        proto: FRAGMENT,
                        ident: header.identification(),
                    };
                    let place = (header.fragment_offset().value(), header.more_fragments());
                    let network = Network { proto: Proto(next.0), ..network };
                    return Ok(fragment(network, key, place, rest.past(len)));
                }
                (next, len)
            }
            _ => return layer4(&network, rest),
        };
        network.proto = Proto(next.0);
        rest = rest.past(len);
    }
    Err(malformed)
}

/// A fragment at `place` (offset in units of 8 octets, more to come).
fn fragment(network: Network, key: FragmentKey, place: (u16, bool), data: Rest<'_>) -> Decoded {
    let (units, more) = place;
    Decoded::Fragment(Fragment {
        key,
        offset: u32::from(units).saturating_mul(8),
        more,
        at: data.at,
        len: octets32(data.octets.len()),
        wire_len: data.wire,
        network,
    })
}

/// What the last IP header announced. The protocol numbers of tunnels belong here too.
fn layer4(network: &Network, rest: Rest<'_>) -> Result<Decoded, Skip> {
    match network.proto {
        Proto::UDP => udp(network, rest),
        Proto::TCP => tcp(network, rest),
        _ => Err(Skip::NotVoip),
    }
}

/// RFC 768.
fn udp(network: &Network, rest: Rest<'_>) -> Result<Decoded, Skip> {
    let header = UdpHeaderSlice::from_slice(rest.octets).map_err(|_| Skip::MalformedTransport)?;
    let rest = match u32::from(header.length()) {
        0 => rest,
        1..8 => return Err(Skip::MalformedTransport),
        len => rest.cut(len),
    };
    let ports = (header.source_port(), header.destination_port());
    Ok(packet(network, ports, Tcp::default(), rest, header.slice().len()))
}

/// RFC 9293 §3.1.
fn tcp(network: &Network, rest: Rest<'_>) -> Result<Decoded, Skip> {
    let malformed = Skip::MalformedTransport;
    // The fixed part is enough: options may be cut off, and nothing here reads them.
    let &[s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, ..] =
        rest.octets.first_chunk::<20>().ok_or(malformed)?;
    let header_len = usize::from(offset >> 4).saturating_mul(4);
    if header_len < 20 || octets32(header_len) > rest.wire {
        return Err(malformed);
    }
    let tcp = Tcp {
        seq: u32::from_be_bytes([q0, q1, q2, q3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        flags,
    };
    let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    Ok(packet(network, ports, tcp, rest, header_len))
}

/// The packet whose transport header takes the first `header_len` octets of `l4`.
fn packet(
    network: &Network,
    ports: (u16, u16),
    tcp: Tcp,
    l4: Rest<'_>,
    header_len: usize,
) -> Decoded {
    let payload = l4.past(header_len);
    let payload_len = octets32(payload.octets.len());
    Decoded::Packet(Packet {
        src: Endpoint::new(network.src, ports.0),
        dst: Endpoint::new(network.dst, ports.1),
        proto: network.proto,
        l4_at: l4.at,
        l4_len: octets32(l4.octets.len()),
        payload_at: payload.at,
        payload_len,
        wire_payload_len: payload.wire.max(payload_len),
        ip_id: network.ip_id,
        has_ip_id: network.has_ip_id,
        ttl: network.ttl,
        dscp: network.dscp,
        clipped: payload_len < payload.wire,
        link_hash: network.link_hash,
        tcp,
        fragment: None,
    })
}
