//! `kinstall bundle`, and what `kinstall node` is told of a bundle.

use std::path::PathBuf;

use clap::Args;

use super::Options;

const EXAMPLES: &str = "\
Examples:
  kinstall bundle w1 --out w1.bundle
  kinstall bundle w1 --out w1.bundle --passphrase-file passphrase
  kinstall bundle w1 --out w1.bundle --bin-dir /opt/kubernetes/bin --network host-gw
  kinstall bundle w1 --out w1.bundle --digests --force
  kinstall bundle w1 --dry-run

On the machine of w1, which needs nothing else:
  tar --zstd -xf w1.bundle -C /usr/local bin/kinstall
  kinstall node --bundle w1.bundle";

/// Pack what a machine needs to become a node into one file: its own node's tree, cluster.toml, and the programs.
///
/// A tar in zstd with a manifest of digests first. It holds the node's keys, so it is its owner's alone (0600), and with
/// --passphrase-file it is encrypted as the program age does it. The same input gives the same bundle, bit for bit, but
/// for an encrypted one. What loads libraries of its distribution, such as nft, stays out: that machine has its own.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Bundle {
    /// The node, by its name in cluster.toml.
    #[arg(value_name = "NODE")]
    pub node: String,
    /// Where to write it.
    #[arg(long, short, value_name = "FILE", required_unless_present = "dry_run")]
    pub out: Option<PathBuf>,
    /// Encrypt it with the passphrase in the first line of this file; - reads standard input.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Leave the programs out: the machine has to have just the same ones, by their digests.
    #[arg(long)]
    pub digests: bool,
    /// Replace a file of that name.
    #[arg(long)]
    pub force: bool,
    /// The cluster's directory: cluster.toml and nodes/ [default: that of the last run, else ./kubernetes].
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The directory of CA certificates, where it is not the one that cluster.toml names; may be absent.
    #[arg(long, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
    #[command(flatten)]
    pub options: Options,
    /// Only list what would go in.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// What a machine was brought.
#[derive(Debug, Args)]
#[command(next_help_heading = "From a bundle")]
pub struct FromBundle {
    /// What kinstall bundle packed for this machine's node. All of it is checked before anything is written.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "dir", "ca_dir", "service_cidr", "cluster_dns", "pod_cidr", "domain", "endpoint", "address", "san", "profile",
        "key_algorithm",
    ])]
    pub bundle: Option<PathBuf>,
    /// The bundle's passphrase is in the first line of this file; - reads standard input.
    #[arg(long, value_name = "FILE", requires = "bundle")]
    pub passphrase_file: Option<PathBuf>,
    /// The bundle must have this digest, as kinstall bundle and sha256sum print it.
    #[arg(long, value_name = "sha256:DIGEST", requires = "bundle", value_parser = digest)]
    pub digest: Option<String>,
}

/// SHA-256 in hexadecimal, with the name of the function before it or without.
fn digest(text: &str) -> Result<String, &'static str> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text).to_lowercase();
    let is_digest = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest {
        Ok(hex)
    } else {
        Err("a digest is sha256: and 64 hexadecimal digits")
    }
}
