//! The `call` step: a whole call, from INVITE to the last response, with its media.

use super::args::Args;
use super::auth::Auth;
use super::codec::{self, Codec};
use super::dialog::{self, Dialog, Media, More, Request};
use super::register::signalling;
use super::rtp::{self, Plan};
use super::shape::Shape;
use super::value::MS;
use super::world::{Socket, World};
use crate::prove::srtp::MasterKey;

/// What a `call` line asks for.
#[derive(Clone, Debug)]
struct Call {
    auth: Option<Auth>,
    media: (Media, Media),
    codec: &'static Codec,
    tag: Option<usize>,
    /// Of the caller's media and of the callee's.
    keys: [Option<MasterKey>; 2],
    streams: (bool, bool),
    ring: i64,
    talk: i64,
    code: u16,
    cancel: bool,
    early: bool,
    late_offer: bool,
    /// A re-INVITE in the middle of the talk, and its answer.
    again: Option<(Media, Media)>,
    hangup: &'static str,
}

/// Carries out a `call` step and returns the time of its last packet.
pub(super) fn step(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let mut dialog = signalling(world, args, at, shape)?;
    let call = Call::read(world, args, &mut dialog)?;
    let Some(invite) = call.set_up(world, &mut dialog)? else { return Ok(dialog.now) };
    let mut end = dialog.now;
    if call.talk > 0 {
        end = end.max(call.talk(world, dialog.now, call.talk, shape)?);
    }
    let over = dialog.now.saturating_add(call.talk);
    let mut last = invite.cseq;
    if let Some(again) = &call.again {
        dialog.now = dialog.now.saturating_add(call.talk / 2);
        last = last.wrapping_add(1);
        renegotiate(world, &mut dialog, last, again)?;
    }
    dialog.now = over.max(dialog.now);
    if call.hangup != "none" {
        let by_caller = call.hangup == "caller";
        let number = if by_caller { last.wrapping_add(1) } else { 1 };
        let bye = dialog.request("BYE", number, by_caller);
        dialog.ask(world, 20 * MS, &bye, &More { tagged: true, ..More::default() })?;
        dialog.answer(world, 10 * MS, (200, &bye), &More::default())?;
    }
    Ok(end.max(dialog.now))
}

impl Call {
    fn read(world: &mut World, args: &mut Args<'_>, dialog: &mut Dialog) -> Result<Self, String> {
        let codecs: Vec<&'static Codec> = args
            .option("codec")
            .unwrap_or("PCMU")
            .split(',')
            .map(codec::by_name)
            .collect::<Result<_, _>>()?;
        let first = codecs.first().copied().ok_or_else(|| "codec: none given".to_owned())?;
        let number = world.call_number();
        let ports = (40_000_u16.wrapping_add(number), 50_000_u16.wrapping_add(number));
        let ports = args.read("ports", pair)?.unwrap_or(ports);
        let ends = places(world, args, dialog, ports)?;
        let Described { media, again, tag, keys } = describe(args, dialog, &codecs, ends)?;
        let streams = match args.choice("media", &["both", "caller", "callee", "none"])? {
            "caller" => (true, false),
            "callee" => (false, true),
            "none" => (false, false),
            _ => (true, true),
        };
        Ok(Self {
            auth: Auth::read(args, 407)?,
            media,
            codec: first,
            tag,
            keys,
            streams,
            ring: args.span("ring", 200 * MS)?,
            talk: args.span("talk", 2_000 * MS)?,
            code: args.number("final", 200)?,
            cancel: args.flag("cancel"),
            early: args.flag("early"),
            late_offer: args.flag("late-offer"),
            again,
            hangup: args.choice("hangup", &["caller", "callee", "none"])?,
        })
    }

