//! Arguments and words around the library.

mod arguments;
mod commands;
mod consent;
mod fleet_progress;
mod guard;
mod output;
mod passphrase;
mod progress;

use std::process::ExitCode;

/// The whole program.
pub fn run() -> ExitCode {
    guard::forbid_core_dumps();
    guard::speak_of_bugs();
    let work = || match arguments::parse(std::env::args_os()) {
        Ok(cli) => {
            cli.color.apply();
            commands::run(cli.command)
        }
        Err(usage) => usage.finish(),
    };
    std::panic::catch_unwind(work).unwrap_or(output::OURS.into())
}
