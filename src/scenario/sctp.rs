//! SCTP associations that open by themselves (RFC 9260 §5.1), and user messages cut as a test needs
//! them. Checksums are right (appendix A).

use super::args::Args;
use super::message;
use super::shape::Shape;
use super::tcp::Cutting;
use super::value::{self, MS, US};
use super::wire;
use super::world::{Socket, World};

const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;
const ABORT: u8 = 6;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;

/// The next TSN and the verification tag of each side, by order of the sockets.
#[derive(Copy, Clone, Debug)]
pub(super) struct Association {
    low: (u32, u32),
    high: (u32, u32),
}

/// What stands below the line, each message a user message.
pub(super) fn step(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let ends = world.sockets(ends, (5060, 5060))?;
    let refused = args.flag("refused");
    if refused || args.flag("unanswered") {
        return knock(world, at, ends, refused, shape);
    }
    let (cutting, bundle) = (Cutting::read(args)?, args.flag("bundle"));
    let messages = message::payloads(world, args)?;
    let mut now = at;
    if !bundle {
        for octets in &messages {
            now = transmit(world, now, ends, &[octets], &cutting, shape)?;
        }
        return Ok(now);
    }
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    transmit(world, now, ends, &messages, &cutting, shape)
}

/// Sends user messages and returns when the last packet was captured: one message in a packet for
/// each of its pieces, several whole ones in one packet.
pub(super) fn transmit(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    messages: &[&[u8]],
    cutting: &Cutting,
    shape: &Shape,
) -> Result<i64, String> {
    let mut now = open(world, at, ends, cutting.midstream, shape)?;
    let first = tsn(world, ends);
    let mut packets: Vec<(u64, Vec<u8>)> = Vec::new();
    if let [message] = messages {
        for (number, offset, part) in cutting.segments(message) {
            let begins = if offset == 0 { 2 } else { 0 };
            let ends = u8::from(offset.saturating_add(part.len()) == message.len());
            let tsn = first.wrapping_add(value::low32(number.saturating_sub(1)));
            packets.push((number, chunk(DATA, begins | ends, &data(tsn, part))?));
        }
    } else {
        let mut chunks = Vec::new();
        for (number, message) in (0_u64..).zip(messages) {
            let tsn = first.wrapping_add(value::low32(number));
            chunks.extend(chunk(DATA, 3, &data(tsn, message))?);
        }
        packets.push((1, chunks));
    }
    let sent = if messages.len() == 1 { packets.len() } else { messages.len() };
    advance(world, ends, u32::try_from(sent).unwrap_or(u32::MAX));
    for (number, chunks) in &packets {
        if !value::within(&cutting.lose, *number) {
            put(world, now, ends, chunks, shape)?;
        }
        if value::within(&cutting.resend, *number) {
            put(world, now.saturating_add(200 * MS), ends, chunks, shape)?;
        }
        now = now.saturating_add(50 * US);
    }
    let mut sack = tsn(world, ends).wrapping_sub(1).to_be_bytes().to_vec();
    sack.extend([0, 1, 0, 0, 0, 0, 0, 0]);
    put(world, now, (ends.1, ends.0), &chunk(SACK, 0, &sack)?, shape)?;
    Ok(if cutting.resend.is_empty() { now } else { now.saturating_add(200 * MS) })
}

fn open(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    midstream: bool,
    shape: &Shape,
) -> Result<i64, String> {
    if world.associations.contains_key(&key(ends)) {
        return Ok(at);
    }
    let mut rng = world.rng();
    let mut side = || (value::low32(rng.next()), value::low32(rng.next()));
    let association = Association { low: side(), high: side() };
    world.associations.insert(key(ends), association);
    if midstream {
        return Ok(at);
    }
    let back = (ends.1, ends.0);
    let mut answer = hello(world, back);
    // A state cookie of four octets.
    answer.extend([0, 7, 0, 8, 1, 2, 3, 4]);
    let steps = [
        (ends, chunk(INIT, 0, &hello(world, ends))?),
        (back, chunk(INIT_ACK, 0, &answer)?),
        (ends, chunk(COOKIE_ECHO, 0, &[1, 2, 3, 4])?),
        (back, chunk(COOKIE_ACK, 0, &[])?),
    ];
    let mut now = at;
    for (ends, chunk) in steps {
        put(world, now, ends, &chunk, shape)?;
        now = now.saturating_add(100 * US);
    }
    Ok(now)
}

