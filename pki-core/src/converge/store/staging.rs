//! The directories in which new files wait until all of them are complete.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{self, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::attempt::Attempt;
use super::directory::{RootDirectory, refuse_symlink};
use super::effects::{At, Effects};
use super::error::StoreError;
use super::journal::StagingName;
use super::lock::{control_directory, existing_control_directory};
use crate::cluster::{CONTROL_DIRECTORY, Root};

/// A root's staging directory, open: `<root>/.kpki/<name>`, on the file system of the files that
/// will be renamed out of it.
#[derive(Debug)]
pub(super) struct Staging {
    directory: OwnedFd,
    path: std::path::PathBuf,
}

impl Staging {
    pub(super) fn create(
        root: &RootDirectory,
        kind: Root,
        name: &StagingName,
        effects: &Effects,
    ) -> Result<Self, StoreError> {
        let within = root.join(CONTROL_DIRECTORY);
        let gone = || StoreError::new(Errno::NOENT, Attempt::Open, &within);
        let control = control_directory(root, effects)?.ok_or_else(gone)?;
        effects.make_directory(At {
            directory: &control,
            name: &name.below(kind),
            within: &within,
        })?;
        Self::open(root, kind, name)?.ok_or_else(gone)
    }

    /// Nothing when there is none.
    pub(super) fn open(
        root: &RootDirectory,
        kind: Root,
        name: &StagingName,
    ) -> Result<Option<Self>, StoreError> {
        match existing_control_directory(root)? {
            Some(control) => Self::open_in(&control, root, &name.below(kind)),
            None => Ok(None),
        }
    }

    fn open_in(
        control: &OwnedFd,
        root: &RootDirectory,
        name: &str,
    ) -> Result<Option<Self>, StoreError> {
        let path = root.join(CONTROL_DIRECTORY).join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match fs::openat(control, name, flags, Mode::empty()) {
            Ok(directory) => Ok(Some(Self { directory, path })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => {
                refuse_symlink(control.as_fd(), name, &path)?;
                Err(StoreError::new(errno, Attempt::Open, &path))
            }
        }
    }

    /// A file in it.
    pub(super) fn at<'a>(&'a self, name: &'a str) -> At<'a, &'a OwnedFd> {
        At {
            directory: &self.directory,
            name,
            within: &self.path,
        }
    }

    /// True when this file is still waiting.
    pub(super) fn holds(&self, name: &str) -> Result<bool, StoreError> {
        self.at(name).exists()
    }

    fn clear(&self, effects: &Effects) -> Result<(), StoreError> {
        for name in names(&self.directory)
            .map_err(|errno| StoreError::new(errno, Attempt::Read, &self.path))?
        {
            effects.remove(&self.at(&name))?;
        }
        Ok(())
    }
}

/// Takes a root's staging directory away with everything in it.
pub(super) fn sweep(root: &RootDirectory, name: &str, effects: &Effects) -> Result<(), StoreError> {
    let Some(control) = existing_control_directory(root)? else {
        return Ok(());
    };
    let Some(staging) = Staging::open_in(&control, root, name)? else {
        return Ok(());
    };
    let within = root.join(CONTROL_DIRECTORY);
    let at = At {
        directory: &control,
        name,
        within: &within,
    };
    if !effects.remove_directory(at)? {
        staging.clear(effects)?;
        effects.remove_directory(at)?;
    }
    Ok(())
}

/// The names in a directory.
pub(super) fn names(directory: &OwnedFd) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy();
        if name != "." && name != ".." {
            names.push(name.into_owned());
        }
    }
    Ok(names)
}
