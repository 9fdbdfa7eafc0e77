//! An authority of the cluster, ready to sign: its certificate from the inventory, its key beside it.

use time::OffsetDateTime;

use super::inventory::Inventory;
use super::plan::source;
use crate::cluster::blueprint::{ArtifactId, Blueprint, Content, Part};
use crate::x509::{Authority, AuthorityError, LocalSigner, SignError};

/// Why an authority of the cluster cannot sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAuthority {
    /// The cluster has none of that name.
    #[error("the cluster has no authority {id:?}")]
    Unknown {
        /// The name.
        id: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// Its certificate is nowhere.
    #[error("the certificate of authority {id} is not at {path}")]
    NoCertificate {
        /// The authority.
        id: ArtifactId,
        /// Where it should be.
        path: String,
    },
    /// Its key is nowhere.
    #[error("the key of authority {id} is not at {path}")]
    NoKey {
        /// The authority.
        id: ArtifactId,
        /// Where it should be.
        path: String,
    },
    /// What is there cannot sign.
    #[error("{path}: {error}")]
    Unusable {
        /// Its certificate's file.
        path: String,
        /// Why.
        error: AuthorityError,
    },
    /// The key is refused.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl NoAuthority {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { known, .. } => format!("it has {}", known.join(", ")),
            Self::NoCertificate { .. } => "kpki plan tells what is missing".into(),
            Self::NoKey { .. } => {
                "bring the directory of CA keys back, or name it with --ca-dir".into()
            }
            Self::Unusable { .. } => "kpki plan tells what would mend it".into(),
            Self::Sign(_) => return None,
        })
    }
}

/// The authority of that name, proven to be able to sign at `now`.
///
/// # Errors
/// [`NoAuthority`] says what is missing.
pub fn load_authority(
    blueprint: &Blueprint,
    inventory: &Inventory,
    id: &ArtifactId,
    now: OffsetDateTime,
) -> Result<Authority, NoAuthority> {
    let is_authority = |content: &Content| matches!(content, Content::Authority(_));
    let artifact = blueprint
        .artifact(id)
        .filter(|artifact| is_authority(&artifact.content));
    let Some(artifact) = artifact else {
        let all = blueprint.artifacts().iter();
        let known = all.filter(|artifact| is_authority(&artifact.content));
        return Err(NoAuthority::Unknown {
            id: id.to_string(),
            known: known.map(|artifact| artifact.id.to_string()).collect(),
        });
    };
    let home = |part: Part| {
        let mut placements = artifact.placements.iter();
        let first = placements.find(|placement| placement.part == part);
        first.map_or_else(String::new, |placement| {
            inventory.shown(&placement.location)
        })
    };
    let id = id.clone();
    let Some(found) = source::certificates(artifact, inventory) else {
        let path = home(Part::Certificate);
        return Err(NoAuthority::NoCertificate { id, path });
    };
    let Some(key) = source::key_of(&found.chain[0], artifact, inventory) else {
        let path = home(Part::PrivateKey);
        return Err(NoAuthority::NoKey { id, path });
    };
    let signer = LocalSigner::new(key)?;
    Authority::load(found.authority().chain().to_vec(), signer, now).map_err(|error| {
        NoAuthority::Unusable {
            path: inventory.shown(found.at),
            error,
        }
    })
}
