//! IPv4, IPv6 with extension headers, UDP, TCP and SCTP, for every shape a frame can have.
//!
//! Reads RFC 791 §3.1, RFC 8200 §3 and §4, RFC 4302 §2 (authentication header, passed over),
//! RFC 768, RFC 9293 §3.1. The only file that names `etherparse`: its header slices are used step
//! by step, because its packet types are strict about lengths that captures routinely have wrong,
//! and read extension headers out of the middle of fragments.
//!
//! Tunnels are entered in [`transport`], where a protocol number or a UDP port is known: IP in IP
//! (RFC 2003, RFC 4213, RFC 2473) here, the others in files of their own.

use etherparse::{
    IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, UdpHeaderSlice,
};

use super::datagram::{self, Inside};
use super::hep::Hep;
use super::layer::{self, Next, Opened, Step, Version};
use super::rest::Rest;
use super::tunnels::{Kind, Path};
use super::{Decoded, Fragment, FragmentKey, Network, Packet, Skip, Tcp, esp, gre, octets32};
use crate::model::addr::{Addr, Endpoint, Proto};

const HOP_BY_HOP: Proto = Proto(0);
const ROUTING: Proto = Proto(43);
const FRAGMENT: Proto = Proto(44);
const IN_IPV4: Proto = Proto(4);
const IN_IPV6: Proto = Proto(41);
const GRE: Proto = Proto(47);
const ESP: Proto = Proto(50);
const AUTHENTICATION: Proto = Proto(51);
const DESTINATION: Proto = Proto(60);
const ETHER_IP: Proto = Proto(97);
const L2TP: Proto = Proto(115);
const MPLS: Proto = Proto(137);
const ETHERNET: Proto = Proto(143);

/// Extension headers read one after the other. RFC 8200 §4.1 knows seven places for them.
const MAX_EXTENSIONS: usize = 16;

/// Reads an IP header of the version announced, and what follows it.
pub(super) fn network<'a>(version: Version, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    match (version, rest.nibble()) {
        (Version::V4 | Version::Either, Some(4)) => ipv4(rest, path),
        (Version::V6 | Version::Either, Some(6)) => ipv6(rest, path),
        _ => Err(Skip::MalformedNetwork),
    }
}

/// Reads a datagram joined from fragments; a fragment inside one is malformed, unless it is that of
/// a packet in a tunnel.
pub(super) fn joined(network: &Network, octets: &[u8], wire_len: u32) -> Decoded {
    let mut path = network.path;
    let first = extensions(*network, Rest::new(octets, wire_len), &mut path);
    match layer::walk(first, &mut path) {
        Decoded::Fragment(part) if part.network.path == network.path => {
            Decoded::Skipped(Skip::MalformedNetwork)
        }
        decoded => decoded,
    }
}

/// RFC 791 §3.1.
fn ipv4<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
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
        path: *path,
    };
    let data = rest.past(header_len);
    if header.is_fragmenting_payload() {
        let ident = u32::from(network.ip_id);
        let key = key(&network, network.proto, ident);
        let place = (header.fragments_offset().value(), header.more_fragments());
        return Ok(Step::Done(fragment(network, key, place, data)));
    }
    extensions(network, data, path)
}

/// RFC 8200 §3.
fn ipv6<'a>(rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
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
        path: *path,
    };
    extensions(network, data, path)
}

/// Walks extension headers (RFC 8200 §4) in whatever order they come, then reads the transport.
///
/// Order and repetition are the sender's business: a tap that is stricter than the receiver would
/// be blind where the receiver is not.
fn extensions<'a>(mut network: Network, mut rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
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
                    let key = key(&network, FRAGMENT, header.identification());
                    let place = (header.fragment_offset().value(), header.more_fragments());
                    let network = Network { proto: Proto(next.0), ..network };
                    return Ok(Step::Done(fragment(network, key, place, rest.past(len))));
                }
                (next, len)
            }
            _ => return transport(&network, rest, path),
        };
        network.proto = Proto(next.0);
        rest = rest.past(len);
    }
    Err(malformed)
}

/// The key of a fragment of this packet.
fn key(network: &Network, proto: Proto, ident: u32) -> FragmentKey {
    FragmentKey { src: network.src, dst: network.dst, proto, ident, tunnel: network.path.ends() }
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
        frames: 1,
        network,
    })
}

