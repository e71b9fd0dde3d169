//! What a scenario has made so far: hosts, connections, frames and the clock.
//!
//! Frames are kept with their true time. A `jump` line changes what the capture's clock shows
//! from a true moment on; the frames' order never follows it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::relay::{self, Relay};
use super::rng::Rng;
use super::sctp::Association;
use super::shape::Shape;
use super::tcp::Connection;
use super::wire::{self, Ip};
use super::{FRAMES, ScenarioFrame, value};
use crate::model::frame::LinkType;
use crate::model::time::Ts;

/// One named host.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip: IpAddr,
    /// Its MAC address.
    pub mac: [u8; 6],
}

/// A host, by index, and a port of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Socket {
    /// Index into [`World::hosts`].
    pub host: usize,
    /// The host's address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
}

impl Socket {
    /// The same host, another port.
    pub(super) const fn at(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The address as a SIP URI has it (RFC 3261 §19.1.1).
    pub(super) fn host_text(self) -> String {
        match self.ip {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        }
    }
}

/// A frame with its true time.
#[derive(Clone, Debug)]
struct Timed {
    at: i64,
    octets: Vec<u8>,
    captured: usize,
}

/// Everything so far.
#[derive(Debug)]
pub(super) struct World {
    /// The link type of all frames.
    pub link: LinkType,
    /// The hosts, in order of declaration.
    pub hosts: Vec<Host>,
    /// Options of frames for steps that do not say otherwise.
    pub shape: Shape,
    /// The true time of the start, nanoseconds since 1970.
    pub start: i64,
    /// The true time of the last packet of the last step.
    pub clock: i64,
    /// The number of the current repetition, from 0: `{i}`.
    pub repetition: u64,
    /// TCP connections.
    pub connections: BTreeMap<(Socket, Socket), Connection>,
    /// TCP connections whose TLS handshake was made.
    pub secured: BTreeSet<(Socket, Socket)>,
    /// SCTP associations.
    pub associations: BTreeMap<(Socket, Socket), Association>,
    /// Connections upgraded to WebSocket: client and server.
    pub clients: BTreeSet<(Socket, Socket)>,
    /// Clients of TURN relays.
    pub relays: Vec<Relay>,
    /// Pairs whose datagrams go over TCP; whether the opening is left out.
    pub framed: BTreeMap<(Socket, Socket), bool>,
    frames: Vec<Timed>,
    identifiers: BTreeMap<usize, u16>,
    jumps: Vec<(i64, i64)>,
    serial: u64,
    calls: u16,
}

impl World {
    /// An empty world at 2026-01-02T03:04:05Z.
    pub(super) fn new() -> Self {
        Self {
            link: LinkType::ETHERNET,
            hosts: Vec::new(),
            shape: Shape::default(),
            start: 1_767_323_045_000_000_000,
            clock: 1_767_323_045_000_000_000,
            repetition: 0,
            connections: BTreeMap::new(),
            secured: BTreeSet::new(),
            associations: BTreeMap::new(),
            clients: BTreeSet::new(),
            relays: Vec::new(),
            framed: BTreeMap::new(),
            frames: Vec::new(),
            identifiers: BTreeMap::new(),
            jumps: Vec::new(),
            serial: 0,
            calls: 0,
        }
    }

    /// Whether no step has been carried out.
    pub(super) const fn untouched(&self) -> bool {
        self.frames.is_empty()
    }

    /// A number that no one else gets: the seed of a stream's payload, a call's identifiers.
    pub(super) const fn serial(&mut self) -> u64 {
        self.serial = self.serial.wrapping_add(1);
        self.serial
    }

    /// The media port offset of the next call: two ports each.
    pub(super) const fn call_number(&mut self) -> u16 {
        let number = self.calls;
        self.calls = number.wrapping_add(2) % 8_000;
        number
    }

    /// A generator of its own.
    pub(super) const fn rng(&mut self) -> Rng {
        Rng::new(self.serial())
    }

