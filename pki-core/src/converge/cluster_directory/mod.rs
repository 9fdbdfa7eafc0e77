//! A cluster in its directory: cluster.toml, the profile it names, and the blueprint of both. What every program
//! begins with.

mod error;
mod state;

use std::io;
use std::path::{Path, PathBuf};

pub use error::ReadError;
pub use state::State;

use super::inventory::{Inventory, InventoryError};
use crate::cluster::blueprint::Blueprint;
use crate::cluster::profile::Profile;
use crate::cluster::spec::{ClusterSpec, ProfileReference};
use crate::cluster::{Location, Root};

/// The spec's file name.
pub const SPEC: &str = "cluster.toml";

/// Below a cluster's directory, the trees of nodes that were removed from it: nobody renews them or counts them.
pub const REMOVED: &str = "removed";

/// Spec, blueprint and places of one cluster.
#[derive(Debug)]
pub struct ClusterDirectory {
    /// The cluster's directory.
    pub dir: PathBuf,
    /// The directory of CA certificates and keys. It may be away.
    pub authorities: PathBuf,
    /// What its owner wants.
    pub spec: ClusterSpec,
    /// What spec and profile want.
    pub blueprint: Blueprint,
}

impl ClusterDirectory {
    /// Reads the cluster in `dir`. CA certificates are in `ca_dir`, else where the spec says.
    ///
    /// # Errors
    /// [`ReadError`], with every mistake at once.
    pub fn read(dir: &Path, ca_dir: Option<&Path>) -> Result<Self, ReadError> {
        let (file, spec) = read_spec(dir)?;
        Self::of(dir, spec, &file, ca_dir)
    }

    /// The cluster of a spec that was read from `file`, which relative paths in it are relative to.
    ///
    /// # Errors
    /// When its profile cannot be read, or does not fit the spec.
    pub fn of(
        dir: &Path,
        spec: ClusterSpec,
        file: &Path,
        ca_dir: Option<&Path>,
    ) -> Result<Self, ReadError> {
        let base = file.parent().unwrap_or(Path::new(""));
        let profile = profile(spec.profile(), base)?;
        let blueprint = match Blueprint::new(&spec, &profile) {
            Ok(blueprint) => blueprint,
            Err(source) => {
                return Err(ReadError::Blueprint {
                    path: file.to_owned(),
                    spec: Box::new(spec),
                    source,
                });
            }
        };
        Ok(Self {
            dir: dir.to_owned(),
            authorities: spec.authorities_dir(dir, base, ca_dir),
            spec,
            blueprint,
        })
    }

    /// What is on disk.
    ///
    /// # Errors
    /// When something cannot be read at all.
    pub fn inventory(&self) -> Result<Inventory, InventoryError> {
        Inventory::read(&self.dir, &self.authorities)
    }

    /// A file as a person would name it from here.
    pub fn path(&self, location: &Location) -> PathBuf {
        match location.root {
            Root::Tree => self.dir.join(location.path.as_str()),
            Root::Authorities => self.authorities.join(location.path.as_str()),
        }
    }
}

/// A directory's spec, and its file.
///
/// # Errors
/// When it is not there or has mistakes.
pub fn read_spec(dir: &Path) -> Result<(PathBuf, ClusterSpec), ReadError> {
    let (path, text) = read_text(dir)?;
    match ClusterSpec::from_toml(&text) {
        Ok(spec) => Ok((path, spec)),
        Err(source) => Err(ReadError::Spec { path, source }),
    }
}

/// The text of a directory's spec, and its file.
///
/// # Errors
/// When it is not there or cannot be read.
pub fn read_text(dir: &Path) -> Result<(PathBuf, String), ReadError> {
    let path = dir.join(SPEC);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ReadError::NoSpec(path)),
        Err(source) => Err(ReadError::Io { path, source }),
    }
}

/// The profile that a spec in the directory `base` asks for.
fn profile(reference: &ProfileReference, base: &Path) -> Result<Profile, ReadError> {
    match reference {
        ProfileReference::Shipped(name) => {
            Ok(Profile::shipped(name).expect("a spec names only shipped profiles and paths"))
        }
        ProfileReference::File(file) => {
            let path = base.join(file);
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    Profile::from_toml(&text).map_err(|source| ReadError::Profile { path, source })
                }
                Err(source) => Err(ReadError::Io { path, source }),
            }
        }
    }
}
