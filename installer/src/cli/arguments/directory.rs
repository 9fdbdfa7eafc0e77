//! From where a whole cluster is asked.

use std::path::PathBuf;

use clap::Args;

/// From where a whole cluster is asked.
#[derive(Debug, Args)]
pub struct Directory {
    /// The cluster's directory: cluster.toml and nodes/ with a control-plane node's files [default: that of this node, else
    /// ./kubernetes].
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The directory of CA certificates, where it is not the one that cluster.toml names; may be absent.
    #[arg(long, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
}