    /// `alice` or `alice:5060`.
    pub(super) fn socket(&self, text: &str, default: u16) -> Result<Socket, String> {
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, value::narrow(port)?),
            None => (text, default),
        };
        let found = self.hosts.iter().enumerate().find(|(_, host)| host.name == name);
        let Some((host, found)) = found else {
            let names: Vec<&str> = self.hosts.iter().map(|host| host.name.as_str()).collect();
            return Err(format!("there is no host `{name}`; there are: {}", names.join(", ")));
        };
        Ok(Socket { host, ip: found.ip, port })
    }

    /// Both ends of a step, which must be of one address family.
    pub(super) fn sockets(
        &self,
        ends: (&str, &str),
        defaults: (u16, u16),
    ) -> Result<(Socket, Socket), String> {
        let (from, to) = (self.socket(ends.0, defaults.0)?, self.socket(ends.1, defaults.1)?);
        if from.ip.is_ipv4() != to.ip.is_ipv4() {
            return Err(format!("`{}` and `{}` are of different IP versions", ends.0, ends.1));
        }
        Ok((from, to))
    }

    /// Moves the clock of the capture by `by` for everything that truly happens from now on.
    pub(super) fn jump(&mut self, by: i64) {
        self.jumps.push((self.clock, by));
    }

    /// Sends a datagram at a true time, the way that was declared for its sockets.
    pub(super) fn udp(
        &mut self,
        at: i64,
        ends: (Socket, Socket),
        payload: &[u8],
        shape: &Shape,
    ) -> Result<(), String> {
        if relay::carry(self, at, ends, payload, shape)? {
            return Ok(());
        }
        self.datagram(at, ends, payload, shape)
    }

    /// Sends a UDP datagram at a true time.
    pub(super) fn datagram(
        &mut self,
        at: i64,
        ends: (Socket, Socket),
        payload: &[u8],
        shape: &Shape,
    ) -> Result<(), String> {
        self.send(at, ends, wire::UDP, shape, |ip| {
            wire::udp(ip, (ends.0.port, ends.1.port), payload)
        })
    }

    /// Sends what `segment` makes, in one IP packet or in fragments, and its mirror copy.
    pub(super) fn send(
        &mut self,
        at: i64,
        ends: (Socket, Socket),
        protocol: u8,
        shape: &Shape,
        segment: impl Fn(&Ip) -> Result<Vec<u8>, String>,
    ) -> Result<(), String> {
        let id = shape.id.unwrap_or_else(|| self.next_identifier(ends.0.host));
        let ip =
            Ip { src: ends.0.ip, dst: ends.1.ip, protocol, ttl: shape.ttl, tos: shape.tos, id };
        let payload = segment(&ip)?;
        let macs = (self.mac(ends.0.host), self.mac(ends.1.host));
        self.put(at, macs, &ip, &payload, shape)?;
        if let Some(after) = shape.mirror {
            let copy = shape.copied();
            // The second mirrored port is on the far side of a router.
            let router = ([2, 0, 0, 0, 0xff, 1], [2, 0, 0, 0, 0xff, 2]);
            let ip = Ip { ttl: copy.ttl, tos: copy.tos, ..ip };
            self.put(at.saturating_add(after), router, &ip, &payload, &copy)?;
        }
        Ok(())
    }

    fn put(
        &mut self,
        at: i64,
        macs: ([u8; 6], [u8; 6]),
        ip: &Ip,
        payload: &[u8],
        shape: &Shape,
    ) -> Result<(), String> {
        let mut packets = wire::packets(ip, payload, shape.fragment)?;
        if shape.reversed {
            packets.reverse();
        }
        for (number, packet) in (1_u64..).zip(packets) {
            if value::within(&shape.fraglose, number) {
                continue;
            }
            let octets = wire::frame(self.link, macs, &shape.vlan, ip, &packet);
            let captured = shape.snap.unwrap_or(octets.len()).min(octets.len());
            self.frames.push(Timed { at, octets, captured });
        }
        if self.frames.len() > FRAMES {
            return Err(format!("the scenario makes more than {FRAMES} frames"));
        }
        Ok(())
    }

    fn mac(&self, host: usize) -> [u8; 6] {
        self.hosts.get(host).map_or([2, 0, 0, 0, 0, 0], |host| host.mac)
    }

    /// Hosts count their IPv4 identifications from different, fixed values; never 0.
    fn next_identifier(&mut self, host: usize) -> u16 {
        let seed = u64::try_from(host).unwrap_or_default().wrapping_mul(9_973).wrapping_add(1_000);
        let next = self.identifiers.entry(host).or_insert(value::low16(seed));
        *next = next.wrapping_add(1).max(1);
        *next
    }

    /// The frames in true order, with what the capture's clock showed.
    pub(super) fn finish(mut self) -> Vec<ScenarioFrame> {
        self.frames.sort_by_key(|frame| frame.at);
        let (link, jumps) = (self.link, self.jumps);
        let shown = |at: i64| {
            let moved = jumps.iter().filter(|(from, _)| at >= *from).map(|(_, by)| *by);
            moved.fold(at, i64::saturating_add)
        };
        self.frames
            .into_iter()
            .map(|Timed { at, octets, captured }| ScenarioFrame {
                ts: Ts::from_nanos(shown(at)),
                link,
                octets,
                captured,
            })
            .collect()
    }
}
