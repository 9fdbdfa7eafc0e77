//! `kpki completions`.

use crate::arguments::{self, Completions};
use crate::output::Outcome;
use crate::output::errors::Failure;

pub fn run(arguments: &Completions) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut arguments::definition(),
        "kpki",
        &mut script,
    );
    Ok(Outcome::fine(String::from_utf8_lossy(&script).into_owned()))
}
