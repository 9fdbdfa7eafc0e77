//! A directory that kpki made, or the part of it that was brought to this machine.

use std::path::Path;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::spec::ClusterSpec;
use pki_core::converge::cluster_directory::{self, ReadError};
use pki_core::converge::inventory::Inventory;

/// What is wanted of a cluster, and what is here of it.
#[derive(Debug)]
pub struct ClusterDirectory {
    /// Its spec.
    pub spec: ClusterSpec,
    /// What spec and profile want.
    pub blueprint: Blueprint,
    /// The files that are here.
    pub inventory: Inventory,
}

impl ClusterDirectory {
    /// Reads the directory `dir`. CA certificates are looked for in `ca_dir`, else where the spec says.
    ///
    /// # Errors
    /// [`ReadError`]. A file of the tree that makes no sense is no error here, but a finding of
    /// [`check`](crate::check()).
    pub fn read(dir: &Path, ca_dir: Option<&Path>) -> Result<Self, ReadError> {
        let directory = cluster_directory::ClusterDirectory::read(dir, ca_dir)?;
        let inventory = directory.inventory()?;
        Ok(Self {
            spec: directory.spec,
            blueprint: directory.blueprint,
            inventory,
        })
    }
}
