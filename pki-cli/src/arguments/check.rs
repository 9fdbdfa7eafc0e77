//! `kpki check`.

use std::path::PathBuf;

use clap::Args;
use pki_core::x509::Lifetime;

const EXAMPLES: &str = "\
Examples:
  kpki check                                   all of ./kubernetes, else of this node
  kpki check --live                            and what the cluster's servers serve now
  kpki check /etc/kubernetes 10.0.0.1:6443
  kpki check --quiet --prometheus /var/lib/node_exporter/textfile/kpki.prom
  kpki check --json | jq '.certificates[] | select(.level != \"fine\")'";

/// Show how long every certificate lasts, on disk and as served, who uses it, and what is wrong.
///
/// Reads PEM and DER files, chains, kubeconfigs (what they embed and what they refer to) and kubelets' own files.
/// Without a PATH it reads ./kubernetes or, where there is none, /etc/kubernetes and /var/lib/kubelet/pki.
///
/// Exits with 0 when all is fine, with 1 when something needs attention, and with 2 when not everything could be
/// told: a path that cannot be read, a server that does not answer.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Check {
    /// Files, directories, and servers to dial.
    #[arg(value_name = "PATH|HOST:PORT")]
    pub targets: Vec<String>,
    /// Dial the servers of the cluster as well: API servers, etcd members, kubelets.
    #[arg(long)]
    pub live: bool,
    /// What to show to servers that ask for a certificate: a kubeconfig, or a certificate whose key is in the same file
    /// or beside it [default, for --live: the cluster's own].
    #[arg(long, value_name = "FILE")]
    pub client: Option<PathBuf>,
    /// How long to wait for each server.
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub timeout: Lifetime,
    /// Warn when less is left, but never before the last third of a life.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    pub warn: Lifetime,
    /// Call it critical when less is left, but never before the last tenth of a life.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    pub critical: Lifetime,
    /// Write the figures to this file as well, for Prometheus' textfile collector.
    #[arg(long, value_name = "FILE")]
    pub prometheus: Option<PathBuf>,
    /// Print nothing when all is fine.
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
