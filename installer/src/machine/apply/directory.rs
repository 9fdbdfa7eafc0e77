//! Directories by their descriptor: no step to one follows a symbolic link.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::files::temporary;
use crate::desired::Owner;
use crate::machine::error::HostError;
use crate::machine::fuse::Fuse;
use crate::machine::root::Root;

/// A directory, opened.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) file: OwnedFd,
    pub(super) path: PathBuf,
}

impl Directory {
    /// The directory that holds `path`, and the name in it. Nothing when it does not exist.
    pub(super) fn above(root: &Root, path: &Path) -> Result<Option<(Self, OsString)>, HostError> {
        let (parent, name) = split(path)?;
        Ok(Self::open(root, parent)?.map(|directory| (directory, name)))
    }

    /// A directory of the machine. Nothing when it does not exist.
    pub(super) fn open(root: &Root, path: &Path) -> Result<Option<Self>, HostError> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let at = root.path();
        let fails = |at: &Path, errno: Errno| HostError::io(at, "cannot be opened", errno);
        let mut directory = Self {
            file: fs::open(at, flags, Mode::empty()).map_err(|errno| fails(at, errno))?,
            path: at.to_owned(),
        };
        for component in path.components() {
            let name = match component {
                Component::RootDir | Component::CurDir => continue,
                Component::Normal(name) => name,
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(fails(path, Errno::INVAL));
                }
            };
            match directory.below(name, flags) {
                Ok(below) => directory = below,
                Err(Errno::NOENT) => return Ok(None),
                Err(errno) => return Err(fails(&directory.path.join(name), errno)),
            }
        }
        Ok(Some(directory))
    }

    fn below(&self, name: &std::ffi::OsStr, flags: OFlags) -> Result<Self, Errno> {
        let file = fs::openat(&self.file, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
        let path = self.path.join(name);
        Ok(Self { file, path })
    }

    /// The directory that holds `path`, with all that is missing above it made: 0755, root's.
    pub(super) fn made_above(
        root: &Root,
        path: &Path,
        fuse: &Fuse,
    ) -> Result<(Self, OsString), HostError> {
        let (parent, name) = split(path)?;
        if let Some(directory) = Self::open(root, parent)? {
            return Ok((directory, name));
        }
        let ancestors: Vec<_> = parent.ancestors().collect();
        for ancestor in ancestors.into_iter().rev() {
            if ancestor.parent().is_some() && Self::open(root, ancestor)?.is_none() {
                make(root, ancestor, 0o755, own(root), fuse)?;
            }
        }
        match Self::open(root, parent)? {
            Some(directory) => Ok((directory, name)),
            None => {
                let path = root.join(parent);
                Err(HostError::io(&path, "went away", io::ErrorKind::NotFound))
            }
        }
    }

    pub(super) fn sync(&self) -> Result<(), HostError> {
        fs::fsync(&self.file).map_err(|errno| HostError::io(&self.path, "cannot be written", errno))
    }
}

/// Root's; in a directory that stands for a machine, the caller's.
pub(super) fn own(root: &Root) -> Owner {
    if root.is_machine() {
        return Owner::ROOT;
    }
    Owner {
        user: rustix::process::geteuid().as_raw(),
        group: rustix::process::getegid().as_raw(),
    }
}

/// Makes a directory, or mends the mode and owner of the one that is there.
pub(super) fn make(
    root: &Root,
    path: &Path,
    mode: u32,
    owner: Owner,
    fuse: &Fuse,
) -> Result<(), HostError> {
    let (above, name) = Directory::made_above(root, path, fuse)?;
    let place = above.path.join(&name);
    let fails = |errno: Errno| HostError::io(&place, "cannot be made", errno);
    let burnt = |error| HostError::io(&place, "cannot be made", error);
    fuse.burn().map_err(burnt)?;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    match above.below(&name, flags) {
        Ok(directory) => return set_owner_and_mode(&directory.file, mode, owner).map_err(fails),
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(fails(errno)),
    }
    // Born under another name, so that it never has another mode or owner under its own.
    let born = temporary(&name);
    match fs::mkdirat(&above.file, &born, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(fails(errno)),
    }
    let directory = above.below(&born, flags).map_err(fails)?;
    set_owner_and_mode(&directory.file, mode, owner).map_err(fails)?;
    fuse.burn().map_err(burnt)?;
    // Over a directory that came there meanwhile only when that is empty (rename(2)).
    fs::renameat(&above.file, &born, &above.file, &name).map_err(fails)
}

/// Removes what an interrupted run may have left of the directory `path`.
pub(super) fn remove_temporary(root: &Root, path: &Path) -> Result<(), HostError> {
    let Some((above, name)) = Directory::above(root, path)? else {
        return Ok(());
    };
    let born = temporary(&name);
    match fs::unlinkat(&above.file, &born, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(HostError::io(
            &above.path.join(born),
            "cannot be removed",
            errno,
        )),
    }
}

/// The owner first: chown(2) takes bits of the mode away.
pub(super) fn set_owner_and_mode(file: &OwnedFd, mode: u32, owner: Owner) -> Result<(), Errno> {
    let stat = fs::fstat(file)?;
    if (stat.st_uid, stat.st_gid) != (owner.user, owner.group) {
        fs::fchown(
            file,
            Some(fs::Uid::from_raw(owner.user)),
            Some(fs::Gid::from_raw(owner.group)),
        )?;
    }
    if stat.st_mode & 0o7777 != mode {
        fs::fchmod(file, Mode::from_raw_mode(mode))?;
    }
    Ok(())
}

fn split(path: &Path) -> Result<(&Path, OsString), HostError> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if path.is_absolute() => Ok((parent, name.to_owned())),
        _ => Err(HostError::io(
            path,
            "is not the path of a file",
            io::ErrorKind::InvalidInput,
        )),
    }
}
