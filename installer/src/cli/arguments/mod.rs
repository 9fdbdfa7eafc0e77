//! The command line, one file a command where it has much to say.

mod bundle;
mod cloud_init;
mod cluster;
mod color;
mod directory;
mod drain;
mod etcd;
mod node;
mod remove;
mod small;
mod tree;
mod usage;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

pub use bundle::{Bundle, FromBundle};
pub use cloud_init::CloudInit;
pub use cluster::{Cluster, ClusterCommand, ClusterReset, ClusterStatus, Fleet};
pub use color::Color;
pub use directory::Directory;
pub use drain::{Drain, Draining, Uncordon};
pub use etcd::{Etcd, EtcdCommand, EtcdMembers, EtcdRemove};
pub use node::{Make, Node, Options, Preflight};
pub use remove::Remove;
pub use small::{Check, Completions, Graph, Logs, Man, Reset, Start, Status, Stop, Supervise};
pub use tree::Tree;
pub use usage::Usage;

const EXAMPLES: &str = "\
Examples:
  kinstall node --service-cidr 10.3.0.0/24   this machine becomes a running cluster of one node
  kinstall node --dir kubernetes             the same, with what kpki init made
  kinstall node --bundle w1.bundle           the same, with all that kinstall bundle packed elsewhere
  kinstall node --dry-run                    what would be changed, and why
  kinstall cluster                           the same for every machine of kubernetes/cluster.toml, over SSH
  kinstall status                            what runs, since when, and how it is
  kinstall reset                             take all of it away again";

const EXIT: &str = "\
Exit codes: 0 fine; 1 something needs your attention; 2 a bug in kinstall.
Documents go to standard output, everything else to standard error. docs/kinstall.md describes the JSON.";

/// Makes a machine a running, secured Kubernetes node, from plain binaries.
#[derive(Debug, Parser)]
#[command(name = "kinstall", version, before_help = EXAMPLES, after_help = EXIT)]
#[command(max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// When to use colours; by itself on a terminal, unless NO_COLOR is set.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        display_order = 900
    )]
    pub color: Color,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Node(Box<Node>),
    Preflight(Box<Preflight>),
    Bundle(Box<Bundle>),
    CloudInit(Box<CloudInit>),
    Status(Status),
    Logs(Logs),
    Graph(Graph),
    Stop(Stop),
    Start(Start),
    Drain(Drain),
    Uncordon(Uncordon),
    Remove(Remove),
    Reset(Reset),
    Check(Check),
    Etcd(Etcd),
    Cluster(Box<Cluster>),
    Completions(Completions),
    Man(Man),
    /// Keep services running. `kinstall node` and the boot script start it.
    #[command(hide = true)]
    Supervise(Supervise),
    /// Keep the cluster's addons as the folder of addons says. A service of control-plane nodes.
    #[command(hide = true)]
    AddonManager,
}

/// Reads the command line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Usage> {
    Cli::try_parse_from(arguments).map_err(Usage::new)
}

/// The definition that help, man pages and completions are made from.
pub fn definition() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::definition().debug_assert();
    }
}
