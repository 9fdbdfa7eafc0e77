//! Directories that we made and take away again if nothing came to be in them.

use std::path::PathBuf;

use rustix::fs::{self, CWD, Mode, OFlags};

use super::effects::{At, Effects};

/// Removes the directories it remembers when dropped, as far as they are empty, so that a run that
/// changes nothing leaves nothing behind.
#[derive(Debug)]
pub(super) struct Tidy {
    effects: Effects,
    directories: Vec<PathBuf>,
}

impl Tidy {
    pub(super) fn new(effects: Effects) -> Self {
        Self {
            effects,
            directories: Vec::new(),
        }
    }

    /// Directories are to be told parents first.
    pub(super) fn remember(&mut self, directory: PathBuf) {
        self.directories.push(directory);
    }
}

impl Drop for Tidy {
    fn drop(&mut self) {
        // Best effort: what stays is an empty directory.
        for directory in self.directories.iter().rev() {
            let (Some(parent), Some(name)) = (directory.parent(), directory.file_name()) else {
                continue;
            };
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let (Ok(parent_file), Some(name)) =
                (fs::openat(CWD, parent, flags, Mode::empty()), name.to_str())
            else {
                continue;
            };
            let _ = self.effects.remove_directory(At {
                directory: parent_file,
                name,
                within: parent,
            });
        }
    }
}
