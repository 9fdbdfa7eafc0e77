//! `kinstall remove`.

use std::path::PathBuf;

use clap::Args;

use super::{Directory, Draining};

const EXAMPLES: &str = "\
Examples:
  kinstall remove w2 --dry-run
  kinstall remove w2
  kinstall remove w2 --over-ssh              its machine is reset as well
  kinstall remove cp3 --delete-emptydir-data --yes
  kinstall remove w2 --no-drain              its machine is gone for good";

/// Take a node out of the cluster for good: its pods move, its member leaves etcd, its Node and its place in cluster.toml go, and
/// its certificates are renewed no more.
///
/// Shows all that it will do and asks first. Run again after an interruption it does what is left. Its machine is reset where
/// that is this one, or with --over-ssh, as kinstall cluster reaches it; else the command for it is told. Its certificates stay
/// valid until they end.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Remove {
    /// Which node.
    #[arg(value_name = "NODE")]
    pub node: String,
    /// Leave its pods alone: Kubernetes deletes them with the Node. For a machine that is dead.
    #[arg(long)]
    pub no_drain: bool,
    /// Reset its machine as well, over SSH: as `ssh` of its [[node]] says, else as root at its first address.
    #[arg(long, conflicts_with = "no_drain")]
    pub over_ssh: bool,
    /// Another configuration of ssh (ssh -F).
    #[arg(long, value_name = "FILE", requires = "over_ssh")]
    pub ssh_config: Option<PathBuf>,
    /// An option of ssh (ssh -o; repeatable).
    #[arg(long, value_name = "KEY=VALUE", requires = "over_ssh")]
    pub ssh_option: Vec<String>,
    #[command(flatten)]
    pub draining: Draining,
    #[command(flatten)]
    pub directory: Directory,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
