//! `kpki plan`.

use clap::Args;

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki plan
  kpki plan --dir /srv/cluster --json";

/// Show what differs from cluster.toml, and why; change nothing.
///
/// Exits with 0 when there is nothing to do, else with 1.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Plan {
    #[command(flatten)]
    pub tree: Tree,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