/// What the last IP header announced: a transport, or a tunnel.
pub(super) fn transport<'a>(network: &Network, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let next = match network.proto {
        Proto::UDP => return udp(network, rest, path),
        Proto::TCP => return tcp(network, rest),
        Proto::SCTP => return sctp(network, rest),
        GRE => return gre::open(network, rest, path),
        ESP => return esp::open(network, rest, path),
        L2TP => return l2tp(network, rest, path),
        IN_IPV4 => (Kind::Ip, Next::Ip(Version::V4), rest),
        IN_IPV6 => (Kind::Ip, Next::Ip(Version::V6), rest),
        // RFC 3378 §3: version 3 and 12 bits of nothing.
        ETHER_IP => match rest.take16() {
            Some((0x3000, rest)) => (Kind::EtherIp, Next::Ethernet, rest),
            _ => return Err(Skip::MalformedTunnel),
        },
        // RFC 8986 §4.9: Ethernet at the end of a segment list.
        ETHERNET => (Kind::EtherIp, Next::Ethernet, rest),
        MPLS => return Ok(Step::Next(Next::Mpls, rest)),
        _ => return Err(Skip::NotVoip),
    };
    let (kind, next, rest) = next;
    path.enter_between(network, kind, 0)?;
    Ok(Step::Next(next, rest))
}

/// RFC 3931 §4.1.1: a session identifier, 0 for control messages, and a pseudowire.
fn l2tp<'a>(network: &Network, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let (session, rest) = rest.take32().ok_or(Skip::MalformedTunnel)?;
    let frame = datagram::pseudowire(rest).filter(|_| session != 0).ok_or(Skip::NotVoip)?;
    path.enter_between(network, Kind::L2tp, session)?;
    Ok(Step::Next(Next::Ethernet, frame))
}

/// RFC 768.
fn udp<'a>(network: &Network, rest: Rest<'a>, path: &mut Path) -> Opened<'a> {
    let header = UdpHeaderSlice::from_slice(rest.octets).map_err(|_| Skip::MalformedTransport)?;
    let rest = match u32::from(header.length()) {
        0 => rest,
        1..8 => return Err(Skip::MalformedTransport),
        len => rest.cut(len),
    };
    let ports = (header.source_port(), header.destination_port());
    let plain = packet(network, ports, Tcp::default(), rest, header.slice().len());
    match datagram::open(ports, rest.past(header.slice().len())) {
        None => Ok(Step::Done(Decoded::Packet(plain))),
        Some(Inside::Tunnel(kind, ident, next, rest)) => {
            path.enter_between(network, kind, ident)?;
            Ok(Step::Try(next, rest, plain))
        }
        Some(Inside::Copy(hep)) => {
            path.enter_between(network, Kind::Hep, hep.agent)?;
            Ok(Step::Done(Decoded::Packet(copied(&plain, &hep, path))))
        }
    }
}

/// The packet of which a capture agent sent a copy. What is behind the transport header is the whole
/// HEP message: copies of different agents are told apart by it.
fn copied(plain: &Packet, hep: &Hep<'_>, path: &Path) -> Packet {
    let payload_len = octets32(hep.payload.len());
    let wire_payload_len = octets32(hep.payload_wire).max(payload_len);
    Packet {
        src: hep.src.unwrap_or(plain.src),
        dst: hep.dst.unwrap_or(plain.dst),
        l4_at: plain.payload_at,
        l4_len: plain.payload_len,
        payload_at: plain.payload_at.saturating_add(octets32(hep.payload_at)),
        payload_len,
        wire_payload_len,
        clipped: payload_len < wire_payload_len,
        tunnels: path.tunnels(),
        ..*plain
    }
}

/// RFC 9293 §3.1.
fn tcp<'a>(network: &Network, rest: Rest<'a>) -> Opened<'a> {
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
    Ok(Step::Done(Decoded::Packet(packet(network, ports, tcp, rest, header_len))))
}

/// RFC 9260 §3.1: the common header; chunks are the payload.
fn sctp<'a>(network: &Network, rest: Rest<'a>) -> Opened<'a> {
    let &[s0, s1, d0, d1, ..] = rest.octets.first_chunk::<12>().ok_or(Skip::MalformedTransport)?;
    let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    Ok(Step::Done(Decoded::Packet(packet(network, ports, Tcp::default(), rest, 12))))
}

/// The packet whose transport header takes the first `header_len` octets of `l4`.
fn packet(
    network: &Network,
    ports: (u16, u16),
    tcp: Tcp,
    l4: Rest<'_>,
    header_len: usize,
) -> Packet {
    let payload = l4.past(header_len);
    let payload_len = octets32(payload.octets.len());
    Packet {
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
        link_hash: network.path.link_hash(),
        tunnels: network.path.tunnels(),
        tcp,
        fragment: None,
    }
}
