//! Import: taking over a control-plane node's `/etc/kubernetes` that kubeadm made. Reads it, and finds the
//! spec that says the same.

mod derive;
mod manifests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::apply::Changes;
use super::inventory::{Inventory, InventoryError};
use crate::cluster::blueprint::{Blueprint, BlueprintError, Part, Placement};
use crate::cluster::spec::{ClusterSpec, SpecError, Written};
use crate::cluster::{FileMode, Location, Root};

/// What a node's files cannot tell, said by the user.
#[derive(Clone, Debug, Default)]
pub struct ImportHints {
    /// The service CIDRs. Certificates hold only their first addresses; static pod manifests tell them.
    pub service_cidrs: Vec<Written>,
    /// The pod CIDRs; static pod manifests tell them.
    pub pod_cidrs: Vec<Written>,
    /// The cluster DNS addresses, where they are not the default ones.
    pub cluster_dns: Vec<Written>,
}

/// A tree that was read and understood, not yet written anywhere.
#[derive(Debug)]
pub struct Import {
    /// The spec that reproduces it.
    pub spec: ClusterSpec,
    /// The files that were taken, each as it is.
    files: Vec<(Location, Zeroizing<Vec<u8>>, FileMode)>,
}

/// Why a tree cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The disk did not answer.
    #[error(transparent)]
    Read(#[from] InventoryError),
    /// A file could not be read a second time.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file without which nothing can be told is missing or damaged.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither the manifests nor the user tell the service CIDR.
    #[error("the service CIDR cannot be told from certificates: {} is valid for {}", path.display(), .addresses.join(", "))]
    NoServiceCidr {
        /// The API server's certificate.
        path: PathBuf,
        /// Its addresses, one of which is the first of the CIDR.
        addresses: Vec<String>,
    },
    /// The spec that was found is not a valid one.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The spec that was found does not fit the profile.
    #[error(transparent)]
    Blueprint(#[from] BlueprintError),
}

impl ImportError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint().map(str::to_owned),
            Self::NoServiceCidr { .. } => Some(
                "name it: --service-cidr CIDR, the one whose first address is among these".into(),
            ),
            Self::File { .. } => {
                Some("name the /etc/kubernetes of a control-plane node that kubeadm made".into())
            }
            Self::Spec(error) => error.mistakes.iter().find_map(|mistake| mistake.hint()),
            Self::Io { .. } | Self::Blueprint(_) => None,
        }
    }
}

/// Reads the `/etc/kubernetes` at `source`.
///
/// # Errors
/// [`ImportError`]; nothing is written by this function in any case.
pub fn import(source: &Path, hints: &ImportHints) -> Result<Import, ImportError> {
    let inventory = Inventory::read_node(source)?;
    let manifests = manifests::read(&source.join("manifests"));
    let spec = derive::spec(source, &inventory, &manifests, hints)?;
    let blueprint = Blueprint::new(&spec, &derive::profile(&spec))?;
    let node = spec.nodes()[0].name().to_string();
    let mut files = Vec::new();
    for placement in blueprint
        .artifacts()
        .iter()
        .flat_map(|artifact| &artifact.placements)
    {
        let Some(inner) = inner_path(placement, &node) else {
            continue;
        };
        let path = source.join(&inner);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            _ => continue,
        }
        let contents = fs::read(&path).map_err(|source| ImportError::Io { path, source })?;
        files.push((
            placement.location.clone(),
            Zeroizing::new(contents),
            placement.mode,
        ));
    }
    Ok(Import { spec, files })
}

impl Import {
    /// The files and the spec, to be written to a directory of kpki's in one transaction.
    pub fn into_changes(self) -> Changes {
        let mut changes = Changes::default();
        changes.add(
            Location::tree("cluster.toml").expect("a plain name"),
            self.spec.to_toml().into_bytes(),
            FileMode::PUBLIC,
        );
        for (location, contents, mode) in self.files {
            changes.add(location, contents, mode);
        }
        changes
    }

    /// The places of the files that were taken.
    pub fn files(&self) -> impl Iterator<Item = &Location> {
        self.files.iter().map(|(location, _, _)| location)
    }
}

/// Where below `/etc/kubernetes` a placement is found: a node's own file, or the home of an authority,
/// which kubeadm keeps in the node's `pki` folder.
fn inner_path(placement: &Placement, node: &str) -> Option<String> {
    let path = placement.location.path.as_str();
    match placement.location.root {
        Root::Tree => path
            .strip_prefix(&format!("nodes/{node}/"))
            .map(str::to_owned),
        Root::Authorities => {
            debug_assert!(matches!(
                placement.part,
                Part::Certificate | Part::PrivateKey
            ));
            Some(format!("pki/{path}"))
        }
    }
}
