//! Why a cluster's directory cannot be read.

use std::io;
use std::path::PathBuf;

use crate::cluster::blueprint::BlueprintError;
use crate::cluster::profile::ProfileError;
use crate::cluster::spec::{ClusterSpec, SpecError};
use crate::converge::inventory::InventoryError;
use crate::converge::problem::Problem;

/// Why a cluster's directory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It has no spec.
    #[error("{} does not exist", .0.display())]
    NoSpec(PathBuf),
    /// It holds somebody else's files.
    #[error("{} is not empty and has no cluster.toml: it is not kpki's", .0.display())]
    Foreign(PathBuf),
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The spec has mistakes.
    #[error("{}: {source}", path.display())]
    Spec {
        /// Its file.
        path: PathBuf,
        /// All of them.
        source: SpecError,
    },
    /// The profile has mistakes.
    #[error("{}: {source}", path.display())]
    Profile {
        /// Its file.
        path: PathBuf,
        /// All of them.
        source: ProfileError,
    },
    /// Spec and profile do not fit together.
    #[error("{}: {source}", path.display())]
    Blueprint {
        /// The spec's file.
        path: PathBuf,
        /// The spec, which knows where each setting was written.
        spec: Box<ClusterSpec>,
        /// Why.
        source: BlueprintError,
    },
    /// The disk did not answer.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl ReadError {
    /// Every problem with its hint, for a program to print one after the other.
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::NoSpec(_) => vec![Problem::new(
                self.to_string(),
                "name the cluster's directory with --dir, or make one: kpki init --service-cidr 10.3.0.0/24",
            )],
            Self::Foreign(_) => vec![Problem::new(
                self.to_string(),
                "name a new directory with --dir; a kubeadm-made /etc/kubernetes is taken over with kpki import",
            )],
            Self::Io { path, source } => vec![Problem::io(path, source)],
            Self::Spec { path, source } => Problem::of_spec(source, &path.display().to_string()),
            Self::Profile { path, source } => {
                Problem::of_profile(source, &path.display().to_string())
            }
            Self::Blueprint { path, spec, source } => {
                Problem::of_blueprint(source, spec, &path.display().to_string())
            }
            Self::Inventory(error) => vec![Problem {
                fact: error.to_string(),
                hint: error.hint().map(str::to_owned),
            }],
        }
    }
}
