//! `kpki lint`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  kpki lint                              every certificate of ./kubernetes
  kpki lint /etc/kubernetes/pki
  kpki lint server.crt admin.conf --json";

/// Hold certificates against the rules of RFC 5280 and of Kubernetes.
///
/// Exits with 1 when a certificate breaks a rule that matters; a warning alone is exit code 0.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Lint {
    /// Files with certificates (PEM, kubeconfigs), or directories of them [default: those of --dir].
    #[arg(value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// The cluster's directory, when no file is named.
    #[arg(long, value_name = "DIR", default_value = "kubernetes")]
    pub dir: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
