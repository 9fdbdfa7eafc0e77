//! `kpki import`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  kpki import /etc/kubernetes --dry-run
  kpki import /etc/kubernetes --dir kubernetes
  kpki import ./pki-of-cp1 --service-cidr 10.96.0.0/12";

/// Take over the PKI that kubeadm made: write the cluster.toml that reproduces it.
///
/// The directory taken over is only read.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Import {
    /// A control-plane node's /etc/kubernetes.
    #[arg(value_name = "DIR")]
    pub source: PathBuf,
    /// The directory to make.
    #[arg(long, value_name = "DIR", default_value = "kubernetes")]
    pub dir: PathBuf,
    /// The service CIDRs, which no certificate tells in full, where no static pod manifest does.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub service_cidr: Vec<String>,
    /// The pod CIDRs, where no static pod manifest tells them.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub pod_cidr: Vec<String>,
    /// The addresses of the cluster DNS Service, where they are not the default ones.
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    pub cluster_dns: Vec<String>,
    /// Only show what would be taken over.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
