//! The commands that read no capture: `scenario`, `rules`, `explain`, `schema`.

use std::fs;
use std::io::{self, Read as _, Write as _};

use super::args::{Explain, Format, Rules, Scenario, Schema, nearest};
use super::inputs::is_stdin;
use super::output::{Target, to_stdout};
use super::{Failure, Status};
use crate::detect::{CATALOGUE, listing};
use crate::report::schema;
use crate::scenario;

/// `overhear scenario`.
pub(super) fn scenario(args: &Scenario) -> Result<Status, Failure> {
    let name = args.file.display().to_string();
    let read = if is_stdin(&args.file) {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(&args.file)
    };
    let text = read.map_err(|error| Failure::new(format!("{name}: cannot be read: {error}")))?;
    let capture =
        scenario::compile(&text, &name).map_err(|error| Failure::new(error.to_string()))?;
    Target::open(&args.write, std::slice::from_ref(&args.file))?
        .write(|mut out| capture.write_pcapng(&mut out))?;
    Ok(Status::Done)
}

/// `overhear rules`.
pub(super) fn rules(args: &Rules) -> Result<Status, Failure> {
    let text = match args.format {
        Format::Text => listing::text(),
        Format::Json => format!("{:#}\n", listing::json()),
    };
    to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(Status::Done)
}

/// `overhear explain`.
pub(super) fn explain(args: &Explain) -> Result<Status, Failure> {
    let wanted = &args.rule;
    let Some(text) = listing::explain(wanted) else {
        let ids: Vec<&str> = CATALOGUE.iter().map(|registered| registered.meta.id).collect();
        let hint = match nearest(&wanted.to_uppercase(), ids.iter()) {
            Some(id) => format!("did you mean {id}?"),
            None => "'overhear rules' lists them".to_owned(),
        };
        return Err(Failure::new(format!("there is no rule '{wanted}'; {hint}")));
    };
    to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(Status::Done)
}

/// `overhear schema`.
pub(super) fn schema(args: &Schema) -> Result<Status, Failure> {
    let text = if args.ndjson { schema::EVENTS } else { schema::TEXT };
    to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(Status::Done)
}
