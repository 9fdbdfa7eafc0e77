//! `kpki revoke` and `kpki crl`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  kpki revoke db.crt --reason key-compromise
  kpki revoke --serial 4f:a0:9c:01 --ca team --dry-run
  kpki crl --ca team";

/// Revoke a certificate: from now on it is in the CA's revocation lists, which `kpki crl` writes.
///
/// kube-apiserver, the kubelet and other Kubernetes components read no revocation list. To shut a user or node out of a
/// cluster, take the RBAC bindings away, let short certificates end, or replace the CA.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Revoke {
    /// The certificate.
    #[arg(
        value_name = "FILE",
        required_unless_present = "serial",
        conflicts_with = "serial"
    )]
    pub certificate: Option<PathBuf>,
    /// Its serial number in hexadecimal, where the certificate is lost.
    #[arg(long, value_name = "HEX")]
    pub serial: Option<String>,
    /// unspecified, key-compromise, ca-compromise, affiliation-changed, superseded, cessation-of-operation or
    /// privilege-withdrawn.
    #[arg(long, value_name = "REASON", default_value = "unspecified")]
    pub reason: String,
    /// The CA that issued it [default: the one of the cluster in ./kubernetes].
    #[arg(long, value_name = "DIR|FILE")]
    pub ca: Option<PathBuf>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

const CRL: &str = "\
Examples:
  kpki crl --ca team
  kpki crl --ca team --validity 1d --dry-run
  openssl verify -crl_check -CAfile <(cat team/ca.crt team/ca.crl) db.crt";

/// Write a CA's revocation list (ca.crl beside its certificate): version 2, numbered, signed.
///
/// Verifiers refuse a list after its end, and then every certificate: run this again in time. kube-apiserver, the kubelet and
/// other Kubernetes components read no revocation list; etcd (--client-crl-file), nginx, HAProxy, Envoy and Postgres do.
#[derive(Debug, Args)]
#[command(before_help = CRL)]
pub struct Crl {
    /// The CA [default: the one of the cluster in ./kubernetes].
    #[arg(long, value_name = "DIR|FILE")]
    pub ca: Option<PathBuf>,
    /// By when the next list comes.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    pub validity: String,
    /// What opens the CA's key, where that is encrypted [default: asked for on the terminal].
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
