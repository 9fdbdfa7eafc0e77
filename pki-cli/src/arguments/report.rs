//! `kpki report`.

use std::path::PathBuf;

use clap::Args;

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki report --output report.html
  kpki report --live --output report.html    and what the servers serve now
  kpki report --dir /srv/cluster > report.html";

/// Make a page about the cluster: expiries, findings, every certificate, and the picture of `kpki graph`.
///
/// Findings are what plan, verify and lint tell, and with --live what `kpki check --live` does. One HTML file that loads nothing and sends nothing, for light and dark, for the keyboard and for paper. It holds names and addresses
/// of the cluster, but nothing secret.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Report {
    #[command(flatten)]
    pub tree: Tree,
    /// Dial the servers of the cluster as well: whether they answer, and serve what is on disk.
    #[arg(long)]
    pub live: bool,
    /// Write to this file; one that kpki made before is replaced [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
