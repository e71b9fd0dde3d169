//! `listen`: proof that a call can be listened to, and, for who asks for it, the audio.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::args::Listen;
use super::review::{config, engage, policy, remarks};
use super::{Failure, Status, inputs, output};
use crate::engine::hearing::{self, Wishes};
use crate::engine::trace::Trace;
use crate::engine::{Config, Examined, listen as second};
use crate::report::listen::{self as report};

/// `overhear listen`.
pub(super) fn listen(args: &Listen) -> Result<Status, Failure> {
    let inputs = inputs::expand(&args.source)?;
    let config = config(&args.source, inputs.sources.clone(), policy(&args.source))?;
    let mut config = Config { traced: args.call.clone(), ..config };
    let json = output::target(args.json.as_deref(), &inputs.sources, &[])?;
    inputs::keep_stdin(&mut config)?;
    let mut wishes = Wishes {
        folder: args.output.clone(),
        audio: args.reveal_audio,
        digits: args.reveal_secrets,
        ffmpeg: on_path("ffmpeg"),
        by: user(),
        inputs: inputs.sources.clone(),
    };
    // Reports are written last: they must not be written over either.
    wishes.inputs.extend(args.json.clone());
    let examined = engage(&config, &args.source, inputs, Vec::new())
        .and_then(|examined| found(&examined.trace, &args.call).map(|()| examined));
    let done = examined.and_then(|Examined { mut outcome, trace, opened, .. }| {
        if let Some(folder) = &args.output {
            fs::create_dir_all(folder).map_err(|error| {
                Failure::new(format!("{}: cannot be made: {error}", folder.display()))
            })?;
        }
        remarks(&outcome, args.source.quiet);
        let taken = second::gather(&config, &outcome, trace.heard(), &opened);
        let heard = hearing::hearing(&mut outcome, &trace.calls(), &taken, &wishes);
        heard.map_err(|error| Failure::new(error.to_string()))
    });
    let hearing = match done {
        Ok(hearing) => hearing,
        Err(failure) => {
            json.into_iter().for_each(output::Target::abandon);
            return Err(failure);
        }
    };
    let printed = !args.source.quiet && !matches!(json, Some(output::Target::Stdout));
    if let Some(target) = json {
        target.write(|mut out| report::json(&hearing, &mut out))?;
    }
    if printed {
        let layout = output::layout(args.source.no_color);
        output::to_stdout(|out| report::write(&hearing, layout, out))?;
    }
    Ok(Status::Done)
}

/// Whether the calls that were asked for exist.
pub(super) fn found(trace: &Trace, wanted: &[String]) -> Result<(), Failure> {
    if trace.calls().is_empty() {
        return Err(Failure::new(format!(
            "no call has the id or Call-ID '{}'; 'overhear calls FILE' lists them",
            wanted.join("' or '")
        )));
    }
    Ok(())
}

/// Who runs the program, as far as the environment says.
pub(super) fn user() -> Option<String> {
    let set = |key: &str| std::env::var(key).ok().filter(|name| !name.is_empty());
    ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(set).or_else(number)
}

/// The number of the user, where there is no name for it.
fn number() -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::fs::MetadataExt as _;
        fs::metadata("/proc/self").ok().map(|own| format!("uid {}", own.st_uid()))
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// A program that the shell would find by this name.
fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        // What lies in the working folder may have come with the evidence.
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.file_name() != Some(OsStr::new("")) && fs::metadata(path).is_ok_and(|it| it.is_file())
}
