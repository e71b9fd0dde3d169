//! TCP connections that open by themselves (RFC 9293 §3.5), and segments cut as a test needs them.

use super::args::Args;
use super::shape::Shape;
use super::value::{self, MS, US};
use super::wire::{self, Segment};
use super::world::{Socket, World};

const FIN: u8 = 1;
const SYN: u8 = 2;
const PUSH: u8 = 8;
const RST: u8 = 4;
const ACK: u8 = 16;

/// Payload octets of a segment when nothing else is said.
const SEGMENT_OCTETS: usize = 1_448;

/// The next sequence number of each side, by order of the sockets.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Connection {
    low: u32,
    high: u32,
    /// The same when it was open.
    begun: (u32, u32),
}

/// How a step's octets are cut into segments and what happens to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Cutting {
    /// `split=100,7`: sizes of the first segments; the rest follows in full ones.
    pub split: Vec<usize>,
    /// `order=2,1,3`: segment numbers in the order captured.
    pub order: Vec<u64>,
    /// `order=reversed`.
    pub reversed: bool,
    /// `lose=2`: segments that are not captured.
    pub lose: Vec<(u64, u64)>,
    /// `resend=1`: segments sent a second time, 200 ms later.
    pub resend: Vec<(u64, u64)>,
    /// `midstream`: the connection's opening is not in the capture.
    pub midstream: bool,
    /// Nobody acknowledges: the two directions were not made in the order of time.
    pub quiet: bool,
}

impl Cutting {
    /// Takes the options of a `tcp` step.
    pub(super) fn read(args: &mut Args<'_>) -> Result<Self, String> {
        let sizes = |text: &str| text.split(',').map(value::narrow).collect::<Result<_, _>>();
        let numbers = |text: &str| text.split(',').map(value::number).collect::<Result<_, _>>();
        let order = args.option("order");
        Ok(Self {
            split: args.read("split", sizes)?.unwrap_or_default(),
            reversed: order == Some("reversed"),
            order: match order {
                None | Some("reversed") => Vec::new(),
                Some(list) => numbers(list)?,
            },
            lose: args.ranges("lose")?,
            resend: args.ranges("resend")?,
            midstream: args.flag("midstream"),
            quiet: false,
        })
    }

    /// Segments with their number and their offset, in the order captured.
    pub(super) fn segments<'p>(&self, payload: &'p [u8]) -> Vec<(u64, usize, &'p [u8])> {
        let mut made = Vec::new();
        let (mut offset, mut rest) = (0_usize, payload);
        let mut sizes = self.split.iter().copied();
        while !rest.is_empty() {
            let size = sizes.next().unwrap_or(SEGMENT_OCTETS).clamp(1, rest.len());
            let (part, after) = rest.split_at_checked(size).unwrap_or((rest, &[]));
            let number = u64::try_from(made.len()).unwrap_or(u64::MAX).saturating_add(1);
            made.push((number, offset, part));
            offset = offset.saturating_add(part.len());
            rest = after;
        }
        if self.reversed {
            made.reverse();
        }
        let rank = |number: u64| self.order.iter().position(|n| *n == number).unwrap_or(usize::MAX);
        made.sort_by_key(|(number, _, _)| rank(*number));
        made
    }
}

fn key((from, to): (Socket, Socket)) -> (Socket, Socket) {
    if from <= to { (from, to) } else { (to, from) }
}

/// Sends one segment and counts it on the sender's side.
fn segment(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    flags: u8,
    payload: &[u8],
    shape: &Shape,
) -> Result<(), String> {
    let (seq, ack) = numbers(world, ends);
    put(world, at, ends, Segment { seq, ack, flags }, payload, shape)?;
    let taken = payload.len().saturating_add(usize::from(flags & (SYN | FIN) != 0));
    advance(world, ends, taken);
    Ok(())
}

fn put(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    header: Segment,
    payload: &[u8],
    shape: &Shape,
) -> Result<(), String> {
    let ports = (ends.0.port, ends.1.port);
    world.send(at, ends, wire::TCP, shape, |ip| Ok(wire::tcp(ip, ports, header, payload)))
}

/// The sender's and the receiver's next sequence numbers.
fn numbers(world: &World, ends: (Socket, Socket)) -> (u32, u32) {
    let found = world.connections.get(&key(ends)).copied();
    let Connection { low, high, .. } = found.unwrap_or_default();
    if ends.0 <= ends.1 { (low, high) } else { (high, low) }
}

fn advance(world: &mut World, ends: (Socket, Socket), octets: usize) {
    let octets = u32::try_from(octets).unwrap_or(u32::MAX);
    if let Some(connection) = world.connections.get_mut(&key(ends)) {
        let side = if ends.0 <= ends.1 { &mut connection.low } else { &mut connection.high };
        *side = side.wrapping_add(octets);
    }
}

