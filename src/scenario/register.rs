//! `register` and `options` steps: one request, its challenge, its response.

use super::args::Args;
use super::auth::Auth;
use super::dialog::{Dialog, More, Transport};
use super::shape::Shape;
use super::value::MS;
use super::world::{Socket, World};

/// The sockets of a signalling step, its transport and its users.
pub(super) fn signalling(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<Dialog, String> {
    let ends = args.ends()?;
    let transport =
        Transport::named(args.choice("transport", &["udp", "tcp", "tls", "sctp", "ws"])?);
    let server: u16 = match transport {
        Transport::Tls => 5061,
        Transport::Ws => 80,
        Transport::Udp | Transport::Tcp | Transport::Sctp => 5060,
    };
    let port = args.number("port", server)?;
    // Over a connection the client's port is any port.
    let datagrams = matches!(transport, Transport::Udp | Transport::Sctp);
    let client = if datagrams { 5060 } else { 49_152 };
    let (from, to): (Socket, Socket) = world.sockets(ends, (client, port))?;
    let name = |socket: Socket| world.hosts.get(socket.host).map(|host| host.name.clone());
    let users = (name(from).unwrap_or_default(), name(to).unwrap_or_default());
    let users = (
        args.option("from").map_or(users.0, str::to_owned),
        args.option("to").map_or(users.1, str::to_owned),
    );
    let mut dialog = Dialog::new(world, (from, to), transport, users, at);
    dialog.shape = shape.clone();
    Ok(dialog)
}

/// Carries out a `register` step and returns the time of its last message.
pub(super) fn register(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let mut dialog = signalling(world, args, at, shape)?;
    // A REGISTER is to oneself (RFC 3261 §10.2).
    dialog.to.clone_from(&dialog.from);
    let auth = Auth::read(args, 401)?;
    let expires: u32 = args.number("expires", 3_600)?;
    let (code, silent) = (args.number("final", 200)?, args.flag("unanswered"));
    let expires = More { headers: vec![format!("Expires: {expires}")], ..More::default() };
    let mut request = dialog.request("REGISTER", 1, true);
    dialog.ask(world, 0, &request, &expires)?;
    if let Some(auth) = auth {
        let challenge = More { headers: auth.challenge(), ..More::default() };
        dialog.answer(world, 10 * MS, (auth.code, &request), &challenge)?;
        if silent {
            return Ok(dialog.now);
        }
        request = dialog.request("REGISTER", 2, true);
        let mut again = expires.clone();
        again.headers.push(auth.credentials(&mut dialog, &request));
        dialog.ask(world, 10 * MS, &request, &again)?;
    }
    if code != 0 {
        dialog.answer(world, 10 * MS, (code, &request), &expires)?;
    }
    Ok(dialog.now)
}

/// Carries out an `options` step and returns the time of its last message.
pub(super) fn options(
    world: &mut World,
    args: &mut Args<'_>,
    at: i64,
    shape: &Shape,
) -> Result<i64, String> {
    let mut dialog = signalling(world, args, at, shape)?;
    let code = args.number("final", 200)?;
    let hidden = args.flag("response-only");
    let request = dialog.request("OPTIONS", 1, true);
    if !hidden {
        dialog.ask(world, 0, &request, &More::default())?;
    }
    if code != 0 {
        dialog.answer(world, 10 * MS, (code, &request), &More::default())?;
    }
    Ok(dialog.now)
}
