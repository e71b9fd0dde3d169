//! Statements to frames: declarations change the world, steps send packets in it.

use super::args::{Args, When};
use super::shape::Shape;
use super::text::{self, Statement};
use super::value::{self, MS};
use super::world::{Host, World};
use super::{
    Expectation, FRAMES, Scenario, beside, call, dtls, expect, plain, register, relay, rtcp, rtp,
    sctp, tls, wire, ws,
};
use crate::model::time::Span;
use crate::policy::{Limits, Policy};

/// A verb that sends packets: it returns the true time of the last one.
type Step = fn(&mut World, &mut Args<'_>, i64, &Shape) -> Result<i64, String>;

/// The steps by their verb.
static STEPS: [(&str, Step); 21] = [
    ("call", call::step),
    ("digits", beside::digits),
    ("dns", plain::dns),
    ("dtls", dtls::step),
    ("framed", relay::framed),
    ("options", register::options),
    ("register", register::register),
    ("rtcp", rtcp::step),
    ("rtp", rtp::step),
    ("sctp", sctp::step),
    ("srtcp", rtcp::step),
    ("srtp", rtp::step),
    ("stun", plain::stun),
    ("tcp", plain::tcp),
    ("tls", tls::step),
    ("turn", relay::turn),
    ("udp", plain::udp),
    ("udptl", beside::udptl),
    ("wait", wait),
    ("ws", ws::step),
    ("zrtp", beside::zrtp),
];

/// How long after the last packet the next step begins, if it does not say.
const PAUSE: i64 = MS;

/// Reads and carries out a text. The error is a line number and a sentence.
pub(super) fn compile(text: &str, name: &str) -> Result<Scenario, (usize, String)> {
    let mut world = World::new();
    let mut policy = Policy::default();
    let mut expectations = Vec::new();
    for statement in &text::statements(text)? {
        let outcome = if statement.verb == "expect" {
            expect::read(statement.rest).map(|wanted| expectations.push(wanted))
        } else {
            carry_out(&mut world, &mut policy, &expectations, statement)
        };
        outcome.map_err(|message| (statement.line, message))?;
    }
    Ok(Scenario {
        title: text::title(text).unwrap_or(name).to_owned(),
        frames: world.finish(),
        expectations,
        policy,
    })
}

fn carry_out(
    world: &mut World,
    policy: &mut Policy,
    expectations: &[Expectation],
    statement: &Statement<'_>,
) -> Result<(), String> {
    if !expectations.is_empty() {
        return Err("`expect` lines end a scenario: nothing comes after them".to_owned());
    }
    let found = STEPS.iter().find(|(verb, _)| *verb == statement.verb);
    if let Some((_, step)) = found {
        return repeated(world, statement, *step);
    }
    let mut args = Args::new(statement)?;
    match statement.verb {
        "host" => host(world, &mut args)?,
        "link" => {
            let name = before_steps(world, &mut args)?;
            world.link = wire::link(name)
                .ok_or_else(|| format!("`{name}` is not ethernet, sll, sll2, raw, null or loop"))?;
        }
        "start" => {
            let moment = value::moment(before_steps(world, &mut args)?)?;
            (world.start, world.clock) = (moment, moment);
        }
        "set" => world.shape = world.shape.with(&mut args)?,
        "jump" => jump(world, &mut args)?,
        "limit" => return limit(&mut policy.limits, statement.rest),
        other => {
            let verbs: Vec<&str> = STEPS.iter().map(|(verb, _)| *verb).collect();
            return Err(format!(
                "`{other}` is not a statement; there are host, link, start, set, jump, limit, \
                 expect and {}",
                verbs.join(", ")
            ));
        }
    }
    args.finish()
}

/// Carries out a step as often as `repeat=` says.
fn repeated(world: &mut World, statement: &Statement<'_>, step: Step) -> Result<(), String> {
    let mut first = Args::new(statement)?;
    let begin = match first.when()? {
        Some(When::At(span)) => world.start.saturating_add(span),
        Some(When::After(span)) => world.clock.saturating_add(span),
        None if world.untouched() => world.clock,
        None => world.clock.saturating_add(PAUSE),
    };
    let (times, every) = (first.number::<u32>("repeat", 1)?, first.span("every", 1_000 * MS));
    if usize::try_from(times).is_ok_and(|times| times > FRAMES) {
        return Err(format!("repeat: more than {FRAMES} times"));
    }
    // `rtp` has an `every=` of its own when it is not repeated.
    let every = if times > 1 { every? } else { 0 };
    let mut end = begin;
    for number in 0..times {
        world.repetition = u64::from(number);
        let mut args = Args::new(statement)?;
        args.when()?;
        if times > 1 {
            args.option("every");
        }
        args.option("repeat");
        let shape = world.shape.with(&mut args)?;
        let at = begin.saturating_add(every.saturating_mul(i64::from(number)));
        end = end.max(step(world, &mut args, at, &shape)?);
        args.finish()?;
    }
    world.clock = end;
    Ok(())
}

/// `wait +2s`: nothing happens.
#[expect(clippy::unnecessary_wraps, reason = "a step like the others")]
fn wait(_: &mut World, _: &mut Args<'_>, at: i64, _: &Shape) -> Result<i64, String> {
    Ok(at)
}

/// The one word of a statement that must stand before the first step.
fn before_steps<'t>(world: &World, args: &mut Args<'t>) -> Result<&'t str, String> {
    if !world.untouched() {
        return Err(format!("`{}` must stand before the first step", args.verb));
    }
    args.word().ok_or_else(|| format!("`{}` needs a word", args.verb))
}

