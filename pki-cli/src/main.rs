//! kpki: arguments, words and pictures around pki-core.

mod arguments;
mod authority;
mod cluster;
mod commands;
mod files;
mod guard;
mod job;
mod output;
mod passphrase;
mod picture;

use std::process::ExitCode;

use output::errors;

fn main() -> ExitCode {
    guard::forbid_core_dumps();
    guard::speak_of_bugs();
    let work = || match arguments::parse(std::env::args_os()) {
        Ok(cli) => {
            cli.color.apply();
            commands::run(cli)
        }
        Err(usage) => usage.finish(),
    };
    // The hook has told of it; what is on the stack (locks, staged files) was tidied on the way here.
    std::panic::catch_unwind(work).unwrap_or(errors::OURS.into())
}