/// The value of an INIT.
fn hello(world: &World, ends: (Socket, Socket)) -> Vec<u8> {
    let mut octets = tag(world, (ends.1, ends.0)).to_be_bytes().to_vec();
    octets.extend([0, 1, 0, 0, 0, 10, 0, 10]);
    octets.extend(tsn(world, ends).to_be_bytes());
    octets
}

/// An INIT to which there comes an ABORT, or that nobody answers and that is sent once more.
fn knock(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    refused: bool,
    shape: &Shape,
) -> Result<i64, String> {
    open(world, at, ends, true, shape)?;
    let init = chunk(INIT, 0, &hello(world, ends))?;
    put(world, at, ends, &init, shape)?;
    let last = at.saturating_add(if refused { 100 * US } else { 1_000 * MS });
    if refused {
        put(world, last, (ends.1, ends.0), &chunk(ABORT, 0, &[])?, shape)?;
    } else {
        put(world, last, ends, &init, shape)?;
    }
    world.associations.remove(&key(ends));
    Ok(last)
}

fn put(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    chunks: &[u8],
    shape: &Shape,
) -> Result<(), String> {
    // An INIT carries no tag, for none is known yet.
    let tag = if chunks.first() == Some(&INIT) { 0 } else { tag(world, ends) };
    let mut octets = ends.0.port.to_be_bytes().to_vec();
    octets.extend(ends.1.port.to_be_bytes());
    octets.extend(tag.to_be_bytes());
    octets.extend([0; 4]);
    octets.extend(chunks);
    let sum = crc32c(&octets).to_le_bytes();
    if let Some(field) = octets.get_mut(8..12) {
        field.copy_from_slice(&sum);
    }
    world.send(at, ends, wire::SCTP, shape, |_| Ok(octets.clone()))
}

/// A chunk with its padding.
fn chunk(kind: u8, flags: u8, value: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = vec![kind, flags];
    octets.extend(value::length16(value.len().saturating_add(4))?);
    octets.extend(value);
    octets.resize(octets.len().next_multiple_of(4), 0);
    Ok(octets)
}

/// The value of a DATA chunk of stream 0.
fn data(tsn: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = tsn.to_be_bytes().to_vec();
    octets.extend([0; 8]);
    octets.extend(payload);
    octets
}

fn key((from, to): (Socket, Socket)) -> (Socket, Socket) {
    if from <= to { (from, to) } else { (to, from) }
}

/// The sender's next TSN.
fn tsn(world: &World, ends: (Socket, Socket)) -> u32 {
    side(world, ends).0
}

/// The tag that the receiver wants to see.
fn tag(world: &World, ends: (Socket, Socket)) -> u32 {
    side(world, (ends.1, ends.0)).1
}

fn side(world: &World, ends: (Socket, Socket)) -> (u32, u32) {
    let found = world.associations.get(&key(ends)).copied();
    let of = |found: Association| if ends.0 <= ends.1 { found.low } else { found.high };
    found.map(of).unwrap_or_default()
}

fn advance(world: &mut World, ends: (Socket, Socket), chunks: u32) {
    if let Some(found) = world.associations.get_mut(&key(ends)) {
        let side = if ends.0 <= ends.1 { &mut found.low } else { &mut found.high };
        side.0 = side.0.wrapping_add(chunks);
    }
}

/// The CRC-32C of RFC 9260 appendix A.
fn crc32c(octets: &[u8]) -> u32 {
    wire::crc32(octets, 0x82f6_3b78)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_has_its_check_value() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
