//! Where a cluster's files are.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct Tree {
    /// The cluster's directory: cluster.toml, ca/, nodes/ and users/.
    #[arg(long, value_name = "DIR", default_value = "kubernetes")]
    pub dir: PathBuf,
    /// The directory of CA certificates and keys, where it is not the one that cluster.toml names.
    #[arg(long, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
}