/// Sends octets from one end to the other and returns when the last of it was captured. The first
/// use of a pair of sockets opens the connection.
pub(super) fn transmit(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    payload: &[u8],
    cutting: &Cutting,
    shape: &Shape,
) -> Result<i64, String> {
    let (from, to) = ends;
    let mut now = at;
    if !world.connections.contains_key(&key(ends)) {
        let mut rng = world.rng();
        let (low, high) = (value::low32(rng.next()), value::low32(rng.next()));
        world.connections.insert(key(ends), Connection { low, high, begun: (low, high) });
        if !cutting.midstream {
            open(world, now, ends, shape)?;
            now = now.saturating_add(300 * US);
        }
    }
    let (base, mut ack) = numbers(world, ends);
    if cutting.quiet {
        ack = first_ack(world, ends);
    }
    for (number, offset, part) in cutting.segments(payload) {
        let seq = base.wrapping_add(u32::try_from(offset).unwrap_or(u32::MAX));
        let header = Segment { seq, ack, flags: ACK | PUSH };
        if !value::within(&cutting.lose, number) {
            put(world, now, ends, header, part, shape)?;
        }
        if value::within(&cutting.resend, number) {
            put(world, now.saturating_add(200 * MS), ends, header, part, shape)?;
        }
        now = now.saturating_add(50 * US);
    }
    advance(world, ends, payload.len());
    if !cutting.quiet {
        segment(world, now, (to, from), ACK, &[], shape)?;
    }
    Ok(if cutting.resend.is_empty() { now } else { now.saturating_add(200 * MS) })
}

fn open(world: &mut World, at: i64, ends: (Socket, Socket), shape: &Shape) -> Result<(), String> {
    let (from, to) = ends;
    let (seq, _) = numbers(world, ends);
    put(world, at, ends, Segment { seq, ack: 0, flags: SYN }, &[], shape)?;
    advance(world, ends, 1);
    segment(world, at.saturating_add(100 * US), (to, from), SYN | ACK, &[], shape)?;
    segment(world, at.saturating_add(200 * US), ends, ACK, &[], shape)?;
    if let Some(connection) = world.connections.get_mut(&key(ends)) {
        connection.begun = (connection.low, connection.high);
    }
    Ok(())
}

/// The number that the receiver had when the connection was open.
fn first_ack(world: &World, ends: (Socket, Socket)) -> u32 {
    let begun = world.connections.get(&key(ends)).map(|found| found.begun).unwrap_or_default();
    if ends.0 <= ends.1 { begun.1 } else { begun.0 }
}

/// Closes a connection from its first end: FIN, FIN, ACK.
pub(super) fn close(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    shape: &Shape,
) -> Result<i64, String> {
    let (from, to) = ends;
    if !world.connections.contains_key(&key(ends)) {
        return Err("there is no such connection to close".to_owned());
    }
    let last = at.saturating_add(200 * US);
    segment(world, at, ends, FIN | ACK, &[], shape)?;
    segment(world, at.saturating_add(100 * US), (to, from), FIN | ACK, &[], shape)?;
    segment(world, last, ends, ACK, &[], shape)?;
    world.connections.remove(&key(ends));
    world.secured.remove(&key(ends));
    Ok(last)
}

/// A SYN that is refused with a RST, or that nobody answers and that is sent once more.
pub(super) fn knock(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    refused: bool,
    shape: &Shape,
) -> Result<i64, String> {
    let (from, to) = ends;
    let seq = value::low32(world.rng().next());
    put(world, at, ends, Segment { seq, ack: 0, flags: SYN }, &[], shape)?;
    let last = at.saturating_add(if refused { 100 * US } else { 1_000 * MS });
    if refused {
        let header = Segment { seq: 0, ack: seq.wrapping_add(1), flags: RST | ACK };
        put(world, last, (to, from), header, &[], shape)?;
    } else {
        put(world, last, ends, Segment { seq, ack: 0, flags: SYN }, &[], shape)?;
    }
    Ok(last)
}

/// Breaks a connection off from its first end: RST.
pub(super) fn reset(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    shape: &Shape,
) -> Result<i64, String> {
    segment(world, at, ends, RST | ACK, &[], shape)?;
    world.connections.remove(&key(ends));
    world.secured.remove(&key(ends));
    Ok(at)
}

/// Notes that the connection's TLS handshake is made; `false` when it was already.
pub(super) fn secure(world: &mut World, ends: (Socket, Socket)) -> bool {
    world.secured.insert(key(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_come_in_the_order_asked_for() {
        let cutting = Cutting { split: vec![2, 1], order: vec![2, 1], ..Cutting::default() };
        let made: Vec<_> =
            cutting.segments(b"abcdef").into_iter().map(|(n, o, p)| (n, o, p.len())).collect();
        assert_eq!(made, [(2, 2, 1), (1, 0, 2), (3, 3, 3)]);
    }
}
