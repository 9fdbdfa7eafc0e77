//! Whether a directory is ours, free, or somebody else's.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{ReadError, SPEC};
use crate::cluster::CONTROL_DIRECTORY;

/// Whose a directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It has a cluster.toml.
    Ours,
    /// It is empty or not there.
    Free,
}

impl State {
    /// Looks, and refuses what is not ours.
    ///
    /// # Errors
    /// [`ReadError::Foreign`], or when the directory cannot be read.
    pub fn of(dir: &Path) -> Result<Self, ReadError> {
        if dir.join(SPEC).symlink_metadata().is_ok() {
            return Ok(Self::Ours);
        }
        let failed = |source| ReadError::Io {
            path: dir.to_owned(),
            source,
        };
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Free),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            // The store's own directory is all that an interrupted run leaves.
            if entry.map_err(failed)?.file_name() != CONTROL_DIRECTORY {
                return Err(ReadError::Foreign(dir.to_owned()));
            }
        }
        Ok(Self::Free)
    }
}
