//! `rtp` and `srtp` steps: streams of RTP packets (RFC 3550 §5.1, RFC 3711 §3.1).
//!
//! `srtp` with a key sends SRTP. Without one it sends what SRTP looks like from outside: the clear
//! header, then octets without structure, as many as the codec's payload and the tag have.

use overhear_parsers::sdp::Crypto;

use super::FRAMES;
use super::args::Args;
use super::codec::{self, Codec, Content, Voice};
use super::shape::Shape;
use super::value::{self, MS};
use super::world::{Socket, World};
use crate::prove::srtp::MasterKey;

/// A stream to send. Packets are counted from 1.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The codec.
    pub codec: &'static Codec,
    /// What the payload holds.
    pub content: Content,
    /// `pt=`.
    pub pt: u8,
    /// `n=`: packets.
    pub packets: u64,
    /// `every=`: time between packets, nanoseconds.
    pub every: i64,
    /// `size=`: payload octets, without the tag.
    pub size: usize,
    /// Octets of the SRTP tag; `None` for plain RTP.
    pub tag: Option<usize>,
    /// `suite=` and `key=`: what the packets are encrypted with.
    pub key: Option<MasterKey>,
    /// `roc=`: the rollover counter of the first packet.
    pub roc: u32,
    /// `mki=`: octets of the MKI before the tag, the same in every packet.
    pub mki: u8,
    /// `null`: SRTP that authenticates and does not encrypt.
    pub null: bool,
    /// `tsstep=`: ticks per packet.
    pub step: u32,
    /// `ssrc=`.
    pub ssrc: Option<u32>,
    /// `seq=`: the first sequence number, or none in order.
    pub seq: Start,
    /// `ts=`: the first time stamp, or none in order.
    pub ts: Start,
    /// `marker=`: packets with the marker bit.
    pub marker: Vec<(u64, u64)>,
    /// `lose=`: packets that were sent but not captured.
    pub lose: Vec<(u64, u64)>,
    /// `dup=`: packets captured twice, 1 ms apart, with two IP ids.
    pub dup: Vec<(u64, u64)>,
    /// `swap=`: packets captured after their successor.
    pub swap: Vec<(u64, u64)>,
    /// `replay=`: all packets once more that much later, octet for octet; nanoseconds, 0 for never.
    pub replay: i64,
    /// `jitter=`: how much later every second packet comes, nanoseconds.
    pub jitter: i64,
    /// `ext=`: octets of a header extension (RFC 8285 one-byte form), without content.
    pub extension: usize,
}

/// Where a counter starts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Anywhere, as RFC 3550 §5.1 asks.
    Anywhere,
    /// Here.
    At(u32),
    /// Every packet has a new value without any order: no RTP sender does that.
    Disorder,
}

impl Plan {
    /// A stream of `packets` with the codec's usual figures.
    pub(super) fn new(codec: &'static Codec, packets: u64, tag: Option<usize>) -> Self {
        let content =
            if codec.name == "telephone-event" { Content::Event(1) } else { Content::Speech };
        Self {
            codec,
            content,
            pt: codec.pt,
            packets,
            every: i64::from(codec.millis) * MS,
            size: codec.octets,
            tag,
            key: None,
            roc: 0,
            mki: 0,
            null: false,
            step: codec.ticks,
            ssrc: None,
            seq: Start::Anywhere,
            ts: Start::Anywhere,
            marker: vec![(1, 1)],
            lose: Vec::new(),
            dup: Vec::new(),
            swap: Vec::new(),
            replay: 0,
            jitter: 0,
            extension: 0,
        }
    }

