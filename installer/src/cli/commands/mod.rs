//! What each command does, one file a command.

mod addon_manager;
mod bundle;
mod check;
mod cloud_init;
mod cluster;
mod cluster_status;
mod completions;
mod drain;
mod elsewhere;
mod etcd;
mod from_bundle;
mod graph;
mod logs;
mod machine;
mod man;
mod membership;
mod node;
mod preflight;
mod remove;
mod reset;
mod services;
mod status;
mod wanted;

use std::process::ExitCode;

use super::arguments::Command;
use super::output::{self, Failure, THEIRS};

/// Runs a command and tells what came of it.
pub fn run(command: Command) -> ExitCode {
    let outcome = match command {
        Command::Node(arguments) => node::run(*arguments),
        Command::Preflight(arguments) => preflight::run(*arguments),
        Command::Bundle(arguments) => bundle::run(*arguments),
        Command::CloudInit(arguments) => cloud_init::run(*arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Logs(arguments) => logs::run(&arguments),
        Command::Graph(arguments) => graph::run(&arguments),
        Command::Stop(arguments) => services::stop(&arguments),
        Command::Start(arguments) => services::start(&arguments),
        Command::Drain(arguments) => drain::run(&arguments),
        Command::Uncordon(arguments) => drain::undo(&arguments),
        Command::Remove(arguments) => remove::run(&arguments),
        Command::Reset(arguments) => reset::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Cluster(arguments) => cluster::run(*arguments),
        Command::Etcd(arguments) => etcd::run(&arguments),
        Command::Completions(arguments) => Ok(completions::run(&arguments)),
        Command::Man(arguments) => man::run(&arguments),
        Command::Supervise(arguments) => services::supervise(&arguments),
        Command::AddonManager => addon_manager::run(),
    };
    match outcome {
        Ok(outcome) => match output::say(&outcome.text) {
            Ok(()) if !outcome.attention => ExitCode::SUCCESS,
            Ok(()) => THEIRS.into(),
            Err(error) => {
                Failure::bare(format_args!("standard output: {error}")).print();
                THEIRS.into()
            }
        },
        Err(failure) => {
            failure.print();
            THEIRS.into()
        }
    }
}
