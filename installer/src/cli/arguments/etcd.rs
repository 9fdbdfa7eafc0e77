//! `kinstall etcd`.

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  kinstall etcd members
  kinstall etcd members --json | jq .quorum
  kinstall etcd remove cp3";

/// Look at etcd's members, or take one out for good. On a node that runs etcd or an API server.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Etcd {
    #[command(subcommand)]
    pub command: EtcdCommand,
}

#[derive(Debug, Subcommand)]
pub enum EtcdCommand {
    Members(EtcdMembers),
    Remove(EtcdRemove),
}

/// Tell who etcd's members are, how each is, and whether the quorum is held.
///
/// Exits with 1 when a member is not well, or the quorum is lost.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  kinstall etcd members\n  kinstall etcd members --json")]
pub struct EtcdMembers {
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// Take a member out of etcd's cluster for good; another may take its place.
///
/// Asks first. Refuses where the healthy rest would be no majority of the rest. Its etcd ends by itself; what else is on
/// its machine stays.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  kinstall etcd remove cp3\n  kinstall etcd remove cp3 --yes")]
pub struct EtcdRemove {
    /// Its name, or its number as `kinstall etcd members` shows it.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}
