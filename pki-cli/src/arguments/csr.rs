//! `kpki csr`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  kpki csr alice --group developers                 alice.key and alice.csr, to be signed by whoever has the CA
  kpki csr db.corp.example,10.0.0.7                 for a server: the name is its common name and its first SAN
  kpki csr system:node:w1,w1,192.0.2.21 --group system:nodes --usage server --out w1-serving
  kpki csr alice --key alice.key --out alice-again  a request for a key that is there";

/// Make a key and a signing request for it, or a request for an existing key.
///
/// The key is written with mode 0600, in no form but PEM, and nothing is ever overwritten.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Csr {
    /// The common name, then further DNS names, addresses, email addresses and URIs. A common name that is a
    /// DNS name with a dot is a SAN as well, for servers.
    #[arg(value_name = "NAME[,SAN...]")]
    pub subject: String,
    /// A group: one O= in the subject.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub group: Vec<String>,
    /// What for: server, client, or both [default: server where there are DNS names or addresses, else client].
    #[arg(long, value_name = "USAGE", value_delimiter = ',', value_parser = ["server", "client"])]
    pub usage: Vec<String>,
    /// ecdsa-p256, ecdsa-p384, ed25519, rsa-2048, rsa-3072 or rsa-4096 [default: ecdsa-p256].
    #[arg(long, value_name = "ALGORITHM", conflicts_with = "key")]
    pub key_algorithm: Option<String>,
    /// Use this key instead of a new one.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Write BASE.csr and BASE.key [default: the common name].
    #[arg(long, value_name = "BASE")]
    pub out: Option<PathBuf>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
