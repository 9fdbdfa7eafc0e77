//! `kpki inspect`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  kpki inspect kubernetes/ca/ca.crt
  kpki inspect ~/.kube/config --json
  openssl s_client -connect 192.0.2.11:6443 </dev/null | kpki inspect -";

/// Show what is in a file: certificates, signing requests, the public halves of keys, kubeconfigs.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Inspect {
    /// The file (PEM, DER or a kubeconfig), or `-` for standard input.
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
