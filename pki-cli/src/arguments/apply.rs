//! `kpki apply`.

use std::path::PathBuf;

use clap::Args;

use super::Tree;

const EXAMPLES: &str = "\
Examples:
  kpki apply
  kpki apply --dry-run
  kpki apply --signed certificates       what others signed, see kpki plan --csr-dir
  kpki apply --replace ca                a new CA: everything that relies on it changes at once";

/// Make everything as cluster.toml wants it: issue, renew, rewrite.
///
/// All files change together or none does. Authorities and service-account keys are only ever replaced
/// when they are named with --replace.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Apply {
    #[command(flatten)]
    pub tree: Tree,
    /// Agree to the replacement of an authority or a service-account key pair that the plan names.
    #[arg(long, value_name = "ID")]
    pub replace: Vec<String>,
    /// Install the certificates in this directory that were asked for with `kpki plan --csr-dir`, and do nothing else.
    /// Each is proven first: its key, its issuer, its names, its time.
    #[arg(long, value_name = "DIR", conflicts_with = "replace")]
    pub signed: Option<PathBuf>,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