/// `host alice 192.0.2.10 mac=02:00:00:00:00:01`.
fn host(world: &mut World, args: &mut Args<'_>) -> Result<(), String> {
    let (Some(name), Some(address)) = (args.word(), args.word()) else {
        return Err("`host` needs a name and an address: host alice 192.0.2.10".to_owned());
    };
    let named = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !named || name == "i" {
        return Err(format!("`{name}` cannot name a host: letters, digits, - and _ only, not `i`"));
    }
    if world.hosts.iter().any(|host| host.name == name) {
        return Err(format!("there is a host `{name}` already"));
    }
    let ip = address.parse().map_err(|_| format!("`{address}` is not an IP address"))?;
    let index = u8::try_from(world.hosts.len()).map_err(|_| "more than 256 hosts".to_owned())?;
    let mac = args.read("mac", mac)?.unwrap_or([2, 0, 0, 0, 0, index]);
    world.hosts.push(Host { name: name.to_owned(), ip, mac });
    Ok(())
}

fn mac(text: &str) -> Result<[u8; 6], String> {
    let hex = |pair| u8::from_str_radix(pair, 16).ok();
    let octets: Option<Vec<u8>> = text.split(':').map(hex).collect();
    octets
        .and_then(|six| <[u8; 6]>::try_from(six).ok())
        .ok_or_else(|| format!("`{text}` is not a MAC address such as 02:00:00:00:00:01"))
}

/// `jump -3s`: from here on the capture's clock shows 3 seconds less.
fn jump(world: &mut World, args: &mut Args<'_>) -> Result<(), String> {
    let given = args.word().unwrap_or_default();
    let by = match given.strip_prefix('-') {
        Some(span) => value::span(span)?.saturating_neg(),
        None => value::span(given)?,
    };
    // The next step is later than what was sent so far, however little.
    world.clock = world.clock.saturating_add(1);
    world.jump(by);
    Ok(())
}

/// `limit streams=64 idle=5s`.
fn limit(limits: &mut Limits, rest: &str) -> Result<(), String> {
    for word in rest.split_whitespace() {
        let (name, given) =
            word.split_once('=').ok_or_else(|| format!("`{word}` is not name=value"))?;
        if let Some(place) = limits.time(name) {
            *place = Span::from_nanos(value::span(given)?);
        } else if let Some(place) = limits.large_cap(name) {
            *place = value::number(given)?;
        } else if let Some(place) = limits.cap(name) {
            *place = value::narrow(given)?;
        } else {
            return Err(format!("`{name}` is not a limit: see src/policy/limits.rs"));
        }
    }
    Ok(())
}
