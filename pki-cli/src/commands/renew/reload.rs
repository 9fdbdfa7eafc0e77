//! Putting renewed files to use, and the proof that they are in use.

use std::io::Write as _;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pki_core::converge::apply::Applied;
use pki_core::converge::check::live_endpoints;
use pki_core::converge::served::{Serving, ServingState, wait_until_served};

use crate::arguments;
use crate::cluster::Cluster;
use crate::output::errors::Failure;
use crate::output::progress::Progress;

/// What tells that kinstall made this node.
const KINSTALL_NODE: &str = "/etc/kinstall/node.toml";

/// How new files are put to use.
pub enum Way {
    /// By a command of the user's.
    Command(String),
    /// By kinstall, which brings the tree over and restarts what does not read it again by itself.
    Kinstall,
}

impl Way {
    /// The one that the command line asks for, if any.
    pub fn of(arguments: &arguments::Renew) -> Result<Option<Self>, Failure> {
        if let Some(command) = &arguments.reload_command {
            return Ok(Some(Self::Command(command.clone())));
        }
        if !arguments.reload {
            return Ok(None);
        }
        if Path::new(KINSTALL_NODE).is_file() {
            return Ok(Some(Self::Kinstall));
        }
        Err(Failure::new(
            "--reload: kinstall did not make this node, and nothing else here knows how to put new files to use",
        )
        .hint("name a command: --reload-command 'cp -a kubernetes/nodes/n1/. /etc/kubernetes && systemctl restart kubelet'"))
    }

    /// Runs it; what it says goes to standard error.
    fn run(&self, cluster: &Cluster, renewed: &[String]) -> Result<(), Failure> {
        let (name, mut command) = match self {
            Self::Command(line) => {
                let mut command = Command::new("sh");
                command.args(["-c", line]);
                (line.as_str(), command)
            }
            Self::Kinstall => {
                let mut command = Command::new("kinstall");
                command.arg("node");
                ("kinstall node", command)
            }
        };
        let dir: PathBuf = std::path::absolute(&cluster.dir).unwrap_or(cluster.dir.clone());
        command
            .env("KPKI_DIR", dir)
            .env("KPKI_RENEWED", renewed.join(" "))
            .stdin(Stdio::null());
        let again = format!("the new files are on disk; mend it and run it again: {name}");
        let failed = |what: String| Failure::new(format_args!("{name}: {what}")).hint(&again);
        let ours = std::io::stderr().as_fd().try_clone_to_owned();
        command.stdout(Stdio::from(
            ours.map_err(|error| failed(error.to_string()))?,
        ));
        let _ = std::io::stderr().flush();
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(format!("it failed ({status})"))),
            Err(error) => Err(failed(format!("it does not start: {error}"))),
        }
    }
}

/// Puts what was renewed to use, and waits until each server serves it. Where nothing was renewed now, but something is
/// still not served that was renewed before, that is put to use.
pub fn reload(
    way: &Way,
    cluster: &Cluster,
    applied: &Applied,
    patience: Duration,
) -> Result<Vec<Serving>, Failure> {
    let prove = |patience| -> Result<Vec<Serving>, Failure> {
        let inventory = cluster.inventory()?;
        let targets = live_endpoints(cluster);
        Ok(wait_until_served(
            &targets,
            &cluster.blueprint,
            &inventory,
            patience,
        ))
    };
    let renewed: Vec<_> = applied
        .done
        .iter()
        .map(|done| done.artifact.to_string())
        .collect();
    if renewed.is_empty() {
        let served = prove(Duration::ZERO)?;
        if served.iter().all(Serving::is_on_disk) {
            return Ok(served);
        }
    }
    way.run(cluster, &renewed)?;
    let _progress = Progress::begin(true, "waiting until the new certificates are served");
    prove(patience)
}

/// Tells which servers do not serve what is on disk, and what to do.
pub fn tell_unserved(served: &[Serving]) -> bool {
    let unserved = served.iter().filter_map(|serving| {
        let Serving {
            artifact,
            address,
            state,
        } = serving;
        match state {
            ServingState::OnDisk => None,
            ServingState::Other(certificate) => Some(
                Failure::new(format_args!(
                    "{address} does not serve the certificate of {artifact} that is on disk, but one of {} to {}",
                    certificate.validity.not_before.date(),
                    certificate.validity.not_after.date(),
                ))
                .hint(format_args!(
                    "does it run on another node? bring nodes/{} there and run kinstall node; else restart it",
                    artifact.on_node().map_or_else(|| "NAME".to_owned(), ToString::to_string)
                )),
            ),
            ServingState::Unknown(error) => Some(
                Failure::new(format_args!("{artifact}: what is served cannot be told: {error}"))
                    .hint(error.hint()),
            ),
        }
    });
    let unserved: Vec<_> = unserved.collect();
    let attention = !unserved.is_empty();
    if attention {
        Failure::all(unserved).print();
    }
    attention
}
