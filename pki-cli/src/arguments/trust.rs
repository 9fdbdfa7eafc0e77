//! `kpki trust`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki trust install --authority ca          programs of this machine trust the cluster's CA
  kpki trust install corp-root.pem --dry-run
  kpki trust remove --authority ca
  kpki trust remove --all                    everything that kpki ever installed";

/// Put CAs into this machine's trust store, or take them out again.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Trust {
    #[command(subcommand)]
    pub command: TrustCommand,
}

#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Put CAs into the trust store of this machine (Debian, Ubuntu, Red Hat, Fedora, Arch, SUSE).
    Install(TrustAction),
    /// Take CAs out again, as far as kpki put them there.
    Remove {
        #[command(flatten)]
        action: TrustAction,
        /// All that kpki installed.
        #[arg(long, conflicts_with_all = ["files", "authority"])]
        all: bool,
    },
}

#[derive(Debug, Args)]
pub struct TrustAction {
    /// Files with CA certificates, PEM or DER.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A CA of the cluster, as kpki plan calls it.
    #[arg(long, value_name = "ID")]
    pub authority: Vec<String>,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub tree: Tree,
}
