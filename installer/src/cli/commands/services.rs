//! `kinstall stop`, `kinstall start` and the supervisor itself.

use installer::machine::facts;
use installer::supervisor::{SupervisorPaths, daemon};

use super::machine;
use crate::cli::arguments::{Start, Stop, Supervise};
use crate::cli::output::{Failure, Outcome};

/// Stops services; all of them, and the pods, when none is named.
pub fn stop(arguments: &Stop) -> Result<Outcome, Failure> {
    let services = machine::services(facts::read()?.init)?;
    services.stop(&arguments.services, &services.pods()?)?;
    Ok(Outcome::fine(told("stopped", &arguments.services)))
}

/// Starts services.
pub fn start(arguments: &Start) -> Result<Outcome, Failure> {
    let services = machine::services(facts::read()?.init)?;
    services.start(&arguments.services)?;
    Ok(Outcome::fine(told("started", &arguments.services)))
}

/// Keeps services running until it is told to end.
pub fn supervise(arguments: &Supervise) -> Result<Outcome, Failure> {
    daemon::run(SupervisorPaths::system(), arguments.detach)
        .map_err(|error| Failure::maybe(error.to_string(), error.hint().map(Into::into)))?;
    Ok(Outcome::fine(""))
}

fn told(what: &str, services: &[String]) -> String {
    if services.is_empty() {
        format!("{what} all services of this node\n")
    } else {
        format!("{what} {}\n", services.join(", "))
    }
}
