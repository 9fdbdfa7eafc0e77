//! Where the cluster's files are.

use std::path::PathBuf;

use clap::Args;

/// Where the cluster's files are, and which node this is.
#[derive(Debug, Args)]
pub struct Tree {
    /// The cluster's directory: cluster.toml and nodes/ [default: that of the last run, else ./kubernetes].
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The directory of CA certificates, where it is not the one that cluster.toml names; may be absent.
    #[arg(long, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
    /// Which node of the cluster this is [default: that of the last run, else this host's name].
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
}
