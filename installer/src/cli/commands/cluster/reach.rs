//! From the command line to machines that are reached.

use std::sync::Arc;

use installer::fleet::{self, Machine};
use installer::machine::Problem;
use installer::remote::{Ssh, SshOptions};
use pki_core::cluster::spec::{ClusterSpec, Node};
use pki_core::converge::cluster_directory::{self, SPEC};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::arguments::Fleet;
use crate::cli::fleet_progress::FleetProgress;
use crate::cli::output::Failure;

/// The spec of the cluster's directory.
pub fn spec(fleet: &Fleet) -> Result<ClusterSpec, Failure> {
    let (_, spec) = cluster_directory::read_spec(&fleet.dir)
        .map_err(|error| Failure::from(error.problems()))?;
    Ok(spec)
}

/// The nodes that are meant, in the order of cluster.toml.
pub fn nodes<'s>(fleet: &Fleet, spec: &'s ClusterSpec) -> Result<Vec<&'s Node>, Failure> {
    let known = || {
        let names: Vec<_> = spec
            .nodes()
            .iter()
            .map(|node| node.name().as_str())
            .collect();
        names.join(", ")
    };
    let unknown = fleet.only.iter().filter(|name| spec.node(name).is_none());
    let problems: Vec<_> = unknown
        .map(|name| {
            let file = fleet.dir.join(SPEC);
            Problem::new(
                format!("--only {name}: {} has no such node", file.display()),
                format!("it has {}", known()),
            )
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let is_meant = |node: &&Node| {
        fleet.only.is_empty() || fleet.only.iter().any(|name| name == node.name().as_str())
    };
    Ok(spec.nodes().iter().filter(is_meant).collect())
}

/// ssh as the user wants it.
pub fn ssh(fleet: &Fleet) -> Result<Arc<Ssh>, Failure> {
    ssh_with(SshOptions {
        config: fleet.ssh_config.clone(),
        options: fleet.ssh_option.clone(),
    })
}

/// ssh with these options. When this process is told to end, its connections do first.
pub fn ssh_with(options: SshOptions) -> Result<Arc<Ssh>, Failure> {
    let room = |error| Failure::bare(format_args!("a directory for connections: {error}"));
    let ssh = Arc::new(Ssh::new(options).map_err(room)?);
    let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]);
    let mut signals = signals.map_err(|error| Failure::bare(format_args!("signals: {error}")))?;
    // Not one more owner: what is taken away with the last of them would stay.
    let own = Arc::downgrade(&ssh);
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            if let Some(ssh) = own.upgrade() {
                ssh.abandon();
            }
            Failure::new(
                "interrupted",
                "run it again: what is done is not done twice",
            )
            .print();
            std::process::exit(crate::cli::output::THEIRS.into());
        }
    });
    Ok(ssh)
}

/// Connects to all of them, or to none.
pub fn all<'a>(
    fleet: &Fleet,
    ssh: &'a Ssh,
    nodes: &[&Node],
    progress: &FleetProgress,
) -> Result<Vec<Machine<'a>>, Failure> {
    let reached = fleet::reach(ssh, nodes, fleet.parallel.into(), progress);
    let (mut machines, mut problems) = (Vec::new(), Vec::new());
    for one in reached {
        match one {
            Ok(machine) => machines.push(machine),
            Err(error) => problems.push(Problem::from(error)),
        }
    }
    match problems.as_slice() {
        [] => Ok(machines),
        _ => Err(nothing_was_changed(problems)),
    }
}

/// The problems, and that they came before anything else.
pub fn nothing_was_changed(mut problems: Vec<Problem>) -> Failure {
    problems.push(Problem {
        fact: "nothing was changed on any machine".to_owned(),
        hint: None,
    });
    problems.into()
}