    /// INVITE to ACK. Returns the INVITE that was answered with 2xx, if one was.
    fn set_up(&self, world: &mut World, dialog: &mut Dialog) -> Result<Option<Request>, String> {
        let with = |sdp: Option<&Media>| More { sdp: sdp.map(Media::text), ..More::default() };
        let offer = with((!self.late_offer).then_some(&self.media.0));
        let answer = with(Some(&self.media.1));
        let tagged = More { tagged: true, ..More::default() };
        let mut invite = dialog.request("INVITE", 1, true);
        dialog.ask(world, 0, &invite, &offer)?;
        if let Some(auth) = &self.auth {
            let challenge = More { headers: auth.challenge(), ..More::default() };
            dialog.answer(world, 10 * MS, (auth.code, &invite), &challenge)?;
            dialog.ask(world, MS, &Request { method: "ACK", ..invite.clone() }, &tagged)?;
            invite = dialog.request("INVITE", 2, true);
            let credentials = auth.credentials(dialog, &invite);
            let again = More { headers: vec![credentials], ..offer.clone() };
            dialog.ask(world, 5 * MS, &invite, &again)?;
        }
        dialog.answer(world, 5 * MS, (100, &invite), &More::default())?;
        if self.early {
            dialog.answer(world, 30 * MS, (183, &invite), &answer)?;
            // Before the answer only the callee's side speaks: a ringing tone, an announcement.
            let early = Self { streams: (false, self.streams.1), ..self.clone() };
            early.talk(world, dialog.now, self.ring, &dialog.shape)?;
        } else if self.code != 0 || self.cancel {
            dialog.answer(world, 30 * MS, (180, &invite), &More::default())?;
        }
        if self.cancel {
            return self.cancelled(world, dialog, &invite).map(|()| None);
        }
        if self.code == 0 {
            return Ok(None);
        }
        let answered = (200..300).contains(&self.code);
        let body = if answered { &answer } else { &More::default() };
        dialog.answer(world, self.ring, (self.code, &invite), body)?;
        let ack = Request { method: "ACK", ..invite.clone() };
        if !answered {
            dialog.ask(world, MS, &ack, &tagged)?;
            return Ok(None);
        }
        // The ACK of a 2xx is a transaction of its own (RFC 3261 §13.2.2.4).
        let ack = Request { branch: dialog.request("ACK", 1, true).branch, ..ack };
        let sdp = self.late_offer.then(|| self.media.0.text());
        dialog.ask(world, 10 * MS, &ack, &More { sdp, ..tagged })?;
        Ok(Some(invite))
    }

    /// CANCEL, its 200, the 487 and its ACK (RFC 3261 §9).
    fn cancelled(
        &self,
        world: &mut World,
        dialog: &mut Dialog,
        invite: &Request,
    ) -> Result<(), String> {
        let cancel = Request { method: "CANCEL", ..invite.clone() };
        dialog.ask(world, self.ring, &cancel, &More::default())?;
        dialog.answer(world, 5 * MS, (200, &cancel), &More::default())?;
        dialog.answer(world, MS, (487, invite), &More::default())?;
        let ack = Request { method: "ACK", ..invite.clone() };
        dialog.ask(world, MS, &ack, &More { tagged: true, ..More::default() })
    }

    /// Media from `at` for `span`; returns the time of the last packet.
    fn talk(&self, world: &mut World, at: i64, span: i64, shape: &Shape) -> Result<i64, String> {
        let every = i64::from(self.codec.millis) * MS;
        let packets = u64::try_from(span / every.max(1)).unwrap_or_default();
        let plan = Plan::new(self.codec, packets, self.tag);
        let [calling, called] = self.keys.map(|key| Plan { key, ..plan.clone() });
        let (near, far) = (self.media.0.socket, self.media.1.socket);
        let mut end = at;
        if self.streams.0 {
            end = end.max(rtp::send(world, at, (near, far), &calling, shape)?);
        }
        if self.streams.1 {
            let later = at.saturating_add(7 * MS);
            end = end.max(rtp::send(world, later, (far, near), &called, shape)?);
        }
        Ok(end)
    }
}

/// What both sides write, and how many octets of a tag the packets have.
struct Described {
    media: (Media, Media),
    again: Option<(Media, Media)>,
    tag: Option<usize>,
    keys: [Option<MasterKey>; 2],
}

