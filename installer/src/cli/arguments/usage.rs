//! A command line that makes no sense, or that asks for help.

use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::cli::output::{self, Failure, THEIRS};

/// What clap has to say instead of running a command.
#[derive(Debug)]
pub struct Usage(clap::Error);

impl Usage {
    pub fn new(error: clap::Error) -> Self {
        Self(error)
    }

    /// Says it, help on standard output and mistakes on standard error.
    pub fn finish(self) -> ExitCode {
        let styled = self.0.render().ansi().to_string();
        match self.0.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                // Nothing is left to do where help cannot be written.
                let _ = output::say(&styled);
                ExitCode::SUCCESS
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                output::talk(&styled);
                THEIRS.into()
            }
            _ => {
                let text = self.0.render().to_string();
                let first = text.split("\n\n").next().unwrap_or_default().trim();
                let fact = first.strip_prefix("error: ").unwrap_or(first);
                Failure::new(fact, "kinstall --help shows examples").print();
                THEIRS.into()
            }
        }
    }
}
