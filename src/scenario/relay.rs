//! `turn` and `framed` steps: from then on, datagrams between two sockets take another way than UDP
//! between them. Through a TURN relay (RFC 8656), what is seen is the client's leg; over TCP
//! (RFC 4571), frames with lengths.

use super::args::Args;
use super::plain::{stun_message, xor_address};
use super::shape::Shape;
use super::tcp::{self, Cutting};
use super::value::{self, MS};
use super::world::{Socket, World};

const ALLOCATE: u16 = 0x0003;
const CREATE_PERMISSION: u16 = 0x0008;
const CHANNEL_BIND: u16 = 0x0009;
const SEND: u16 = 0x0016;
const DATA_INDICATION: u16 = 0x0017;
const SUCCESS: u16 = 0x0100;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// A client of a relay, with one peer.
#[derive(Copy, Clone, Debug)]
pub(super) struct Relay {
    client: Socket,
    server: Socket,
    /// The relayed address.
    outside: Socket,
    peer: Socket,
    /// `None`: Send and Data indications.
    channel: Option<u16>,
    tcp: bool,
}

/// `turn alice:40000 > relay outside=relay:49160 peer=pbx:50000`.
pub(super) fn turn(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let (client, server) = world.sockets(ends, (40_000, 3478))?;
    let outside = args.option("outside").ok_or("`turn` needs outside=HOST:PORT")?;
    let peer = args.option("peer").ok_or("`turn` needs peer=HOST:PORT")?;
    let (outside, peer) = world.sockets((outside, peer), (49_160, 50_000))?;
    let tcp = args.choice("over", &["udp", "tcp"])? == "tcp";
    let number = u16::try_from(world.relays.len()).unwrap_or_default() & 0xfff;
    let channel = if args.flag("indications") { None } else { Some(0x4000 | number) };
    let relay = Relay { client, server, outside, peer, channel, tcp };
    world.relays.push(relay);
    if args.flag("midstream") {
        return Ok(at);
    }
    let mut now = at;
    let transaction = world.rng().octets(12);
    // REQUESTED-TRANSPORT: UDP. LIFETIME: ten minutes.
    now = exchange(world, now, &relay, (ALLOCATE, &transaction), shape, |success| {
        if !success {
            return vec![0, 0x19, 0, 4, 17, 0, 0, 0];
        }
        let mut made = xor_address(XOR_RELAYED_ADDRESS, outside, &transaction);
        made.extend(xor_address(XOR_MAPPED_ADDRESS, client, &transaction));
        made.extend([0, 0x0d, 0, 4, 0, 0, 2, 0x58]);
        made
    })?;
    let transaction = world.rng().octets(12);
    let method = if channel.is_some() { CHANNEL_BIND } else { CREATE_PERMISSION };
    exchange(world, now, &relay, (method, &transaction), shape, |success| {
        if success {
            return Vec::new();
        }
        let mut made = xor_address(XOR_PEER_ADDRESS, peer, &transaction);
        if let Some(channel) = channel {
            made.extend([0, 0x0c, 0, 4]);
            made.extend(channel.to_be_bytes());
            made.extend([0, 0]);
        }
        made
    })
}

/// A request and its success response, with the attributes that `attributes` makes.
fn exchange(
    world: &mut World,
    at: i64,
    relay: &Relay,
    (method, transaction): (u16, &[u8]),
    shape: &Shape,
    attributes: impl Fn(bool) -> Vec<u8>,
) -> Result<i64, String> {
    let request = stun_message(method, transaction, &attributes(false))?;
    put(world, at, (relay.client, relay.server), &request, relay.tcp, shape)?;
    let response = stun_message(method | SUCCESS, transaction, &attributes(true))?;
    let end = at.saturating_add(2 * MS);
    put(world, end, (relay.server, relay.client), &response, relay.tcp, shape)?;
    Ok(end.saturating_add(MS))
}

/// `framed alice:40000 > pbx:50000`: datagrams between the two go over TCP from now on.
pub(super) fn framed(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let (from, to) = world.sockets(ends, (40_000, 50_000))?;
    world.framed.insert((from, to), args.flag("midstream"));
    if !args.flag("checks") {
        return Ok(at);
    }
    let transaction = world.rng().octets(12);
    let request = stun_message(0x0001, &transaction, &[])?;
    world.udp(at, (from, to), &request, shape)?;
    let mapped = xor_address(XOR_MAPPED_ADDRESS, from, &transaction);
    let response = stun_message(0x0101, &transaction, &mapped)?;
    let end = at.saturating_add(2 * MS);
    world.udp(end, (to, from), &response, shape)?;
    Ok(end)
}

/// Sends a datagram the way that was declared for its sockets; `false` if none was.
pub(super) fn carry(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    payload: &[u8],
    shape: &Shape,
) -> Result<bool, String> {
    let back = (ends.1, ends.0);
    let midstream = world.framed.get(&ends).or_else(|| world.framed.get(&back)).copied();
    if let Some(midstream) = midstream {
        let mut octets = value::length16(payload.len())?.to_vec();
        octets.extend(payload);
        let cutting = Cutting { midstream, quiet: true, ..Cutting::default() };
        tcp::transmit(world, at, ends, &octets, &cutting, shape)?;
        return Ok(true);
    }
    let mut carried = false;
    for relay in world.relays.clone() {
        let (out, into) =
            (ends == (relay.outside, relay.peer), back == (relay.outside, relay.peer));
        if !out && !into {
            continue;
        }
        let octets = if let Some(channel) = relay.channel {
            let mut octets = channel.to_be_bytes().to_vec();
            octets.extend(value::length16(payload.len())?);
            octets.extend(payload);
            if relay.tcp {
                octets.resize(octets.len().next_multiple_of(4), 0);
            }
            octets
        } else {
            let transaction = world.rng().octets(12);
            let mut made = xor_address(XOR_PEER_ADDRESS, relay.peer, &transaction);
            made.extend([0, 0x13]);
            made.extend(value::length16(payload.len())?);
            made.extend(payload);
            made.resize(made.len().next_multiple_of(4), 0);
            stun_message(if out { SEND } else { DATA_INDICATION }, &transaction, &made)?
        };
        let (client, server) = (relay.client, relay.server);
        let leg = if out { (client, server) } else { (server, client) };
        // What goes in through one relay comes out of another a little later.
        let at = if carried { at.saturating_add(MS) } else { at };
        put(world, at, leg, &octets, relay.tcp, shape)?;
        carried = true;
    }
    Ok(carried)
}

fn put(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    octets: &[u8],
    tcp: bool,
    shape: &Shape,
) -> Result<(), String> {
    if tcp {
        let cutting = Cutting { quiet: true, ..Cutting::default() };
        return tcp::transmit(world, at, ends, octets, &cutting, shape).map(|_| ());
    }
    world.datagram(at, ends, octets, shape)
}
