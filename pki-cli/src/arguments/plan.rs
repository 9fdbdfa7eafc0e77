//! `kpki plan`.

use std::path::PathBuf;

use clap::Args;

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki plan
  kpki plan --dir /srv/cluster --json
  kpki plan --csr-dir requests          the CA's key is elsewhere: signing requests";

/// Show what differs from cluster.toml, and why; change nothing.
///
/// Only with --csr-dir something is written: requests, and the keys that wait for their certificates.
///
/// Exits with 0 when there is nothing to do, else with 1.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Plan {
    #[command(flatten)]
    pub tree: Tree,
    /// Write a signing request for each certificate that only a CA key which is not here could issue. Their keys
    /// wait in the cluster's directory until `kpki apply --signed` brings the certificates.
    #[arg(long, value_name = "DIR")]
    pub csr_dir: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
