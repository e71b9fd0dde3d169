//! The commands that read no capture: `scenario`, `rules`, `explain`, `schema`.

use std::fs;
use std::io::{self, Read as _, Write as _};

use super::args::{Explain, Format, Rules, Scenario, nearest};
use super::inputs::is_stdin;
use super::output::{Target, to_stdout};
use super::{Failure, Status, seam};
use crate::report::schema;

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
    let capture = seam::scenario(&text, &name).map_err(Failure::new)?;
    Target::open(&args.write, std::slice::from_ref(&args.file))?
        .write(|out| out.write_all(&capture))?;
    Ok(Status::Done)
}

/// `overhear rules`.
pub(super) fn rules(args: &Rules) -> Result<Status, Failure> {
    let text = match args.format {
        Format::Text => seam::rules_text(),
        Format::Json => seam::rules_json(),
    };
    to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(Status::Done)
}

/// `overhear explain`.
pub(super) fn explain(args: &Explain) -> Result<Status, Failure> {
    let wanted = &args.rule;
    let Some(text) = seam::explain(wanted) else {
        let ids = seam::rule_ids();
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
pub(super) fn schema() -> Result<Status, Failure> {
    to_stdout(|out| out.write_all(schema::TEXT.as_bytes()))?;
    Ok(Status::Done)
}
