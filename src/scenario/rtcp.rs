//! `rtcp` and `srtcp` steps: one compound packet (RFC 3550 §6, RFC 3711 §3.4).

use super::args::Args;
use super::shape::Shape;
use super::value::{self, low32};
use super::world::World;

/// Seconds between 1900 (NTP) and 1970.
const NTP_OFFSET: i64 = 2_208_988_800;

/// Carries out a step and returns its time.
pub(super) fn step(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let ends = world.sockets(ends, (40_001, 50_001))?;
    let ssrc: u32 = args.number("ssrc", 0x1122_3344)?;
    let block = report_block(args, at)?;
    let mut octets = if args.flag("sr") {
        sender_report(args, ssrc, at, &block)?
    } else {
        args.flag("rr");
        packet(201, &[&ssrc.to_be_bytes()[..], &block].concat(), usize::from(!block.is_empty()))
    };
    let items = ["sdes", "name", "email", "phone", "loc", "tool", "note"];
    let items: Vec<(u8, &str)> =
        (1..).zip(items).filter_map(|(number, item)| Some((number, args.option(item)?))).collect();
    if !items.is_empty() {
        octets.extend(source_description(ssrc, &items)?);
    }
    if args.flag("bye") {
        octets.extend(packet(203, &ssrc.to_be_bytes(), 1));
    }
    if args.verb == "srtcp" {
        let index: u32 = args.number("index", 0)?;
        let tag: u8 = args.number("tag", 10)?;
        let mki: u8 = args.number("mki", 0)?;
        let clear = args.flag("clear");
        let mut rng = world.rng();
        if !clear {
            let hidden = octets.len().saturating_sub(8);
            octets.truncate(8);
            octets.extend(rng.octets(hidden));
        }
        octets.extend(if clear { index } else { 0x8000_0000 | index }.to_be_bytes());
        octets.extend((0..mki).map(|i| 0xa0 | i));
        octets.extend(rng.octets(usize::from(tag)));
    }
    world.udp(at, ends, &octets, shape)?;
    Ok(at)
}

/// A packet of a compound: V=2, a count, a type, a length in words less one.
fn packet(kind: u8, body: &[u8], count: usize) -> Vec<u8> {
    let count = u8::try_from(count).unwrap_or_default() & 0x1f;
    let words = u16::try_from(body.len().div_ceil(4)).unwrap_or(u16::MAX);
    let mut octets = vec![0x80 | count, kind];
    octets.extend(words.to_be_bytes());
    octets.extend(body);
    octets
}

fn sender_report(args: &mut Args<'_>, ssrc: u32, at: i64, block: &[u8]) -> Result<Vec<u8>, String> {
    let seconds = at.div_euclid(1_000_000_000).wrapping_add(NTP_OFFSET);
    let nanos = u64::try_from(at.rem_euclid(1_000_000_000)).unwrap_or_default();
    let fraction = low32((nanos << 32) / 1_000_000_000);
    let mut body = ssrc.to_be_bytes().to_vec();
    body.extend(low32(u64::try_from(seconds).unwrap_or_default()).to_be_bytes());
    body.extend(fraction.to_be_bytes());
    body.extend(args.number::<u32>("ts", 0)?.to_be_bytes());
    body.extend(args.number::<u32>("packets", 0)?.to_be_bytes());
    body.extend(args.number::<u32>("octets", 0)?.to_be_bytes());
    body.extend(block);
    Ok(packet(200, &body, usize::from(!block.is_empty())))
}

/// The report about `about=`, with `lost=` packets of a fraction `fraction=` and `jitter=` ticks.
fn report_block(args: &mut Args<'_>, _at: i64) -> Result<Vec<u8>, String> {
    let Some(about) = args.read("about", value::narrow::<u32>)? else { return Ok(Vec::new()) };
    let lost: u32 = args.number("lost", 0)?;
    let fraction: u8 = args.number("fraction", 0)?;
    let mut octets = about.to_be_bytes().to_vec();
    let [_, a, b, c] = lost.to_be_bytes();
    octets.extend([fraction, a, b, c]);
    octets.extend(args.number::<u32>("highest", 0)?.to_be_bytes());
    octets.extend(args.number::<u32>("jitter", 0)?.to_be_bytes());
    octets.extend([0; 8]);
    Ok(octets)
}

/// Items by their numbers (RFC 3550 §6.5).
fn source_description(ssrc: u32, items: &[(u8, &str)]) -> Result<Vec<u8>, String> {
    let mut body = ssrc.to_be_bytes().to_vec();
    for (number, text) in items {
        let length = u8::try_from(text.len()).map_err(|_| "an item is longer than 255")?;
        body.extend([*number, length]);
        body.extend(text.as_bytes());
    }
    // At least one zero octet ends the list of items.
    body.push(0);
    while !body.len().is_multiple_of(4) {
        body.push(0);
    }
    Ok(packet(202, &body, 1))
}
