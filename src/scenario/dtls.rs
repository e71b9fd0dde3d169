//! `dtls` steps: a DTLS 1.2 handshake with `use_srtp` (RFC 6347 §4, RFC 5764 §4.1).
//!
//! The suite is a pre-shared-key one (RFC 5487), which needs no certificate; the sealed octets are
//! random.

use super::args::Args;
use super::rng::Rng;
use super::shape::Shape;
use super::tls::extension;
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
    let mut rng = world.rng();
    let (random, cookie) = (rng.octets(32), rng.octets(16));
    let first = record(22, 0, 0, &message(1, 0, &client_hello(&random, &[])?)?)?;
    world.udp(at, (client, server), &first, shape)?;
    if hello_only {
        return Ok(at);
    }
    let mut verify = vec![0xfe, 0xff, 16];
    verify.extend(&cookie);
    let verify = record(22, 0, 0, &message(3, 0, &verify)?)?;
    world.udp(at.saturating_add(MS), (server, client), &verify, shape)?;
    let second = record(22, 0, 1, &message(1, 1, &client_hello(&random, &cookie)?)?)?;
    world.udp(at.saturating_add(2 * MS), (client, server), &second, shape)?;
    let mut flight = record(22, 0, 1, &message(2, 1, &server_hello(&mut rng)?)?)?;
    flight.extend(record(22, 0, 2, &message(14, 2, &[])?)?);
    world.udp(at.saturating_add(3 * MS), (server, client), &flight, shape)?;
    // ClientKeyExchange with an identity, change_cipher_spec, Finished.
    let mut flight = record(22, 0, 2, &message(16, 2, &[0, 4, b'p', b'e', b'e', b'r'])?)?;
    flight.extend(finished(&mut rng, 3)?);
    world.udp(at.saturating_add(4 * MS), (client, server), &flight, shape)?;
    let end = at.saturating_add(5 * MS);
    world.udp(end, (server, client), &finished(&mut rng, 3)?, shape)?;
    Ok(end)
}

/// A record: type, version 1.2, epoch, 48-bit sequence number, length.
fn record(kind: u8, epoch: u8, sequence: u8, body: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, sequence];
    octets.extend(value::length16(body.len())?);
    octets.extend(body);
    Ok(octets)
}

/// A handshake message in one fragment (RFC 6347 §4.2.2).
fn message(kind: u8, sequence: u8, body: &[u8]) -> Result<Vec<u8>, String> {
    let [high, low] = value::length16(body.len())?;
    let mut octets = vec![kind, 0, high, low, 0, sequence, 0, 0, 0, 0, high, low];
    octets.extend(body);
    Ok(octets)
}

fn finished(rng: &mut Rng, sequence: u8) -> Result<Vec<u8>, String> {
    let mut octets = record(20, 0, sequence, &[1])?;
    octets.extend(record(22, 1, 0, &rng.octets(48))?);
    Ok(octets)
}

fn client_hello(random: &[u8], cookie: &[u8]) -> Result<Vec<u8>, String> {
    // SRTP_AEAD_AES_128_GCM and SRTP_AES128_CM_HMAC_SHA1_80; extended_master_secret.
    let mut extensions = extension(14, &[0, 4, 0, 7, 0, 1, 0])?;
    extensions.extend(extension(23, &[])?);
    let mut body = vec![0xfe, 0xfd];
    body.extend(random);
    body.push(0);
    body.push(u8::try_from(cookie.len()).unwrap_or_default());
    body.extend(cookie);
    body.extend([0, 2, 0, 0xa8, 1, 0]);
    body.extend(value::length16(extensions.len())?);
    body.extend(extensions);
    Ok(body)
}

fn server_hello(rng: &mut Rng) -> Result<Vec<u8>, String> {
    let mut extensions = extension(14, &[0, 2, 0, 1, 0])?;
    extensions.extend(extension(23, &[])?);
    let mut body = vec![0xfe, 0xfd];
    body.extend(rng.octets(32));
    body.extend([0, 0, 0xa8, 0]);
    body.extend(value::length16(extensions.len())?);
    body.extend(extensions);
    Ok(body)
}
