//! A directory that kpki made, or the part of it that was brought to this machine.

use std::io;
use std::path::{Path, PathBuf};

use pki_core::cluster::blueprint::{Blueprint, BlueprintError};
use pki_core::cluster::profile::{Profile, ProfileError};
use pki_core::cluster::spec::{ClusterSpec, ProfileReference, SpecError};
use pki_core::converge::inventory::{Inventory, InventoryError};

const SPEC: &str = "cluster.toml";

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

/// Why a directory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It has no spec.
    #[error("{} does not exist", .0.display())]
    NoSpec(PathBuf),
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
    #[error(transparent)]
    Blueprint(#[from] BlueprintError),
    /// The disk did not answer.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// A fact, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub fact: String,
    /// What would mend it, where that is known.
    pub hint: Option<String>,
}

impl ClusterDirectory {
    /// Reads the directory `dir`. CA certificates are looked for in `ca_dir`, else where the spec says.
    ///
    /// # Errors
    /// [`ReadError`]. A file of the tree that makes no sense is no error here, but a finding of
    /// [`check`](crate::check()).
    pub fn read(dir: &Path, ca_dir: Option<&Path>) -> Result<Self, ReadError> {
        let path = dir.join(SPEC);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ReadError::NoSpec(path));
            }
            Err(source) => return Err(ReadError::Io { path, source }),
        };
        let spec =
            ClusterSpec::from_toml(&text).map_err(|source| ReadError::Spec { path, source })?;
        let profile = profile(spec.profile(), dir)?;
        let blueprint = Blueprint::new(&spec, &profile)?;
        let authorities = spec.authorities_dir(dir, dir, ca_dir);
        let inventory = Inventory::read(dir, &authorities)?;
        Ok(Self {
            spec,
            blueprint,
            inventory,
        })
    }
}

fn profile(reference: &ProfileReference, dir: &Path) -> Result<Profile, ReadError> {
    match reference {
        ProfileReference::Shipped(name) => {
            Ok(Profile::shipped(name).expect("a spec names only shipped profiles and paths"))
        }
        ProfileReference::File(file) => {
            let path = dir.join(file);
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    Profile::from_toml(&text).map_err(|source| ReadError::Profile { path, source })
                }
                Err(source) => Err(ReadError::Io { path, source }),
            }
        }
    }
}

impl ReadError {
    /// Every problem with its hint, for a program to print one after the other.
    pub fn problems(&self) -> Vec<Problem> {
        let one = |hint: Option<String>| {
            let fact = self.to_string();
            vec![Problem { fact, hint }]
        };
        match self {
            Self::NoSpec(_) => one(Some(
                "name the directory that kpki init made with --dir".into(),
            )),
            Self::Io { source, .. } => {
                let denied = source.kind() == io::ErrorKind::PermissionDenied;
                one(denied.then(|| "run as the owner of it, or as root".into()))
            }
            Self::Spec { path, source } => {
                let file = path.display().to_string();
                let mistakes = source.mistakes.iter();
                mistakes
                    .map(|mistake| Problem {
                        fact: mistake.display(&file).to_string(),
                        hint: mistake.hint(),
                    })
                    .collect()
            }
            Self::Profile { path, source } => {
                let file = path.display().to_string();
                let mistakes = source.mistakes.iter();
                mistakes
                    .map(|mistake| Problem {
                        fact: mistake.display(&file).to_string(),
                        hint: mistake.hint(),
                    })
                    .collect()
            }
            Self::Blueprint(error) => {
                let facts = error.facts.iter();
                facts
                    .map(|fact| Problem {
                        fact: fact.to_string(),
                        hint: Some(fact.hint()),
                    })
                    .collect()
            }
            Self::Inventory(error) => one(error.hint().map(str::to_owned)),
        }
    }
}
