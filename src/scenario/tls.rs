//! `tls` steps: the records of TLS 1.3 as a tap sees them (RFC 8446 §4, §5, appendix D.4).
//!
//! A handshake shows both hellos, `change_cipher_spec` and sealed records; nothing is really
//! encrypted, the sealed octets are random.

use super::args::Args;
use super::rng::Rng;
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
    let (from, to) = world.sockets(ends, (49_152, 5061))?;
    let cutting = Cutting { midstream: args.flag("midstream"), ..Cutting::default() };
    let (records, size) = (args.number::<u64>("records", 4)?, args.number("size", 400)?);
    let handshake = args.choice("handshake", &["yes", "no"])? == "yes";
    let name = args.option("sni").unwrap_or("sip.example.org").to_owned();
    let mut now = at;
    if handshake && tcp::secure(world, (from, to)) {
        now = shake(world, now, (from, to), (&name, &cutting), shape)?;
    }
    for number in 0..records {
        // Both sides speak in turn.
        let ends = if number % 2 == 0 { (from, to) } else { (to, from) };
        let octets = sealed(&mut world.rng(), size);
        now = tcp::transmit(world, now.saturating_add(5 * MS), ends, &octets, &cutting, shape)?;
    }
    Ok(now)
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
    let mut now = at;
    if tcp::secure(world, ends) {
        now = shake(world, now, ends, ("sip.example.org", &cutting), shape)?.saturating_add(MS);
    }
    let octets = sealed(&mut world.rng(), length);
    tcp::transmit(world, now, ends, &octets, &cutting, shape)
}

fn shake(
    world: &mut World,
    at: i64,
    (client, server): (Socket, Socket),
    (name, cutting): (&str, &Cutting),
    shape: &Shape,
) -> Result<i64, String> {
    let mut rng = world.rng();
    let session = rng.octets(32);
    let hello = record(22, 0x0301, &client_hello(&mut rng, &session, name)?)?;
    let now = tcp::transmit(world, at, (client, server), &hello, cutting, shape)?;
    let mut flight = record(22, 0x0303, &server_hello(&mut rng, &session)?)?;
    flight.extend([20, 3, 3, 0, 1, 1]);
    // EncryptedExtensions, Certificate, CertificateVerify and Finished.
    flight.extend(sealed(&mut rng, 1_100));
    let now = now.saturating_add(5 * MS);
    let now = tcp::transmit(world, now, (server, client), &flight, cutting, shape)?;
    let mut finished = vec![20, 3, 3, 0, 1, 1];
    finished.extend(sealed(&mut rng, 52));
    tcp::transmit(world, now.saturating_add(MS), (client, server), &finished, cutting, shape)
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

/// A handshake message: type, 24-bit length, body.
pub(super) fn handshake(kind: u8, body: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = vec![kind, 0];
    octets.extend(value::length16(body.len())?);
    octets.extend(body);
    Ok(octets)
}

/// An extension: type, length, body.
pub(super) fn extension(kind: u16, body: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = kind.to_be_bytes().to_vec();
    octets.extend(value::length16(body.len())?);
    octets.extend(body);
    Ok(octets)
}

fn client_hello(rng: &mut Rng, session: &[u8], name: &str) -> Result<Vec<u8>, String> {
    let mut extensions = Vec::new();
    let mut server_name = value::length16(name.len().saturating_add(3))?.to_vec();
    server_name.push(0);
    server_name.extend(value::length16(name.len())?);
    server_name.extend(name.as_bytes());
    extensions.extend(extension(0, &server_name)?);
    // x25519 and secp256r1.
    extensions.extend(extension(10, &[0, 4, 0, 0x1d, 0, 0x17])?);
    // ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256, rsa_pkcs1_sha256.
    extensions.extend(extension(13, &[0, 6, 4, 3, 8, 4, 4, 1])?);
    // TLS 1.3 and 1.2.
    extensions.extend(extension(43, &[4, 3, 4, 3, 3])?);
    let mut share = vec![0, 36, 0, 0x1d, 0, 32];
    share.extend(rng.octets(32));
    extensions.extend(extension(51, &share)?);
    let mut body = vec![3, 3];
    body.extend(rng.octets(32));
    body.push(32);
    body.extend(session);
    // AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305 of TLS 1.3; ECDHE-RSA-AES128-GCM of 1.2.
    body.extend([0, 8, 0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2f, 1, 0]);
    body.extend(value::length16(extensions.len())?);
    body.extend(extensions);
    handshake(1, &body)
}

fn server_hello(rng: &mut Rng, session: &[u8]) -> Result<Vec<u8>, String> {
    let mut share = vec![0, 0x1d, 0, 32];
    share.extend(rng.octets(32));
    let mut extensions = extension(43, &[3, 4])?;
    extensions.extend(extension(51, &share)?);
    let mut body = vec![3, 3];
    body.extend(rng.octets(32));
    body.push(32);
    body.extend(session);
    body.extend([0x13, 1, 0]);
    body.extend(value::length16(extensions.len())?);
    body.extend(extensions);
    handshake(2, &body)
}
