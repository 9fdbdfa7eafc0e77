//! `kpki issue`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  kpki issue db.example,192.0.2.7
  kpki issue db.example --usage peer --ca team --out certs
  kpki issue metrics --usage client --group monitoring --validity 90d
  kpki issue alice,alice@example.com --profile person
  kpki issue api.test --profile test --key-algorithm rsa-2048 --dry-run";

/// Issue a certificate with a new key from a CA.
///
/// The subject becomes the common name; that of a server also its first alternative name. Alternative names are DNS names,
/// IP addresses, email addresses (a@b) or URIs (x://y), told by their form. NAME.crt holds the certificate and those between
/// it and the root, NAME.key the key, mode 0600. Nothing is overwritten, and what breaks a rule of `kpki lint` is not signed.
///
/// Profiles, whose parts other flags replace: server (1y), client (1y), peer (server and client, 1y), person (client, 8h),
/// test (server and client, also for localhost, 127.0.0.1 and ::1, 7d).
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Issue {
    /// Whom it is for, then further names, comma-separated.
    #[arg(value_name = "SUBJECT[,SAN...]")]
    pub subject: String,
    /// server, client, peer (both), or several, comma-separated [default: the profile's].
    #[arg(long, value_name = "USAGE", value_delimiter = ',')]
    pub usage: Vec<String>,
    /// server, client, peer, person or test.
    #[arg(long, value_name = "NAME", default_value = "server")]
    pub profile: String,
    /// An O= of the subject, which Kubernetes reads as a group; several may be given.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub group: Vec<String>,
    /// How long it lasts, no longer than its CA [default: the profile's].
    #[arg(long, value_name = "TIME")]
    pub validity: Option<String>,
    /// ecdsa-p256, ecdsa-p384, ed25519, rsa-2048, rsa-3072 or rsa-4096.
    #[arg(long, value_name = "ALGORITHM", default_value = "ecdsa-p256")]
    pub key_algorithm: String,
    /// The CA [default: the one of the cluster in ./kubernetes].
    #[arg(long, value_name = "DIR|FILE")]
    pub ca: Option<PathBuf>,
    /// What opens the CA's key, where that is encrypted [default: asked for on the terminal].
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// The directory of the new files; it must be there.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// The files' name before .crt and .key [default: the subject].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
