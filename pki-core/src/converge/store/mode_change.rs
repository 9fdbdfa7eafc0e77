//! Changing the mode of a file that is there.

use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::attempt::Attempt;
use super::effects::{At, Effects};
use super::error::StoreError;
use crate::cluster::FileMode;

/// Sets the mode of a file through a descriptor, so that what is changed is what was looked at.
/// False when there is no file.
pub(super) fn set_mode(
    effects: &Effects,
    at: &At<'_, &OwnedFd>,
    mode: FileMode,
) -> Result<bool, StoreError> {
    let Some(file) = open(at.directory, at.name, &at.path())? else {
        return Ok(false);
    };
    effects.set_mode(at, &file, mode)?;
    Ok(true)
}

/// Refuses a file whose mode we could not or should not set: somebody else's, or one that has
/// another name, where somebody may rely on the mode it has.
pub(super) fn refuse_unless_ours(
    directory: &OwnedFd,
    name: &str,
    path: &Path,
) -> Result<(), StoreError> {
    let fails = |errno| StoreError::new(errno, Attempt::SetMode, path);
    let Some(file) = open(directory, name, path)? else {
        return Ok(());
    };
    let stat = fs::fstat(&file).map_err(fails)?;
    if stat.st_nlink > 1 {
        return Err(StoreError::HardLinked {
            path: path.to_owned(),
            links: u32::try_from(stat.st_nlink).unwrap_or(u32::MAX),
        });
    }
    // chmod(2), EPERM: only the owner, or one with CAP_FOWNER, may.
    let user = geteuid();
    if user.is_root() || user.as_raw() == stat.st_uid {
        Ok(())
    } else {
        Err(fails(Errno::PERM))
    }
}

fn open(directory: &OwnedFd, name: &str, path: &Path) -> Result<Option<OwnedFd>, StoreError> {
    let fails = |errno| StoreError::new(errno, Attempt::SetMode, path);
    // O_NONBLOCK: a named pipe put there meanwhile must not hang us.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = match fs::openat(directory, name, flags | OFlags::RDONLY, Mode::empty()) {
        // The owner may have a file that it cannot read but can write.
        Err(Errno::ACCESS) => fs::openat(directory, name, flags | OFlags::WRONLY, Mode::empty()),
        opened => opened,
    };
    let file = match opened {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(fails(errno)),
    };
    let stat = fs::fstat(&file).map_err(fails)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        Ok(Some(file))
    } else {
        Err(StoreError::NotAFile {
            path: path.to_owned(),
            found: "something else",
        })
    }
}