    /// Takes the options of an `rtp` or `srtp` step.
    fn read(args: &mut Args<'_>) -> Result<Self, String> {
        let tag = if args.verb == "srtp" {
            Some(usize::from(args.number::<u8>("tag", 10)?))
        } else {
            None
        };
        let codec =
            args.read("codec", codec::by_name)?.map_or_else(|| codec::by_name("PCMU"), Ok)?;
        let mut plan = Self::new(codec, args.number("n", 50)?, tag);
        if tag.is_some() {
            plan.mki = args.number("mki", 0)?;
            plan.null = args.flag("null");
        }
        plan.content = content(args, plan.content)?;
        plan.pt = args.number("pt", plan.pt)?;
        plan.every = args.span("every", plan.every)?;
        plan.size = args.read("size", value::narrow::<u16>)?.map_or(plan.size, usize::from);
        plan.step = args.number("tsstep", plan.step)?;
        plan.ssrc = args.read("ssrc", value::narrow)?;
        plan.seq = args.read("seq", start)?.unwrap_or(plan.seq);
        plan.ts = args.read("ts", start)?.unwrap_or(plan.ts);
        plan.marker = args.read("marker", marker)?.unwrap_or(plan.marker);
        plan.lose = args.ranges("lose")?;
        plan.dup = args.ranges("dup")?;
        plan.swap = args.ranges("swap")?;
        plan.replay = args.span("replay", 0)?;
        plan.jitter = args.span("jitter", 0)?;
        plan.extension = usize::from(args.number::<u16>("ext", 0)?);
        if args.verb == "srtp" {
            let suite = args.option("suite").unwrap_or("AES_CM_128_HMAC_SHA1_80").to_owned();
            let written = args.option("key").map(|key| format!("a=crypto:1 {suite} inline:{key}"));
            plan.key = match written {
                Some(line) => Some(key_of(&line).ok_or("key: not one of this suite")?),
                None => None,
            };
            plan.roc = args.number("roc", 0)?;
        }
        if plan.pt > 127 {
            return Err("pt: a payload type has 7 bits".to_owned());
        }
        Ok(plan)
    }
}

/// The key of an `a=crypto` line, if it is one that packets can be encrypted with.
pub(super) fn key_of(line: &str) -> Option<MasterKey> {
    let line = Crypto::parse(line.strip_prefix("a=crypto:")?.as_bytes())?;
    MasterKey::of_line(&line).next()
}

fn content(args: &mut Args<'_>, usual: Content) -> Result<Content, String> {
    if let Some(event) = args.read("event", value::narrow)? {
        return Ok(Content::Event(event));
    }
    Ok(match args.option("payload") {
        None => usual,
        Some("speech") => Content::Speech,
        Some("tone") => Content::Tone,
        Some("silence") => Content::Silence,
        Some("random") => Content::Random,
        Some("keys") => Content::Keys,
        Some("answering") => Content::Answering,
        Some("calling") => Content::Calling,
        Some(other) => {
            return Err(format!(
                "payload: `{other}` is not one of speech, tone, silence, random, \
                 keys, answering, calling"
            ));
        }
    })
}

fn start(text: &str) -> Result<Start, String> {
    if text == "random" { Ok(Start::Disorder) } else { Ok(Start::At(value::narrow(text)?)) }
}

fn marker(text: &str) -> Result<Vec<(u64, u64)>, String> {
    match text {
        "none" => Ok(Vec::new()),
        "first" => Ok(vec![(1, 1)]),
        list => value::ranges(list),
    }
}

/// Carries out an `rtp` or `srtp` step and returns the time of its last packet.
pub(super) fn step(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let ends = args.ends()?;
    let (from, to) = world.sockets(ends, (40_000, 50_000))?;
    let plan = Plan::read(args)?;
    let (both, streams) = (args.flag("both"), args.number::<u16>("streams", 1)?);
    let most = u64::try_from(FRAMES).unwrap_or(u64::MAX);
    if plan.packets.saturating_mul(u64::from(streams)) > most {
        return Err(format!("n: more than {FRAMES} frames"));
    }
    let mut end = at;
    for index in 0..streams {
        let shift = |socket: Socket| socket.at(socket.port.wrapping_add(index.wrapping_mul(2)));
        let (from, to) = (shift(from), shift(to));
        let there = plan.ssrc.map(|ssrc| ssrc.wrapping_add(u32::from(index).wrapping_mul(2)));
        let one = Plan { ssrc: there, ..plan.clone() };
        end = end.max(send(world, at, (from, to), &one, shape)?);
        if both {
            let back = Plan { ssrc: there.map(|ssrc| ssrc.wrapping_add(1)), ..plan.clone() };
            // The two directions are not in step.
            let later = at.saturating_add(7 * MS);
            end = end.max(send(world, later, (to, from), &back, shape)?);
        }
    }
    Ok(end)
}

