//! A command line that makes no sense, or that asks for help.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::output::errors::{self, Failure};

/// What clap says to it.
pub struct Usage {
    error: clap::Error,
    /// The command as far as it is known: `kpki init`.
    command: String,
}

impl Usage {
    pub(super) fn new(error: clap::Error, arguments: &[OsString]) -> Self {
        let definition = super::definition();
        let known = |word: &&OsString| definition.find_subcommand(word).is_some();
        let command = match arguments.iter().skip(1).find(known) {
            Some(name) => format!("kpki {}", name.to_string_lossy()),
            None => "kpki".into(),
        };
        Self { error, command }
    }

    /// Prints help as it is, and a mistake in the style of all other errors.
    pub fn finish(&self) -> ExitCode {
        match self.error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let help = self.error.render().ansi().to_string();
                if self.error.use_stderr() {
                    crate::output::talk(&help);
                    return errors::THEIRS.into();
                }
                // Nothing is left to do where help cannot be written.
                let _ = crate::output::say(&help);
                ExitCode::SUCCESS
            }
            _ => {
                self.failure().print();
                errors::THEIRS.into()
            }
        }
    }

    /// clap's words: the fact is its first paragraph, the hint its tip, else where help is.
    fn failure(&self) -> Failure {
        let text = self.error.render().to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        let lines: Vec<_> = first.lines().map(str::trim).collect();
        let fact = lines.join(" ");
        let fact = fact.strip_prefix("error: ").unwrap_or(&fact);
        let tip = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("tip: "));
        let help = format!("{} --help shows examples", self.command);
        Failure::new(fact).hint(tip.unwrap_or(&help))
    }
}
