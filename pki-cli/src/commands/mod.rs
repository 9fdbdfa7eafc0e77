//! What each command does, one file a command.

mod apply;
mod ca;
pub mod check;
mod completions;
mod csr;
mod export;
mod external;
mod graph;
mod import;
mod init;
mod inspect;
mod issue;
mod lint;
mod makecerts;
mod man;
mod places;
mod plan;
mod policy;
mod profile;
mod renew;
mod report;
mod revoke;
mod schedule;
mod schema;
mod sign;
mod trust;
mod user;
mod verify;
mod watch;

use std::path::Path;
use std::process::ExitCode;

use crate::arguments::{Cli, Command};
use crate::output::errors::{self, Failure};
use crate::output::{Outcome, say};

/// Runs the command and tells what came of it.
pub fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Apply(arguments) => apply::run(&arguments),
        Command::Renew(arguments) => renew::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Graph(arguments) => graph::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Csr(arguments) => csr::run(&arguments),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
        Command::User(arguments) => user::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Schedule(arguments) => schedule::run(&arguments),
        Command::Ca(arguments) => ca::run(&arguments),
        Command::Issue(arguments) => issue::run(&arguments),
        Command::Revoke(arguments) => revoke::run(&arguments),
        Command::Crl(arguments) => revoke::write_list(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Trust(arguments) => trust::run(&arguments),
        Command::Makecerts(arguments) => makecerts::run(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Schema => schema::run(),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    };
    let told = outcome.and_then(|Outcome { text, code }| {
        say(&text).map_err(|error| Failure::io(Path::new("standard output"), &error))?;
        Ok(code)
    });
    match told {
        Ok(code) => code.into(),
        Err(failure) => {
            failure.print();
            errors::THEIRS.into()
        }
    }
}
