//! `decrypt`: the media of a call, opened with keys that the capture shows, as packets.

use std::io::{self, Write as _};

use super::args::Decrypt;
use super::inputs::{is_stdin, keep_stdin};
use super::listen::{found, user};
use super::review::{config, engage, policy, remarks};
use super::{Failure, Status, inputs, output};
use crate::engine::decrypt::Unsealer;
use crate::engine::opening::{Asked, opening};
use crate::engine::{Config, Examined, cut};
use crate::prove::audio::heard::Heard;
use crate::report::opened;
use crate::report::text::{count, grouped};

/// `overhear decrypt`.
pub(super) fn decrypt(args: &Decrypt) -> Result<Status, Failure> {
    let inputs = inputs::expand(&args.source)?;
    let config = config(&args.source, inputs.sources.clone(), policy(&args.source))?;
    let mut config = Config { traced: args.call.clone(), ..config };
    let record = output::target(args.json.as_deref(), &inputs.sources, &[])?;
    let kept = [inputs.sources.clone(), args.json.iter().cloned().collect()].concat();
    let target = output::target(Some(&args.write), &kept, &[&record])?;
    let opened = keep_stdin(&mut config)
        .and_then(|()| engage(&config, &args.source, inputs, Vec::new()))
        .and_then(|examined| unsealer(&examined, args).map(|opens| (examined, opens)));
    let (examined, (mut unsealer, nothing)) = match opened {
        Ok(opened) => opened,
        Err(failure) => {
            [target, record].into_iter().flatten().for_each(output::Target::abandon);
            return Err(failure);
        }
    };
    let Examined { mut outcome, trace, .. } = examined;
    let mut written = cut::Written::default();
    if nothing.is_some() {
        target.into_iter().for_each(output::Target::abandon);
    } else {
        target.unwrap_or(output::Target::Stdout).write(|out| {
            let note = note(args);
            written = cut::unsealed(&config, &trace, &outcome, (&mut unsealer, &note), out)?;
            Ok(())
        })?;
    }
    if let Some(record) = record {
        let file = args.write.as_path();
        let file = Some(file).filter(|path| nothing.is_none() && !is_stdin(path));
        let asked = Asked { by: user(), file, packets: written.packets };
        let opening = opening(&mut outcome, &trace, &unsealer, &asked);
        let opening = opening.map_err(|error| Failure::new(error.to_string()))?;
        record.write(|out| opened::json(&opening, out))?;
    }
    remarks(&outcome, args.source.quiet);
    if !args.source.quiet {
        let said = nothing.map_or_else(|| said(&unsealer, written), |why| vec![why.to_owned()]);
        let _ = write!(io::stderr(), "{}", Failure(said));
    }
    Ok(Status::Done)
}

/// What was done, for a person.
fn said(unsealer: &Unsealer, written: cut::Written) -> Vec<String> {
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
    if !unsealer.content() {
        said.push(
            "silence stands in the place of what was said: that takes --reveal-audio".to_owned(),
        );
    }
    said
}

/// What opens the media of the calls, and why there is nothing to open, if so; a failure if there is, and
/// nothing opens it.
fn unsealer(
    examined: &Examined,
    args: &Decrypt,
) -> Result<(Unsealer, Option<&'static str>), Failure> {
    found(&examined.trace, &args.call)?;
    let heard = examined.trace.heard();
    let unsealer = Unsealer::new(heard, &examined.opened, args.reveal_audio);
    let nothing = if unsealer.streams() > 0 {
        None
    } else if heard.is_empty() {
        Some("nothing to decrypt and nothing written: the call has no media in this capture")
    } else if heard.iter().all(Heard::is_clear) {
        Some(
            "nothing to decrypt and nothing written: the call's media is not encrypted; \
             'overhear listen' hears it, 'overhear review -w' cuts it out",
        )
    } else {
        return Err(Failure::new("no key that this capture shows opens the call's media"));
    };
    Ok((unsealer, nothing))
}

/// What stands at the beginning of the file.
fn note(args: &Decrypt) -> String {
    let by = user().map_or_else(String::new, |user| format!(" by {user}"));
    let calls = args.call.join(", ");
    let (flag, silent) = if args.reveal_audio {
        (" --reveal-audio", "")
    } else {
        ("", " Silence stands in the place of what was said.")
    };
    format!(
        "The media of call {calls} was opened with SRTP keys that stood in the capture \
         (overhear decrypt{flag}{by}). Opened packets say so.{silent}"
    )
}
