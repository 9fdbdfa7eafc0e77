//! Why files were not written.

use std::io;
use std::path::{Path, PathBuf};

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum OutputsError {
    /// Something of that name is there, and nobody said that it may be replaced.
    #[error("{} is there already, and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// Two files of one name in one batch.
    #[error("{} would be written twice", .0.display())]
    Twice(PathBuf),
    /// A link, directory or device where a file is to be replaced, or no name of a file.
    #[error("{} is no regular file", .0.display())]
    NotAFile(PathBuf),
    /// The disk did not do it.
    #[error("{}: {}", path.display(), words(source))]
    Io {
        /// With which file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl OutputsError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists(_) => Some("move it away, or choose another name"),
            Self::Twice(_) => Some("give each its own file name"),
            Self::NotAFile(_) => Some("name a file"),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => Some("make the directory first, or choose another"),
                io::ErrorKind::PermissionDenied => Some("choose a directory that you may write to"),
                io::ErrorKind::StorageFull => Some("free some space"),
                _ => None,
            },
        }
    }
}

pub(super) fn failed<E: Into<io::Error>>(path: &Path) -> impl Fn(E) -> OutputsError {
    move |error| OutputsError::Io {
        path: path.to_owned(),
        source: error.into(),
    }
}

/// The number of an error helps nobody who has the words.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}
