//! One step of a plan.

use std::fmt;

use super::Drift;
use crate::cluster::blueprint::{Artifact, ArtifactId, Part};
use crate::converge::inventory::Inventory;

/// What is to be done to one artifact, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which artifact.
    pub artifact: ArtifactId,
    /// The word for its kind.
    pub kind: &'static str,
    /// What is to be done.
    pub action: Action,
    /// Why: at least one difference.
    pub reasons: Vec<Drift>,
    /// What stands in the way, if anything does: then the step cannot be applied.
    pub obstacle: Option<Obstacle>,
    /// Which of the artifact's placements are written.
    pub(in crate::converge) writes: Vec<usize>,
    /// Which of the artifact's placements only get another mode.
    pub(in crate::converge) modes: Vec<usize>,
}

/// What is to be done to an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make it: there is none.
    Create,
    /// Issue its certificate anew, with a new key.
    Issue,
    /// Issue a certificate anew under its own key. What a CA issued stays valid.
    Renew,
    /// Make another in place of one that others rely on; needs consent.
    Replace,
    /// Write files anew from what is there: copies, chains, kubeconfigs around the same certificate.
    Rewrite,
    /// Change modes only.
    Protect,
}

/// Why a step cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// An imported authority whose certificate is not there.
    #[error("the certificate of the imported authority {authority} is not at {path}")]
    NotImported {
        /// The authority.
        authority: ArtifactId,
        /// Where it should be.
        path: String,
    },
    /// Something has to be signed with a key that is not there.
    #[error("the key of authority {authority} is not at {path}")]
    KeyAbsent {
        /// The authority.
        authority: ArtifactId,
        /// Where it should be.
        path: String,
    },
    /// The key that is there is another's.
    #[error("{path}: the key does not belong to the certificate of authority {authority}")]
    KeyMismatch {
        /// The authority.
        authority: ArtifactId,
        /// The key's file.
        path: String,
    },
    /// An authority's certificate that cannot be signed with, and that is not ours to renew.
    #[error("{path}: {reason}")]
    UnusableAuthority {
        /// The authority's file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An authority of ours that nothing can be issued by before it is renewed.
    #[error("{path}: {reason}")]
    NotValid {
        /// The authority.
        authority: ArtifactId,
        /// Its file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that cannot be read and that must not be lost.
    #[error("{path}: {reason}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something that is no file is where a file belongs.
    #[error("{path} is {kind}, not a file")]
    NotAFile {
        /// The place.
        path: String,
        /// What is there.
        kind: &'static str,
    },
    /// Its authority cannot do its part, as another step says.
    #[error("authority {authority} cannot sign, see above")]
    AuthorityObstructed {
        /// The authority.
        authority: ArtifactId,
    },
}

impl Step {
    /// A step that does nothing yet.
    pub(super) fn new(artifact: &Artifact) -> Self {
        Self {
            artifact: artifact.id.clone(),
            kind: artifact.content.kind(),
            action: Action::Protect,
            reasons: Vec::new(),
            obstacle: None,
            writes: Vec::new(),
            modes: Vec::new(),
        }
    }

    /// Every placement is written.
    pub(super) fn write_all(&mut self, artifact: &Artifact) {
        self.writes = (0..artifact.placements.len()).collect();
        self.modes.clear();
    }

    /// Copies of a key that is not there cannot be made.
    pub(super) fn forget_keys(&mut self, artifact: &Artifact, inventory: &Inventory) {
        let placements = &artifact.placements;
        let is_key = |index: &usize| placements[*index].part == Part::PrivateKey;
        let keys: Vec<_> = self
            .writes
            .iter()
            .filter(|index| is_key(index))
            .map(|index| inventory.shown(&placements[*index].location))
            .collect();
        self.writes.retain(|index| !is_key(index));
        self.reasons
            .retain(|reason| !matches!(reason, Drift::Missing { path } if keys.contains(path)));
    }

    /// The step, if it does anything or says why it cannot.
    pub(super) fn some(self) -> Option<Self> {
        (!self.reasons.is_empty() || self.obstacle.is_some()).then_some(self)
    }
}

impl Obstacle {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NotImported { path, .. } => {
                format!(
                    "put the CA's certificate at {path} and its key beside it, or take `imported` out of cluster.toml"
                )
            }
            Self::KeyAbsent { .. } => {
                "bring the directory of CA keys back, or name it with --ca-dir; or have others sign: kpki plan --csr-dir DIR".into()
            }
            Self::KeyMismatch { path, .. } => {
                format!(
                    "put the key that belongs to the certificate at {path}; nothing is replaced by itself"
                )
            }
            Self::UnusableAuthority { .. } => {
                "get a valid CA certificate from whoever issued this one".into()
            }
            Self::NotValid { authority, .. } => format!(
                "renew the authority as well, under its own key: kpki renew {authority}, and then again"
            ),
            Self::Damaged { path, .. } => {
                format!("restore {path} from a backup; if there is none, move it away")
            }
            Self::NotAFile { path, .. } => format!("move {path} away"),
            Self::AuthorityObstructed { .. } => "mend the authority first".into(),
        }
    }
}

impl Action {
    /// Whether it signs an existing authority's certificate anew, under whatever key.
    pub(super) const fn signs_authority(self) -> bool {
        matches!(self, Self::Renew | Self::Replace)
    }

    /// Whether the artifact has another certificate afterwards.
    pub(in crate::converge) const fn issues(self) -> bool {
        !matches!(self, Self::Rewrite | Self::Protect)
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Issue => "issue",
            Self::Renew => "renew",
            Self::Replace => "replace",
            Self::Rewrite => "rewrite",
            Self::Protect => "protect",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
