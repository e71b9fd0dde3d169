//! `tls` steps: the records of TLS as a tap sees them (RFC 8446 §4, §5, appendix D.4; RFC 5246 §7.3).
//!
//! A handshake shows both hellos, what follows them in clear, `change_cipher_spec` and sealed records;
//! nothing is really encrypted, the sealed octets are random.

use super::args::Args;
use super::rng::Rng;
use super::shake::{Message, Shake};
use super::shape::Shape;
use super::tcp::{self, Cutting};
use super::value::{self, MS};
use super::world::{Socket, World};

/// Octets that sealing adds: a content type and a tag.
const SEAL: usize = 17;

/// Carries out a `tls` step and returns the time of its last packet.
pub(super) fn step(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let (mut from, to) = world.sockets(ends, (49_152, 5061))?;
    if args.flag("anew") {
        let further = u16::try_from(world.repetition).unwrap_or(u16::MAX);
        from.port = from.port.saturating_add(further);
    }
    let cutting = Cutting { midstream: args.flag("midstream"), ..Cutting::default() };
    let (records, size) = (args.number::<u64>("records", 4)?, args.number("size", 400)?);
    let handshake = args.choice("handshake", &["yes", "no"])? == "yes";
    let renegotiate = args.flag("renegotiate");
    let mut rng = world.rng();
    let shake = Shake::read(args, &mut rng, false)?;
    let mut play = Play { ends: (from, to), cutting: &cutting, shape, now: at };
    if handshake && tcp::secure(world, (from, to)) && !play.shake(world, &shake)? {
        return Ok(play.now);
    }
    for number in 0..records {
        // Both sides speak in turn.
        let octets = sealed(&mut world.rng(), size);
        play.now = play.now.saturating_add(4 * MS);
        play.send(world, number % 2 == 0, &octets)?;
    }
    if renegotiate {
        // A hello each, as encrypted as anything else here.
        for client in [true, false] {
            let octets = record(22, shake.legacy(), &world.rng().octets(120))?;
            play.send(world, client, &octets)?;
        }
    }
    Ok(play.now)
}

/// Sends a message of `length` octets over TLS, with the handshake before it on first use.
pub(super) fn carry(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    length: usize,
    shape: &Shape,
) -> Result<i64, String> {
    let cutting = Cutting::default();
    let mut play = Play { ends, cutting: &cutting, shape, now: at };
    if tcp::secure(world, ends) {
        let mut rng = world.rng();
        play.shake(world, &Shake::usual(&mut rng)?)?;
    }
    let octets = sealed(&mut world.rng(), length);
    play.send(world, true, &octets)?;
    Ok(play.now)
}

/// Records on their way over one connection, from the client's side.
struct Play<'a> {
    ends: (Socket, Socket),
    cutting: &'a Cutting,
    shape: &'a Shape,
    now: i64,
}

impl Play<'_> {
    /// Sends octets a millisecond later, of the client or of the server.
    fn send(&mut self, world: &mut World, client: bool, octets: &[u8]) -> Result<(), String> {
        let (from, to) = self.ends;
        let ends = if client { (from, to) } else { (to, from) };
        let at = self.now.saturating_add(MS);
        self.now = tcp::transmit(world, at, ends, octets, self.cutting, self.shape)?;
        Ok(())
    }

    /// Plays a handshake; `false` when it does not come to its end.
    fn shake(&mut self, world: &mut World, shake: &Shake) -> Result<bool, String> {
        if shake.version == 2 {
            return self.shake_ssl2(world);
        }
        let mut rng = world.rng();
        let version = shake.legacy();
        let hello = records(0x0301, &[shake.client_hello(&mut rng, &[])?])?;
        self.send(world, true, &hello)?;
        if shake.early {
            let octets = [&CHANGE[..], &sealed(&mut rng, 300)].concat();
            self.send(world, true, &octets)?;
        }
        if shake.heartbleed {
            self.send(world, true, &record(24, version, &[1, 0x40, 0])?)?;
        }
        if let Some((false, description)) = shake.alert {
            self.send(world, false, &record(21, version, &[2, description])?)?;
            return Ok(false);
        }
        if shake.end != "finish" {
            let (client, server) = self.ends;
            match shake.end {
                "reset" => self.now = tcp::reset(world, self.now, (server, client), self.shape)?,
                "close" => self.now = tcp::close(world, self.now, (server, client), self.shape)?,
                _ => {}
            }
            return Ok(false);
        }
        self.now = self.now.saturating_add(shake.pause);
        let mut flight = records(version, &shake.server_flight(&mut rng)?)?;
        if shake.tls13() {
            flight.extend(CHANGE);
            // EncryptedExtensions, Certificate, CertificateVerify and Finished.
            flight.extend(sealed(&mut rng, 1_100));
        }
        self.send(world, false, &flight)?;
        if let Some((true, description)) = shake.alert {
            self.send(world, true, &record(21, version, &[2, description])?)?;
            return Ok(false);
        }
        let mut answer = records(version, &shake.client_flight(&mut rng)?)?;
        answer.extend(change(version));
        if shake.tls13() {
            answer.extend(sealed(&mut rng, 52));
            self.send(world, true, &answer)?;
            return Ok(true);
        }
        answer.extend(record(22, version, &rng.octets(40))?);
        self.send(world, true, &answer)?;
        let mut last = records(version, &Vec::from_iter(shake.ticket()))?;
        last.extend(change(version));
        last.extend(record(22, version, &rng.octets(40))?);
        self.send(world, false, &last)?;
        Ok(true)
    }

    /// The hellos of SSL 2.0 with one cipher kind, and a message of the client.
    fn shake_ssl2(&mut self, world: &mut World) -> Result<bool, String> {
        let mut rng = world.rng();
        let hello =
            [&[0x80, 28, 1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 0, 0x80][..], &rng.octets(16)].concat();
        self.send(world, true, &hello)?;
        let answer =
            [&[0x80, 30, 4, 0, 1, 0, 2, 0, 0, 0, 3, 0, 16, 1, 0, 0x80][..], &rng.octets(16)];
        self.send(world, false, &answer.concat())?;
        let master = [&[0x80, 40][..], &rng.octets(40)].concat();
        self.send(world, true, &master)?;
        Ok(true)
    }
}

/// `change_cipher_spec` of TLS 1.3.
const CHANGE: [u8; 6] = [20, 3, 3, 0, 1, 1];

fn change(version: u16) -> [u8; 6] {
    let [high, low] = version.to_be_bytes();
    [20, high, low, 0, 1, 1]
}

/// An application data record around `length` octets, cut at 16,384.
fn sealed(rng: &mut Rng, length: usize) -> Vec<u8> {
    let length = length.min(16_384).saturating_add(SEAL);
    let mut octets = vec![23, 3, 3];
    octets.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    octets.extend(rng.octets(length));
    octets
}

/// A record around a body.
fn record(kind: u8, version: u16, body: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = vec![kind];
    octets.extend(version.to_be_bytes());
    octets.extend(value::length16(body.len())?);
    octets.extend(body);
    Ok(octets)
}

/// A record for each handshake message: type, 24-bit length, body.
fn records(version: u16, messages: &[Message]) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    for (kind, body) in messages {
        let mut message = vec![*kind, 0];
        message.extend(value::length16(body.len())?);
        message.extend(body);
        octets.extend(record(22, version, &message)?);
    }
    Ok(octets)
}