/// Sends one stream and returns the time of its last packet.
pub(super) fn send(
    world: &mut World,
    at: i64,
    ends: (Socket, Socket),
    plan: &Plan,
    shape: &Shape,
) -> Result<i64, String> {
    let mut rng = world.rng();
    let ssrc = plan.ssrc.unwrap_or_else(|| value::low32(rng.next()));
    // Below 2^15, so that SRTP's rollover counter starts at 0 for certain (RFC 3711 §3.3.1).
    let first_seq = value::low16(rng.next()) & 0x7fff;
    let first_ts = value::low32(rng.next());
    let mut voice = Voice::new(plan.codec, plan.content, plan.size, world.rng());
    let (mut now, mut end) = (at, at);
    let session = plan.key.and_then(|key| Some((key, key.session()?)));
    let (mut roc, mut last) = (plan.roc, 0);
    for number in 1..=plan.packets {
        let before = number.wrapping_sub(1);
        let seq = match plan.seq {
            Start::Anywhere => first_seq.wrapping_add(value::low16(before)),
            Start::At(first) => value::low16(u64::from(first).wrapping_add(before)),
            Start::Disorder => value::low16(rng.next()),
        };
        let ticks = value::low32(before.wrapping_mul(u64::from(plan.step)));
        let ts = match plan.ts {
            Start::Anywhere => first_ts.wrapping_add(ticks),
            Start::At(first) => first.wrapping_add(ticks),
            Start::Disorder => value::low32(rng.next()),
        };
        let mut packet = header(plan, number, seq, ts, ssrc);
        let payload = voice.next(plan.packets.saturating_sub(number));
        roc = roc.wrapping_add(u32::from(seq < last));
        last = seq;
        match (&session, plan.tag) {
            (Some((key, session)), _) => {
                packet.extend(payload);
                let mki = vec![1; usize::from(key.mki_octets())];
                packet = session.protect(&packet, roc, &mki).unwrap_or(packet);
            }
            (None, Some(tag)) => {
                let hidden = if plan.null { payload } else { rng.octets(payload.len()) };
                packet.extend(hidden);
                packet.extend((0..plan.mki).map(|i| 0xa0 | i));
                packet.extend(rng.octets(tag));
            }
            (None, None) => packet.extend(payload),
        }
        // A swapped packet arrives a little after the one behind it.
        let late =
            if value::within(&plan.swap, number) { plan.every.saturating_add(MS) } else { 0 };
        let uneven = if number.is_multiple_of(2) { plan.jitter } else { 0 };
        let seen = now.saturating_add(late).saturating_add(uneven);
        if !value::within(&plan.lose, number) {
            world.udp(seen, ends, &packet, shape)?;
            end = end.max(seen);
        }
        let copies = [(value::within(&plan.dup, number), MS), (plan.replay > 0, plan.replay)];
        for (_, later) in copies.into_iter().filter(|(sent, _)| *sent) {
            world.udp(seen.saturating_add(later), ends, &packet, shape)?;
        }
        now = now.saturating_add(plan.every);
    }
    Ok(end)
}

fn header(plan: &Plan, number: u64, seq: u16, ts: u32, ssrc: u32) -> Vec<u8> {
    let marked = if value::within(&plan.marker, number) { 0x80 } else { 0 };
    let words = plan.extension.div_ceil(4);
    let mut octets = vec![if words > 0 { 0x90 } else { 0x80 }, marked | plan.pt];
    octets.extend(seq.to_be_bytes());
    octets.extend(ts.to_be_bytes());
    octets.extend(ssrc.to_be_bytes());
    if words > 0 {
        octets.extend([0xbe, 0xde]);
        octets.extend(u16::try_from(words).unwrap_or(u16::MAX).to_be_bytes());
        octets.extend(vec![0; words.saturating_mul(4)]);
    }
    octets
}
