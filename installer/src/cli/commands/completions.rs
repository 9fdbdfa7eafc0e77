//! `kinstall completions`.

use crate::cli::arguments::{self, Completions};
use crate::cli::output::Outcome;

/// Prints a shell's script.
pub fn run(arguments: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut arguments::definition(),
        "kinstall",
        &mut script,
    );
    Outcome::fine(String::from_utf8_lossy(&script))
}
