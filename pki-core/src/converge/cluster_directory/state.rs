//! Whether a directory is ours, free, or somebody else's.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{ReadError, SPEC};
use crate::cluster::CONTROL_DIRECTORY;
use crate::converge::store::Store;

/// Whose a directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It has a cluster.toml.
    Ours,
    /// It is empty or not there, or has only what an interrupted run left. To be looked at again once the store is open.
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
        // A run that was interrupted later has made more, which is finished or goes as soon as the store is opened. It
        // had begun in a directory that was free.
        if Store::peek(dir) {
            return Ok(Self::Free);
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
            // The store's own directory is all that a run leaves that was interrupted before it began to write.
            if entry.map_err(failed)?.file_name() != CONTROL_DIRECTORY {
                return Err(ReadError::Foreign(dir.to_owned()));
            }
        }
        Ok(Self::Free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_interrupted_run_left_is_nobody_s() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path();
        let control = dir.join(CONTROL_DIRECTORY);
        fs::create_dir_all(&control).unwrap();
        assert_eq!(State::of(dir).unwrap(), State::Free);
        fs::create_dir(dir.join("ca")).unwrap();
        assert!(matches!(State::of(dir), Err(ReadError::Foreign(_))));
        for journal in ["journal.staging", "journal"] {
            fs::write(control.join(journal), "").unwrap();
            assert_eq!(State::of(dir).unwrap(), State::Free);
            fs::remove_file(control.join(journal)).unwrap();
        }
        fs::write(dir.join(SPEC), "").unwrap();
        assert_eq!(State::of(dir).unwrap(), State::Ours);
    }
}
