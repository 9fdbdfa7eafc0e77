//! `kinstall cluster`: every machine of cluster.toml, over SSH.

pub mod reach;
mod reset;
mod status;
mod up;
mod words;

use crate::cli::arguments::{Cluster, ClusterCommand};
use crate::cli::output::{Failure, Outcome};

/// Brings machines up, tells how they are, or takes it all away again.
pub fn run(arguments: Cluster) -> Result<Outcome, Failure> {
    match &arguments.command {
        None => up::run(arguments),
        Some(ClusterCommand::Status(arguments)) => status::run(arguments),
        Some(ClusterCommand::Reset(arguments)) => reset::run(arguments),
    }
}
