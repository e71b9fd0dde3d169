//! What goes beside RTP: `digits` (RFC 4733), `udptl` (ITU-T T.38) and `zrtp` (RFC 6189) steps.

use super::args::Args;
use super::shape::Shape;
use super::value::{self, MS};
use super::world::{Socket, World};

/// Keys in the order of their event numbers (RFC 4733 §3.2).
const KEYS: &str = "0123456789*#ABCD";
/// Packets of one event: while the key is down, and at its end.
const PACKETS: u16 = 7;
/// The last of them say that it ended.
const LAST: u16 = 3;
/// The time between them, milliseconds, and in ticks of 8 kHz.
const EVERY_MS: i64 = 20;
const TICKS: u16 = 160;

/// `digits alice:40000 > pbx:50000 keys=1234#`: each key as one event of seven packets.
pub(super) fn digits(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let ends = world.sockets(ends, (40_000, 50_000))?;
    let keys = args.option("keys").unwrap_or("1");
    let (pt, ssrc) = (args.number::<u8>("pt", 101)?, args.number::<u32>("ssrc", 0x2833_2833)?);
    let every = args.span("every", 200 * MS)?;
    let (mut seq, first) = (args.number::<u16>("seq", 1_000)?, args.number::<u32>("ts", 160_000)?);
    // Octets of an authentication tag: then it is not in clear.
    let tag = usize::from(args.number::<u8>("tag", 0)?);
    let mut rng = world.rng();
    let mut end = at;
    for (number, key) in (0_i64..).zip(keys.chars()) {
        let event = KEYS.chars().position(|known| known == key.to_ascii_uppercase());
        let event = event.and_then(|event| u8::try_from(event).ok());
        let event = event.ok_or_else(|| format!("keys: `{key}` is not one of {KEYS}"))?;
        let begin = at.saturating_add(every.saturating_mul(number));
        let ticks =
            value::low32(u64::try_from(every.saturating_mul(number)).unwrap_or(0) / 125_000);
        for packet in 1..=PACKETS {
            let over = packet.saturating_add(LAST) > PACKETS;
            let steps = packet.min(PACKETS.saturating_sub(LAST).saturating_add(1));
            let marker = if packet == 1 { 0x80 } else { 0 };
            let mut octets = vec![0x80, marker | pt & 0x7f];
            octets.extend(seq.to_be_bytes());
            octets.extend(first.wrapping_add(ticks).to_be_bytes());
            octets.extend(ssrc.to_be_bytes());
            if tag == 0 {
                octets.extend([event, if over { 0x8a } else { 0x0a }]);
                octets.extend(steps.saturating_mul(TICKS).to_be_bytes());
            } else {
                octets.extend(rng.octets(tag.saturating_add(4)));
            }
            end =
                begin.saturating_add(EVERY_MS.saturating_mul(i64::from(packet)).saturating_mul(MS));
            world.udp(end, ends, &octets, shape)?;
            seq = seq.wrapping_add(1);
        }
    }
    Ok(end)
}

/// `udptl alice:40000 > pbx:50000 n=20`: datagrams with image data and the one before it once more.
pub(super) fn udptl(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let ends = world.sockets(ends, (40_000, 50_000))?;
    let packets: u16 = args.number("n", 20)?;
    let every = args.span("every", 30 * MS)?;
    let size = usize::from(args.number::<u8>("size", 40)?.min(120));
    let mut rng = world.rng();
    let (mut before, mut end) = (Vec::new(), at);
    for number in 0..packets {
        // A field of V.17 data (ITU-T T.38 §7.3).
        let mut primary = vec![0xc4, 0x01];
        primary.extend(rng.octets(size));
        let mut octets = number.to_be_bytes().to_vec();
        octets.push(u8::try_from(primary.len()).unwrap_or_default());
        octets.extend(&primary);
        octets.extend([0, u8::from(!before.is_empty())]);
        if !before.is_empty() {
            octets.push(u8::try_from(before.len()).unwrap_or_default());
            octets.extend(&before);
        }
        end = at.saturating_add(every.saturating_mul(i64::from(number)));
        world.udp(end, ends, &octets, shape)?;
        before = primary;
    }
    Ok(end)
}

/// `zrtp alice:40000 > pbx:50000 hello`: one message. The Hello of a port is always the same, so that
/// its hash can stand in SDP.
pub(super) fn zrtp(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let ends = world.sockets(ends, (40_000, 50_000))?;
    let types = [
        ("hello", b"Hello   "),
        ("helloack", b"HelloACK"),
        ("commit", b"Commit  "),
        ("confirm2", b"Confirm2"),
        ("conf2ack", b"Conf2ACK"),
        ("goclear", b"GoClear "),
    ];
    let found = types.into_iter().find(|(name, _)| args.flag(name));
    let (name, kind) = found.ok_or("which message: hello, helloack, commit, confirm2, ...")?;
    let message = message(ends.0, name, *kind)?;
    let mut octets = vec![0x10, 0, 0, 1];
    octets.extend(b"ZRTP");
    octets.extend(args.number::<u32>("ssrc", 0x1122_3344)?.to_be_bytes());
    octets.extend(message);
    octets.extend([0; 4]);
    world.udp(at, ends, &octets, shape)?;
    Ok(at)
}

/// Preamble, length, type and, for a Hello, a body that is the same for each socket.
fn message(from: Socket, name: &str, kind: [u8; 8]) -> Result<Vec<u8>, String> {
    let body = if name == "hello" {
        let mut body = b"1.10overhear scenario".to_vec();
        body.resize(64, 0);
        body.extend(from.port.to_be_bytes());
        body.resize(76, 0);
        body
    } else {
        Vec::new()
    };
    let words = body.len().saturating_add(12) / 4;
    let mut octets = vec![0x50, 0x5a];
    octets.extend(value::length16(words)?);
    octets.extend(kind);
    octets.extend(body);
    Ok(octets)
}
