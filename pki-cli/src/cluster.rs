//! The cluster that a command is about.

use std::ops::Deref;
use std::path::Path;

use pki_core::cluster::spec::ClusterSpec;
use pki_core::converge::cluster_directory::ClusterDirectory;
pub use pki_core::converge::cluster_directory::SPEC;
use pki_core::converge::inventory::Inventory;

use crate::arguments::Tree;
use crate::output::errors::Failure;

/// Spec, blueprint and places of one cluster.
pub struct Cluster(ClusterDirectory);

impl Cluster {
    /// Reads the cluster in a directory.
    pub fn open(tree: &Tree) -> Result<Self, Failure> {
        let directory = ClusterDirectory::read(&tree.dir, tree.ca_dir.as_deref())?;
        Ok(Self(directory))
    }

    /// The cluster of a spec that was read from `file`, which relative paths in it are relative to.
    pub fn of(
        dir: &Path,
        spec: ClusterSpec,
        file: &Path,
        ca_dir: Option<&Path>,
    ) -> Result<Self, Failure> {
        Ok(Self(ClusterDirectory::of(dir, spec, file, ca_dir)?))
    }

    /// What is on disk.
    pub fn inventory(&self) -> Result<Inventory, Failure> {
        Ok(self.0.inventory()?)
    }

    /// `--dir X` for the next command, where it is needed.
    pub fn dir_flag(&self) -> String {
        if self.dir == Path::new("kubernetes") {
            String::new()
        } else {
            let dir = self.dir.to_string_lossy();
            format!(" --dir {}", crate::output::words::shell(&dir))
        }
    }
}

impl Deref for Cluster {
    type Target = ClusterDirectory;

    fn deref(&self) -> &ClusterDirectory {
        &self.0
    }
}
