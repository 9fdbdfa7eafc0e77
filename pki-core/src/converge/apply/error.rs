//! Why a plan was not carried out.

use crate::cluster::blueprint::ArtifactId;
use crate::converge::plan::Obstacle;
use crate::converge::store::StoreError;
use crate::x509::{AuthorityError, IssueError, RandomError};

/// Why a plan was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A step cannot be done.
    #[error("{artifact}: {obstacle}")]
    Obstacle {
        /// Which artifact.
        artifact: ArtifactId,
        /// What stands in the way.
        obstacle: Box<Obstacle>,
    },
    /// A step would replace what others rely on, and nobody agreed to it.
    #[error(
        "{artifact} would be replaced, and everything that relies on it would have to change at once"
    )]
    NeedsConsent {
        /// Which artifact.
        artifact: ArtifactId,
    },
    /// A certificate could not be issued.
    #[error("{artifact}: {source}")]
    Issue {
        /// Which artifact.
        artifact: ArtifactId,
        /// Why.
        source: Box<IssueError>,
    },
    /// An authority could not be used.
    #[error("{artifact}: {source}")]
    Authority {
        /// Which authority.
        artifact: ArtifactId,
        /// Why.
        source: Box<AuthorityError>,
    },
    /// The system has no randomness to give.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Writing failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApplyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Obstacle { obstacle, .. } => Some(obstacle.hint()),
            Self::NeedsConsent { artifact } => Some(format!(
                "take the change out of cluster.toml, or agree with --replace {artifact} and restart every component"
            )),
            Self::Issue { source, .. } if matches!(**source, IssueError::Lint(_)) => Some(
                "change the names in cluster.toml or the profile so that the rules hold".into(),
            ),
            Self::Store(error) => error.hint(),
            _ => None,
        }
    }
}
