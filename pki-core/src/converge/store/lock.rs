//! One kpki at a time: the lock `<dir>/.kpki/lock`, and the directory it is in.

use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use super::attempt::Attempt;
use super::directory::{RootDirectory, refuse_symlink, refuse_writable_by_others};
use super::effects::{At, Effects, permissions};
use super::error::StoreError;
use crate::cluster::CONTROL_DIRECTORY;
use crate::cluster::FileMode;

const LOCK: &str = "lock";
/// A process id has at most seven digits (PID_MAX_LIMIT is 4194304).
const LONGEST_PROCESS_ID: usize = 16;

/// The control directory of a tree, and the lock in it, held.
///
/// flock(2) belongs to the open file, so the kernel lets go of it however we end. The file itself
/// is removed by [`Drop`], still under the lock; whoever opened it before and gets the lock
/// afterwards sees that the file has no name any more and begins anew.
#[derive(Debug)]
pub(super) struct Lock {
    effects: Effects,
    file: OwnedFd,
    directory: OwnedFd,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock, creating the control directory when absent. Nothing when another process
    /// let go of it and took the file or the directory away just now: then try again.
    pub(super) fn take(
        tree: &RootDirectory,
        effects: &Effects,
    ) -> Result<Option<Self>, StoreError> {
        let Some(directory) = control_directory(tree, effects)? else {
            return Ok(None);
        };
        let path = tree.join(CONTROL_DIRECTORY);
        let at = At {
            directory: &directory,
            name: LOCK,
            within: &path,
        };
        refuse_symlink(directory.as_fd(), LOCK, &at.path())?;
        let Some(file) = effects.open_lock(&at)? else {
            return Ok(None);
        };
        let holds = effects.lock(&file, &at.path());
        let fails = |errno| at.fails(errno, Attempt::Lock);
        if !matches!(holds, Ok(true)) {
            let holder = holder(&file);
            return holds.and(Err(StoreError::Busy {
                path: at.path(),
                holder,
            }));
        }
        if fs::fstat(&file).map_err(fails)?.st_nlink == 0 {
            return Ok(None);
        }
        let mode = permissions(&file).map_err(fails)?;
        let lock = Self {
            effects: effects.clone(),
            file,
            directory,
            path,
        };
        let at = lock.at(LOCK);
        if mode != u32::from(FileMode::SECRET.bits()) {
            effects.set_mode(&at, &lock.file, FileMode::SECRET)?;
        }
        effects.overwrite(&at, &lock.file, std::process::id().to_string().as_bytes())?;
        Ok(Some(lock))
    }

    /// The control directory.
    pub(super) fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A name in the control directory.
    pub(super) fn at<'a>(&'a self, name: &'a str) -> At<'a, &'a OwnedFd> {
        At {
            directory: &self.directory,
            name,
            within: &self.path,
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Best effort: a lock file without a lock on it hinders nobody.
        let _ = self.effects.remove(&self.at(LOCK));
        Effects::unlock(&self.file);
    }
}

/// True for the names that [`Lock`] itself puts into the control directory.
pub(super) fn is_lock(name: &str) -> bool {
    name == LOCK
}

/// Opens the control directory of a root, creating it when absent. Nothing when it went away just
/// now.
pub(super) fn control_directory(
    root: &RootDirectory,
    effects: &Effects,
) -> Result<Option<OwnedFd>, StoreError> {
    let at = At {
        directory: root.file(),
        name: CONTROL_DIRECTORY,
        within: root.path(),
    };
    match effects.make_directory(at) {
        Ok(_) => existing_control_directory(root),
        // mkdir(2): ENOENT in a directory that was removed after we opened it.
        Err(StoreError::Io { source, .. })
            if source.raw_os_error() == Some(Errno::NOENT.raw_os_error()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Opens the control directory of a root if there is one.
pub(super) fn existing_control_directory(
    root: &RootDirectory,
) -> Result<Option<OwnedFd>, StoreError> {
    let path = root.join(CONTROL_DIRECTORY);
    let fails = |errno| StoreError::new(errno, Attempt::Open, &path);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match fs::openat(root.file(), CONTROL_DIRECTORY, flags, Mode::empty()) {
        Ok(directory) => {
            let stat = fs::fstat(&directory).map_err(fails)?;
            refuse_writable_by_others(&path, stat.st_mode)?;
            Ok(Some(directory))
        }
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => {
            refuse_symlink(root.file().as_fd(), CONTROL_DIRECTORY, &path)?;
            Err(fails(errno))
        }
    }
}

/// Who wrote its process id into the lock.
fn holder(file: &OwnedFd) -> Option<u32> {
    let mut text = [0; LONGEST_PROCESS_ID];
    let length = rustix::io::pread(file, &mut text, 0).ok()?;
    std::str::from_utf8(&text[..length]).ok()?.parse().ok()
}
