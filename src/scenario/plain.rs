//! `udp`, `tcp`, `dns` and `stun` steps.

use super::args::Args;
use super::message;
use super::shape::Shape;
use super::tcp::{self, Cutting};
use super::value::{self, MS};
use super::wire;
use super::world::{Socket, World};
use std::net::IpAddr;

/// The magic cookie (RFC 8489 §5).
const COOKIE: u32 = 0x2112_a442;

/// One datagram with what stands below the line.
pub(super) fn udp(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let ends = world.sockets(ends, (5060, 5060))?;
    let payload = message::payload(world, args)?;
    world.udp(at, ends, &payload, shape)?;
    Ok(at)
}

/// What stands below the line, over a connection; or the connection's end.
pub(super) fn tcp(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let ends = world.sockets(ends, (49_152, 5060))?;
    if args.flag("close") {
        return tcp::close(world, at, ends, shape);
    }
    let refused = args.flag("refused");
    if refused || args.flag("unanswered") {
        return tcp::knock(world, at, ends, refused, shape);
    }
    let cutting = Cutting::read(args)?;
    let payload = message::payload(world, args)?;
    tcp::transmit(world, at, ends, &payload, &cutting, shape)
}

/// A query and its answer (RFC 1035 §4).
pub(super) fn dns(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let (client, server) = world.sockets(ends, (53_000, 53))?;
    let name = args.option("name").unwrap_or("sip.example.org");
    let identifier = value::low16(world.rng().next()).to_be_bytes();
    let mut question = Vec::new();
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).map_err(|_| "name: a label is too long")?);
        question.extend(label.as_bytes());
    }
    question.extend([0, 0, 1, 0, 1]);
    let mut query = identifier.to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    query.extend(&question);
    world.udp(at, (client, server), &query, shape)?;
    let mut answer = identifier.to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    answer.extend(&question);
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 198, 51, 100, 99]);
    let end = at.saturating_add(3 * MS);
    world.udp(end, (server, client), &answer, shape)?;
    Ok(end)
}

/// A Binding request and, unless `unanswered`, its success response (RFC 8489 §5, §14).
pub(super) fn stun(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let (client, server) = world.sockets(ends, (40_000, 50_000))?;
    let transaction = world.rng().octets(12);
    let request = stun_message(0x0001, &transaction, &[])?;
    world.udp(at, (client, server), &request, shape)?;
    if args.flag("unanswered") {
        return Ok(at);
    }
    let mapped = xor_address(0x0020, client, &transaction);
    let response = stun_message(0x0101, &transaction, &mapped)?;
    let end = at.saturating_add(2 * MS);
    world.udp(end, (server, client), &response, shape)?;
    Ok(end)
}

/// A message with its attributes and FINGERPRINT.
pub(super) fn stun_message(
    kind: u16,
    transaction: &[u8],
    attributes: &[u8],
) -> Result<Vec<u8>, String> {
    let mut octets = kind.to_be_bytes().to_vec();
    octets.extend(value::length16(attributes.len().saturating_add(8))?);
    octets.extend(COOKIE.to_be_bytes());
    octets.extend(transaction);
    octets.extend(attributes);
    let sum = crc32(&octets) ^ 0x5354_554e;
    octets.extend([0x80, 0x28, 0, 4]);
    octets.extend(sum.to_be_bytes());
    Ok(octets)
}

/// An attribute like XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
pub(super) fn xor_address(kind: u16, client: Socket, transaction: &[u8]) -> Vec<u8> {
    let mut mask = COOKIE.to_be_bytes().to_vec();
    let [high, low] = client.port.to_be_bytes();
    let port = [high ^ 0x21, low ^ 0x12];
    mask.extend(transaction);
    let (family, address) = match client.ip {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    let length = u8::try_from(address.len()).unwrap_or_default().saturating_add(4);
    let mut octets = kind.to_be_bytes().to_vec();
    octets.extend([0, length, 0, family]);
    octets.extend(port);
    octets.extend(address.iter().zip(mask).map(|(octet, mask)| octet ^ mask));
    octets
}

/// The CRC-32 of ISO/IEC 3309.
fn crc32(octets: &[u8]) -> u32 {
    wire::crc32(octets, 0xedb8_8320)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_has_its_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