/// The descriptions of both sides.
fn describe(
    args: &mut Args<'_>,
    dialog: &mut Dialog,
    codecs: &[&'static Codec],
    ends: (Socket, Socket),
) -> Result<Described, String> {
    let suite = args.option("crypto").map(str::to_owned);
    let fingerprint = args.flag("fingerprint");
    let profile = match (&suite, fingerprint) {
        (Some(_), _) => "RTP/SAVP",
        (None, true) => "UDP/TLS/RTP/SAVPF",
        (None, false) => "RTP/AVP",
    };
    let profile = args.option("profile").unwrap_or(profile).to_owned();
    let answered = args.option("answer-profile").unwrap_or(&profile).to_owned();
    let again = args.option("reinvite").map(str::to_owned);
    let told = (args.option("key"), args.option("answer-key"));
    let lines = Lines::read(args.body)?;
    let mut keys = [None; 2];
    let mut side = |number: usize, socket: Socket, profile: &str, more: &[String]| {
        let (setup, told) = if number == 0 { ("actpass", told.0) } else { ("active", told.1) };
        let mut keying = Vec::new();
        if let Some(suite) = &suite {
            let line = dialog::crypto(suite, told, &mut dialog.rng);
            if let Some(key) = keys.get_mut(number) {
                *key = rtp::key_of(&line);
            }
            keying.push(line);
        }
        if fingerprint {
            keying.push(dialog::fingerprint(&mut dialog.rng));
            keying.push(format!("a=setup:{setup}"));
        }
        let formats = codecs.iter().map(|codec| (codec.pt, attributes(codec))).collect();
        keying.extend(more.iter().cloned());
        Media { socket, profile: profile.to_owned(), formats, keying }
    };
    let media =
        (side(0, ends.0, &profile, &lines.offer), side(1, ends.1, &answered, &lines.answer));
    let again = again.map(|profile| {
        let plain = |of: &Media, keying: &[String]| Media {
            profile: profile.clone(),
            keying: keying.to_vec(),
            ..of.clone()
        };
        (plain(&media.0, &lines.again), plain(&media.1, &[]))
    });
    let tag = match suite.as_deref() {
        Some(suite) if suite.ends_with("_32") => Some(4),
        Some(suite) if suite.ends_with("GCM") => Some(16),
        Some(_) => Some(10),
        None => fingerprint.then_some(10),
    };
    let tag = match args.choice("packets", &["as-agreed", "clear", "sealed"])? {
        "clear" => None,
        "sealed" => tag.or(Some(10)),
        _ => tag,
    };
    let keys = if tag.is_some() { keys } else { [None; 2] };
    Ok(Described { media, again, tag, keys })
}

/// A re-INVITE with an offer, its answer, and the ACK (RFC 3261 §14).
fn renegotiate(
    world: &mut World,
    dialog: &mut Dialog,
    cseq: u32,
    (offer, answer): &(Media, Media),
) -> Result<(), String> {
    let with = |sdp: &Media| More { sdp: Some(sdp.text()), tagged: true, ..More::default() };
    let invite = dialog.request("INVITE", cseq, true);
    dialog.ask(world, MS, &invite, &with(offer))?;
    dialog.answer(world, 20 * MS, (200, &invite), &with(answer))?;
    let branch = dialog.request("ACK", cseq, true).branch;
    let ack = Request { method: "ACK", branch, ..invite };
    dialog.ask(world, 10 * MS, &ack, &More { tagged: true, ..More::default() })
}

/// Lines of SDP below the step: `offer a=...`, `answer a=...`, `again a=...`.
#[derive(Default)]
struct Lines {
    offer: Vec<String>,
    answer: Vec<String>,
    again: Vec<String>,
}

impl Lines {
    fn read(body: &[&str]) -> Result<Self, String> {
        let mut lines = Self::default();
        for line in body.iter().filter(|line| !line.is_empty()) {
            let (whose, line) = line.split_once(' ').unwrap_or((line, ""));
            let list = match whose {
                "offer" => &mut lines.offer,
                "answer" => &mut lines.answer,
                "again" => &mut lines.again,
                _ => return Err(format!("`{whose}` is not one of offer, answer, again")),
            };
            list.push(line.to_owned());
        }
        Ok(lines)
    }
}

/// Where the two sides say that their media is: `at=`, or ports of their own.
fn places(
    world: &World,
    args: &mut Args<'_>,
    dialog: &Dialog,
    ports: (u16, u16),
) -> Result<(Socket, Socket), String> {
    match args.option("at").map(|both| both.split_once(',').ok_or("at: two addresses")) {
        Some(both) => world.sockets(both?, ports),
        None => Ok((dialog.caller.at(ports.0), dialog.callee.at(ports.1))),
    }
}

/// `a=rtpmap` and `a=fmtp` of a codec.
fn attributes(codec: &Codec) -> Vec<String> {
    let mut lines =
        vec![format!("a=rtpmap:{} {}/{}{}", codec.pt, codec.name, codec.rate, codec.extra.0)];
    lines.extend(codec.extra.1.map(|fmtp| format!("a=fmtp:{} {fmtp}", codec.pt)));
    lines
}

fn pair(text: &str) -> Result<(u16, u16), String> {
    let (first, second) = text
        .split_once(',')
        .ok_or_else(|| "two ports, the caller's and the callee's".to_owned())?;
    Ok((super::value::narrow(first)?, super::value::narrow(second)?))
}
