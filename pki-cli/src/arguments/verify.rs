//! `kpki verify`.

use clap::Args;

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki verify
  kpki verify --json | jq '.checks[] | select(.fault)'";

/// Shake hands, in memory, over every TLS connection of the cluster, with the files that are there.
///
/// Each client dials each server under the names and addresses it really uses. Exits with 1 when one of
/// them fails.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Verify {
    #[command(flatten)]
    pub tree: Tree,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
