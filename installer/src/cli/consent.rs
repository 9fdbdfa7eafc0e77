//! Consent to what cannot be taken back.

use std::fmt::Display;
use std::io::{BufRead as _, IsTerminal as _};

use super::output::{self, Failure};

/// Asks on the terminal whether to go on after `what`; nothing is done without a clear yes.
///
/// Where nobody can be asked, that is an error which names `command`.
pub fn ask(command: &str, what: impl Display) -> Result<(), Failure> {
    let refused = |fact: &str| Failure::new(fact, "say yes, or run it with --yes");
    if !std::io::stdin().is_terminal() {
        return Err(refused(&format!(
            "{command} asks first, and standard input is no terminal"
        )));
    }
    output::talk(&format!("{what} Continue? [y/N] "));
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(_) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(()),
        _ => Err(refused("not confirmed: nothing was changed")),
    }
}
