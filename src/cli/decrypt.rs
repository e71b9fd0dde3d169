//! `decrypt`: the media of a call, opened with keys that the capture shows, as packets.

use std::io::{self, Write as _};

use super::args::Decrypt;
use super::inputs::keep_stdin;
use super::listen::{found, user};
use super::review::{config, engage, policy, remarks};
use super::{Failure, Status, inputs, output};
use crate::engine::decrypt::Unsealer;
use crate::engine::{Config, Examined, cut};
use crate::prove::audio::heard::Heard;
use crate::report::text::{count, grouped};

/// `overhear decrypt`.
pub(super) fn decrypt(args: &Decrypt) -> Result<Status, Failure> {
    if !args.reveal_audio {
        return Err(Failure::new(
            "decrypt writes what was said: give --reveal-audio if you may; 'overhear listen' proves \
             without content that it can be heard",
        ));
    }
    let inputs = inputs::expand(&args.source)?;
    let config = config(&args.source, inputs.sources.clone(), policy(&args.source))?;
    let mut config = Config { traced: args.call.clone(), ..config };
    let target = output::Target::open(&args.write, &inputs.sources)?;
    let opened = keep_stdin(&mut config)
        .and_then(|()| engage(&config, &args.source, inputs, Vec::new()))
        .and_then(|examined| unsealer(&examined, args).map(|unsealer| (examined, unsealer)));
    let (examined, mut unsealer) = match opened {
        Ok(opened) => opened,
        Err(failure) => {
            target.abandon();
            return Err(failure);
        }
    };
    let Examined { outcome, trace, .. } = examined;
    let mut written = cut::Written::default();
    target.write(|out| {
        let note = note(args);
        written = cut::unsealed(&config, &trace, &outcome, (&mut unsealer, &note), out)?;
        Ok(())
    })?;
    remarks(&outcome, args.source.quiet);
    if !args.source.quiet {
        let mut said = vec![format!(
            "{} written; of {} opened with exposed keys {} RTP and {} RTCP",
            count(written.packets, "packet"),
            count(u64::try_from(unsealer.streams()).unwrap_or(u64::MAX), "stream"),
            grouped(unsealer.media),
            grouped(unsealer.control),
        )];
        if unsealer.failed > 0 {
            said.push(format!("{} did not open", count(unsealer.failed, "packet")));
        }
        let _ = write!(io::stderr(), "{}", Failure(said));
    }
    Ok(Status::Done)
}

/// What opens the media of the calls; a failure if there is nothing to open.
fn unsealer(examined: &Examined, args: &Decrypt) -> Result<Unsealer, Failure> {
    found(&examined.trace, &args.call)?;
    let heard = examined.trace.heard();
    let unsealer = Unsealer::new(heard, &examined.opened);
    if unsealer.streams() == 0 {
        let clear = !heard.is_empty() && heard.iter().all(Heard::is_clear);
        let why = match (heard.is_empty(), clear) {
            (true, _) => "the call has no media in this capture",
            (_, true) => "the call's media is not encrypted: 'overhear review -w' cuts it out",
            _ => "no key that this capture shows opens the call's media",
        };
        return Err(Failure::new(why));
    }
    Ok(unsealer)
}

/// What stands at the beginning of the file.
fn note(args: &Decrypt) -> String {
    let by = user().map_or_else(String::new, |user| format!(" by {user}"));
    let calls = args.call.join(", ");
    format!(
        "The media of call {calls} was opened with SRTP keys that stood in the capture \
         (overhear decrypt --reveal-audio{by}). Opened packets say so."
    )
}
