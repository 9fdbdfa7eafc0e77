//! `kinstall logs`.

use std::path::PathBuf;

use installer::desired::{InitSystem, layout};
use installer::machine::facts;
use installer::supervisor::logs::{self, LogPlaces};

use super::machine;
use crate::cli::arguments::Logs;
use crate::cli::output::{Failure, Outcome};

/// Prints what a component logged.
pub fn run(arguments: &Logs) -> Result<Outcome, Failure> {
    let init = facts::read()?.init;
    let installed = machine::services(init)?.installed()?;
    let places = LogPlaces {
        services: installed.into_iter().map(|service| service.name).collect(),
        service_logs: match init {
            InitSystem::Systemd => None,
            InitSystem::Supervisor => Some(PathBuf::from(layout::LOGS)),
        },
        pods: logs::POD_LOGS.into(),
    };
    let mut out = std::io::stdout().lock();
    logs::show(
        &places,
        &arguments.component,
        arguments.lines,
        arguments.follow,
        &mut out,
    )?;
    Ok(Outcome::fine(""))
}
