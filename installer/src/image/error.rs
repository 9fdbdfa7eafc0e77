//! Why an image cannot be made.

use std::io;
use std::path::{Path, PathBuf};

/// Why an image cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file of this machine cannot be read.
    #[error("{}: {cause}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file is not what it was when it was planned, or changes while it is read.
    #[error("{} changed since its digest was taken", .0.display())]
    Changed(PathBuf),
    /// A path in the image that no tar can hold, or that leads out of it.
    #[error("{path:?} cannot be a path in an image: {reason}")]
    Path {
        /// The path.
        path: String,
        /// Why not.
        reason: &'static str,
    },
    /// What takes the image does not take more of it.
    #[error("the image cannot be written: {0}")]
    Write(#[source] io::Error),
}

impl ImageError {
    /// What would mend it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } | Self::Changed(_) => Some(
                "let whatever installs or updates that program finish, then run kinstall again"
                    .into(),
            ),
            Self::Path { .. } | Self::Write(_) => None,
        }
    }

    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Read {
            path: path.to_owned(),
            cause,
        }
    }
}
