//! From where the whole cluster is asked: a directory, and a control-plane node whose files are in it.

use std::path::{Path, PathBuf};

use pki_core::cluster::spec::{Node, Role};
use pki_core::converge::cluster_directory::ClusterDirectory;

use super::{Source, SourceError, load};

/// A directory of a cluster, and whose credentials of those in it are shown. On a control-plane node that has just its own
/// tree these are its own; where `kpki init` made all of them, the first control-plane node's.
#[derive(Debug)]
pub struct Vantage {
    /// The cluster's directory.
    pub dir: PathBuf,
    /// The directory of CA certificates, where it is not the one that cluster.toml names.
    pub ca_dir: Option<PathBuf>,
    /// What it says of the node whose files these are.
    pub source: Source,
}

impl Vantage {
    /// Looks into `dir`, for the files of `own` first.
    ///
    /// # Errors
    /// [`SourceError`], also when no control-plane node's files are there.
    pub fn open(dir: &Path, ca_dir: Option<&Path>, own: Option<&str>) -> Result<Self, SourceError> {
        let spec = ClusterDirectory::read(dir, ca_dir)?.spec;
        let is_own = |node: &&Node| Some(node.name().as_str()) == own;
        let mut nodes: Vec<_> = spec.nodes_with(Role::ControlPlane).collect();
        nodes.sort_by_key(|node| !is_own(node));
        let has_files = |node: &&&Node| dir.join("nodes").join(node.name().as_str()).is_dir();
        let mut first = None;
        for node in nodes.iter().filter(has_files) {
            match load(dir, ca_dir, node.name().as_str()) {
                Ok(source) => {
                    return Ok(Self {
                        dir: dir.to_owned(),
                        ca_dir: ca_dir.map(Path::to_owned),
                        source,
                    });
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| SourceError::NoVantage(dir.join("nodes"))))
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        let node = self.source.node.name().as_str();
        self.dir.join("nodes").join(node).join("admin.conf")
    }
}
