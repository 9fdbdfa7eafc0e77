//! `kinstall cluster`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Options;

const EXAMPLES: &str = "\
Examples:
  kinstall cluster --dry-run                          what is on each machine, and what would be done there
  kinstall cluster                                    every machine of kubernetes/cluster.toml becomes its node
  kinstall cluster --dir /srv/cluster --bin-dir /opt/kubernetes/bin --yes
  kinstall cluster --only w3 --ssh-option ProxyJump=bastion.example
  kinstall cluster status
  kinstall cluster reset --purge";

/// Make every machine of cluster.toml its node, from here, over SSH.
///
/// With your own ssh: its configuration, keys and known hosts. It never asks for anything. Each machine is reached as
/// `ssh` of its [[node]] says, else as root at its first address; another user needs sudo without a password. All machines
/// are looked at before any is changed. Programs are brought where a machine has not the same. The control plane comes up
/// one by one, then the workers at once. Interrupted and run again, it goes on.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cluster {
    #[command(subcommand)]
    pub command: Option<ClusterCommand>,
    #[command(flatten)]
    pub fleet: Fleet,
    /// The directory of CA certificates, where it is not the one that cluster.toml names; may be absent.
    #[arg(long, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
    #[command(flatten)]
    pub options: Options,
    /// How long each machine waits for each thing to become healthy, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(5..=3600))]
    pub timeout: u32,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

/// Which machines, and how they are reached.
#[derive(Debug, Args)]
pub struct Fleet {
    /// The cluster's directory: cluster.toml and nodes/.
    #[arg(long, value_name = "DIR", default_value = "kubernetes")]
    pub dir: PathBuf,
    /// Only these nodes (repeatable).
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How many machines are worked on at once.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub parallel: u16,
    /// Another configuration of ssh (ssh -F).
    #[arg(long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// An option of ssh (ssh -o; repeatable).
    #[arg(long, value_name = "KEY=VALUE")]
    pub ssh_option: Vec<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    Status(ClusterStatus),
    Reset(ClusterReset),
}

/// Tell how every machine of cluster.toml is: what runs, and how long its certificates last.
///
/// Exits with 1 when something is not as it should be, or a machine cannot be reached.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  kinstall cluster status\n  kinstall cluster status --only w1,w2 --json | jq .healthy"
)]
pub struct ClusterStatus {
    #[command(flatten)]
    pub fleet: Fleet,
}

/// Take away what kinstall put on every machine of cluster.toml, and what kinstall cluster brought there.
///
/// Asks first. Workers go first, at once, then the control plane, etcd's first member last. etcd's data stay unless --purge.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  kinstall cluster reset\n  kinstall cluster reset --only w3 --yes\n  kinstall cluster reset --purge --dry-run"
)]
pub struct ClusterReset {
    #[command(flatten)]
    pub fleet: Fleet,
    /// Take etcd's data away too: every object of the cluster.
    #[arg(long)]
    pub purge: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Only show what would be taken away.
    #[arg(long)]
    pub dry_run: bool,
}
