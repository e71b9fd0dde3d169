//! `ws` steps and SIP over WebSocket (RFC 6455, RFC 7118): the upgrade on first use, then frames, the
//! client's with a mask.

use super::args::Args;
use super::message;
use super::rng::base64;
use super::shape::Shape;
use super::tcp::{self, Cutting};
use super::value::{self, MS};
use super::world::{Socket, World};

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;

/// How messages become frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Framing {
    /// `pieces=3`: frames of each message.
    pub pieces: usize,
    /// `ping`: a ping behind each frame, and its pong.
    pub ping: bool,
    /// `protocol=`: the subprotocol asked for, if it is not SIP.
    pub protocol: Option<String>,
}

/// What stands below the line, each message in frames of its own; or the connection's end.
pub(super) fn step(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let ends = world.sockets(ends, (49_152, 80))?;
    if args.flag("close") {
        let octets = frame(world, ends, FIN | CLOSE, &[3, 0xe8]);
        let now = tcp::transmit(world, at, ends, &octets, &Cutting::default(), shape)?;
        return tcp::close(world, now.saturating_add(MS), ends, shape);
    }
    let cutting = Cutting::read(args)?;
    let framing = Framing {
        pieces: args.number("pieces", 1)?,
        ping: args.flag("ping"),
        protocol: args.option("protocol").map(str::to_owned),
    };
    let mut now = at;
    for octets in message::payloads(world, args)? {
        now = carry(world, now, ends, &octets, (&framing, &cutting), shape)?;
    }
    Ok(now)
}

/// Sends one message and returns when its last octet was captured.
pub(super) fn carry(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    message: &[u8],
    (framing, cutting): (&Framing, &Cutting),
    shape: &Shape,
) -> Result<i64, String> {
    let mut now = upgrade(world, at, ends, (framing, cutting), shape)?;
    let size = message.len().div_ceil(framing.pieces.max(1)).max(1);
    let count = message.len().div_ceil(size).max(1);
    let mut octets = Vec::new();
    for (number, piece) in (1..).zip(message.chunks(size)) {
        let opcode = if number == 1 { TEXT } else { CONTINUATION };
        let fin = if number == count { FIN } else { 0 };
        octets.extend(frame(world, ends, fin | opcode, piece));
        if framing.ping {
            octets.extend(frame(world, ends, FIN | PING, b"?"));
        }
    }
    now = tcp::transmit(world, now, ends, &octets, cutting, shape)?;
    if framing.ping {
        let pong = frame(world, (ends.1, ends.0), FIN | PONG, b"?");
        let back = (ends.1, ends.0);
        now = tcp::transmit(world, now.saturating_add(MS), back, &pong, cutting, shape)?;
    }
    Ok(now)
}

fn upgrade(
    world: &mut World,
    at: i64,
    (from, to): (Socket, Socket),
    (framing, cutting): (&Framing, &Cutting),
    shape: &Shape,
) -> Result<i64, String> {
    let known =
        |world: &World| world.clients.contains(&(from, to)) || world.clients.contains(&(to, from));
    if known(world) {
        return Ok(at);
    }
    world.clients.insert((from, to));
    if cutting.midstream {
        return Ok(at);
    }
    let protocol = framing.protocol.as_deref().unwrap_or("sip");
    let key = base64(&world.rng().octets(16));
    let ask = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {protocol}\r\n\r\n",
        to.host_text()
    );
    let accept = base64(&world.rng().octets(20));
    let agree = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
    );
    let whole = Cutting::default();
    let now = tcp::transmit(world, at, (from, to), ask.as_bytes(), &whole, shape)?;
    let now = now.saturating_add(5 * MS);
    let now = tcp::transmit(world, now, (to, from), agree.as_bytes(), &whole, shape)?;
    Ok(now.saturating_add(MS))
}

/// One frame, with a mask if the client sends it.
fn frame(world: &mut World, ends: (Socket, Socket), first: u8, payload: &[u8]) -> Vec<u8> {
    let masked = world.clients.contains(&ends);
    let bit = if masked { 0x80 } else { 0 };
    let mut octets = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..126), _) => octets.push(bit | short),
        (_, Ok(long)) => {
            octets.push(bit | 0x7e);
            octets.extend(long.to_be_bytes());
        }
        _ => {
            octets.push(bit | 127);
            octets.extend(u64::try_from(payload.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    if masked {
        let mask = value::low32(world.rng().next()).to_be_bytes();
        octets.extend(mask);
        octets.extend(payload.iter().zip(mask.iter().cycle()).map(|(octet, key)| octet ^ key));
    } else {
        octets.extend(payload);
    }
    octets
}
