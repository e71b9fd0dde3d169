//! `dtls` steps: a DTLS handshake with `use_srtp` (RFC 6347 §4, RFC 5764 §4.1), in clear as far as it is,
//! the sealed octets random.

use super::args::Args;
use super::rng::Rng;
use super::shake::{Message, Shake};
use super::shape::Shape;
use super::value::{self, MS};
use super::world::World;

/// Carries out a `dtls` step and returns the time of its last packet.
pub(super) fn step(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let (client, server) = world.sockets(ends, (40_000, 50_000))?;
    let hello_only = args.flag("hello-only");
    let (unfinished, cut) = (args.flag("unfinished"), args.flag("cut"));
    let mut rng = world.rng();
    let cookie = rng.octets(16);
    let shake = Shake::read(args, &mut rng, true)?;
    let mut sequence = 0;
    let first = records(&[shake.client_hello(&mut rng, &[])?], 0, &mut sequence)?;
    world.udp(at, (client, server), &first, shape)?;
    if hello_only {
        return Ok(at);
    }
    if let Some((false, description)) = shake.alert {
        let alert = record(21, 0, 0, &[2, description])?;
        world.udp(at.saturating_add(MS), (server, client), &alert, shape)?;
        return Ok(at.saturating_add(MS));
    }
    let mut verify = vec![0xfe, 0xff, 16];
    verify.extend(&cookie);
    let mut server_sequence = 0;
    let verify = records(&[(3, verify)], 0, &mut server_sequence)?;
    world.udp(at.saturating_add(MS), (server, client), &verify, shape)?;
    let second = records(&[shake.client_hello(&mut rng, &cookie)?], 1, &mut sequence)?;
    world.udp(at.saturating_add(2 * MS), (client, server), &second, shape)?;
    let mut flight = shake.server_flight(&mut rng)?;
    if cut {
        // Its number stays free: the datagram with it was lost.
        flight.iter_mut().filter(|(kind, _)| *kind == CERTIFICATE).for_each(|of| of.0 = LOST);
    }
    let flight = records(&flight, 1, &mut server_sequence)?;
    world.udp(at.saturating_add(3 * MS), (server, client), &flight, shape)?;
    if unfinished {
        return Ok(at.saturating_add(3 * MS));
    }
    if let Some((true, description)) = shake.alert {
        let alert = record(21, 0, sequence, &[2, description])?;
        world.udp(at.saturating_add(4 * MS), (client, server), &alert, shape)?;
        return Ok(at.saturating_add(4 * MS));
    }
    let mut answer = records(&shake.client_flight(&mut rng)?, 2, &mut sequence)?;
    let end = at.saturating_add(5 * MS);
    if shake.tls13() {
        // The unified header: sequence number and length of 16 bits (RFC 9147 §4).
        let unified = |octets: Vec<u8>| [&[0x2e, 0, 1, 0, 60][..], &octets].concat();
        world.udp(at.saturating_add(4 * MS), (client, server), &unified(rng.octets(60)), shape)?;
        world.udp(end, (server, client), &unified(rng.octets(60)), shape)?;
        return Ok(end);
    }
    answer.extend(finished(&mut rng, sequence)?);
    world.udp(at.saturating_add(4 * MS), (client, server), &answer, shape)?;
    world.udp(end, (server, client), &finished(&mut rng, server_sequence)?, shape)?;
    Ok(end)
}

/// A record: type, version 1.2, epoch, 48-bit sequence number, length.
fn record(kind: u8, epoch: u8, sequence: u8, body: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, sequence];
    octets.extend(value::length16(body.len())?);
    octets.extend(body);
    Ok(octets)
}

/// `Certificate` (RFC 5246 §7.4), and what stands for a message that is not captured.
const CERTIFICATE: u8 = 11;
const LOST: u8 = u8::MAX;

/// A record for each message, in one fragment (RFC 6347 §4.2.2), numbered from `first` on.
fn records(messages: &[Message], first: u8, sequence: &mut u8) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    for (number, (kind, body)) in (first..).zip(messages) {
        if *kind == LOST {
            continue;
        }
        let [high, low] = value::length16(body.len())?;
        let mut message = vec![*kind, 0, high, low, 0, number, 0, 0, 0, 0, high, low];
        message.extend(body);
        octets.extend(record(22, 0, *sequence, &message)?);
        *sequence = sequence.saturating_add(1);
    }
    Ok(octets)
}

fn finished(rng: &mut Rng, sequence: u8) -> Result<Vec<u8>, String> {
    let mut octets = record(20, 0, sequence, &[1])?;
    octets.extend(record(22, 1, 0, &rng.octets(48))?);
    Ok(octets)
}
