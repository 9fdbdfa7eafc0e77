//! Every system call that changes the disk: one thin function each, all through [`Effects::step`].

use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{self, AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::attempt::Attempt;
use super::error::StoreError;
use super::faults::Faults;
use crate::cluster::FileMode;

/// Directories we make are for their owner alone, for they hold keys.
pub(super) const DIRECTORY_MODE: FileMode = match FileMode::new(0o700) {
    Some(mode) => mode,
    None => FileMode::PRIVATE_KEY,
};

const PERMISSION_BITS: u32 = 0o777;

/// The hands of the store.
#[derive(Clone, Debug)]
pub(super) struct Effects {
    faults: Faults,
}

/// What an effect acts on: a directory, a name in it, and the whole path for error messages.
#[derive(Clone, Copy)]
pub(super) struct At<'a, Fd: AsFd> {
    pub directory: Fd,
    pub name: &'a str,
    /// The path of `directory`.
    pub within: &'a Path,
}

impl<Fd: AsFd> At<'_, Fd> {
    pub(super) fn fails(&self, errno: Errno, attempted: Attempt) -> StoreError {
        StoreError::new(errno, attempted, self.path())
    }

    pub(super) fn path(&self) -> PathBuf {
        self.within.join(self.name)
    }

    /// True when anything has this name.
    pub(super) fn exists(&self) -> Result<bool, StoreError> {
        match fs::statat(&self.directory, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(self.fails(errno, Attempt::Read)),
        }
    }
}

impl Effects {
    pub(super) fn new(faults: Faults) -> Self {
        Self { faults }
    }

    /// Creates a file that did not exist, with its final mode before it has any content.
    ///
    /// open(2): the mode is `mode & ~umask`, so that it is never wider than asked for; O_EXCL with
    /// O_CREAT neither follows a link nor opens what is already there.
    pub(super) fn create_file<Fd: AsFd>(
        &self,
        at: At<'_, Fd>,
        mode: FileMode,
    ) -> Result<OwnedFd, StoreError> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = self
            .take(|| fs::openat(&at.directory, at.name, flags, raw(mode)))
            .map_err(|errno| at.fails(errno, Attempt::Create))?;
        let found = permissions(&file).map_err(|errno| at.fails(errno, Attempt::Create))?;
        if found != u32::from(mode.bits()) {
            self.set_mode(&at, &file, mode)?;
        }
        Ok(file)
    }

    /// Sets the mode of an open file and sees that it took: FAT, for one, keeps none.
    pub(super) fn set_mode<Fd: AsFd>(
        &self,
        at: &At<'_, Fd>,
        file: &OwnedFd,
        mode: FileMode,
    ) -> Result<(), StoreError> {
        let fails = |errno| at.fails(errno, Attempt::SetMode);
        let set = self.take(|| fs::fchmod(file, raw(mode)));
        let found = permissions(file).map_err(fails)?;
        match set {
            Ok(()) if found == u32::from(mode.bits()) => Ok(()),
            Ok(()) => Err(StoreError::ModeNotKept {
                path: at.path(),
                wanted: mode,
                found,
            }),
            Err(errno) => Err(fails(errno)),
        }
    }

    pub(super) fn write<Fd: AsFd>(
        &self,
        at: &At<'_, Fd>,
        file: &OwnedFd,
        mut contents: &[u8],
    ) -> Result<(), StoreError> {
        let fails = |errno| at.fails(errno, Attempt::Write);
        self.step().map_err(fails)?;
        while !contents.is_empty() {
            match rustix::io::write(file, contents) {
                Ok(0) => return Err(fails(Errno::IO)),
                Ok(count) => contents = &contents[count..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(fails(errno)),
            }
        }
        Ok(())
    }

    /// Creates a directory of mode 0700 whatever the umask. False when it was there already.
    pub(super) fn make_directory<Fd: AsFd>(&self, at: At<'_, Fd>) -> Result<bool, StoreError> {
        let fails = |errno| at.fails(errno, Attempt::MakeDirectory);
        match self.take(|| fs::mkdirat(&at.directory, at.name, raw(DIRECTORY_MODE))) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(false),
            Err(errno) => return Err(fails(errno)),
        }
        let widened = self.widen_directory(&at);
        if widened.is_err() {
            // Nobody has a record of it yet, so nobody else would take it away.
            let _ = self.remove_directory(at);
        }
        widened.map(|()| true)
    }

    /// Gives a new directory the bits that the umask took.
    fn widen_directory<Fd: AsFd>(&self, at: &At<'_, Fd>) -> Result<(), StoreError> {
        let fails = |errno| at.fails(errno, Attempt::MakeDirectory);
        let wanted = u32::from(DIRECTORY_MODE.bits());
        let read = || {
            fs::statat(&at.directory, at.name, AtFlags::SYMLINK_NOFOLLOW)
                .map(|stat| stat.st_mode & PERMISSION_BITS)
        };
        if read().map_err(fails)? == wanted {
            return Ok(());
        }
        // A directory that its owner may not read cannot be opened for fchmod(2); O_PATH needs no
        // permission on it, and its /proc/self/fd entry leads to that very inode (proc_pid_fd(5)).
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = fs::openat(&at.directory, at.name, flags, Mode::empty()).map_err(fails)?;
        let exact = format!("/proc/self/fd/{}", directory.as_raw_fd());
        let set = self.take(|| fs::chmod(exact, raw(DIRECTORY_MODE)));
        let found = read().map_err(fails)?;
        match set {
            Ok(()) if found == wanted => Ok(()),
            Err(errno) if found & !wanted == 0 => Err(fails(errno)),
            _ => Err(StoreError::ModeNotKept {
                path: at.path(),
                wanted: DIRECTORY_MODE,
                found,
            }),
        }
    }

    /// Moves a file within a file system; what was at `to` is replaced in one step, and a link
    /// there is replaced, not followed (rename(2)). False when `from` is not there.
    pub(super) fn rename<From: AsFd, To: AsFd>(
        &self,
        from: &At<'_, From>,
        to: &At<'_, To>,
    ) -> Result<bool, StoreError> {
        match self.take(|| fs::renameat(&from.directory, from.name, &to.directory, to.name)) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(to.fails(errno, Attempt::Rename)),
        }
    }

    /// Removes a file or link. False when there was none.
    pub(super) fn remove<Fd: AsFd>(&self, at: &At<'_, Fd>) -> Result<bool, StoreError> {
        match self.take(|| fs::unlinkat(&at.directory, at.name, AtFlags::empty())) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(at.fails(errno, Attempt::Remove)),
        }
    }

    /// Removes a directory if it is empty. True when it is gone.
    pub(super) fn remove_directory<Fd: AsFd>(&self, at: At<'_, Fd>) -> Result<bool, StoreError> {
        match self.take(|| fs::unlinkat(&at.directory, at.name, AtFlags::REMOVEDIR)) {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            // rmdir(2): POSIX allows either for a directory that is not empty.
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            Err(errno) => Err(at.fails(errno, Attempt::RemoveDirectory)),
        }
    }

    /// Makes everything written to a file system so far durable: contents, names and modes.
    ///
    /// syncfs(2) reports failed writeback since Linux 5.8.
    pub(super) fn sync_file_system(&self, any: &OwnedFd, path: &Path) -> Result<(), StoreError> {
        self.take(|| fs::syncfs(any))
            .map_err(|errno| StoreError::new(errno, Attempt::Sync, path))
    }

    /// Makes the names in a directory durable.
    pub(super) fn sync_directory(
        &self,
        directory: &OwnedFd,
        path: &Path,
    ) -> Result<(), StoreError> {
        self.take(|| fs::fsync(directory))
            .map_err(|errno| StoreError::new(errno, Attempt::Sync, path))
    }

    /// Takes the exclusive lock on an open file. False when another process has it.
    pub(super) fn lock(&self, file: &OwnedFd, path: &Path) -> Result<bool, StoreError> {
        match self.take(|| fs::flock(file, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(errno) => Err(StoreError::new(errno, Attempt::Lock, path)),
        }
    }

    /// Lets go of a lock. Closing would do, were it not that a child which another thread forks
    /// shares the descriptor until it executes a program (flock(2)). No step: to the disk it is
    /// nothing, and the kernel does it for the dead.
    pub(super) fn unlock(file: &OwnedFd) {
        let _ = fs::flock(file, FlockOperation::Unlock);
    }

    /// Opens the lock file for writing, creating it when absent.
    pub(super) fn open_lock<Fd: AsFd>(
        &self,
        at: &At<'_, Fd>,
    ) -> Result<Option<OwnedFd>, StoreError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = raw(FileMode::SECRET);
        match self.take(|| fs::openat(&at.directory, at.name, flags, mode)) {
            Ok(file) => Ok(Some(file)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(at.fails(errno, Attempt::Create)),
        }
    }

    /// Replaces what a small file says.
    pub(super) fn overwrite<Fd: AsFd>(
        &self,
        at: &At<'_, Fd>,
        file: &OwnedFd,
        contents: &[u8],
    ) -> Result<(), StoreError> {
        self.take(|| {
            fs::ftruncate(file, 0)?;
            rustix::io::pwrite(file, contents, 0)
        })
        .map(drop)
        .map_err(|errno| at.fails(errno, Attempt::Write))
    }

    /// One effect is about to happen: the only place where a test can stop the store.
    fn step(&self) -> Result<(), Errno> {
        self.faults.step()
    }

    fn take<T>(&self, effect: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
        self.step()?;
        effect()
    }
}

/// The permission bits of an open file.
pub(super) fn permissions(file: &OwnedFd) -> Result<u32, Errno> {
    Ok(fs::fstat(file)?.st_mode & PERMISSION_BITS)
}

fn raw(mode: FileMode) -> Mode {
    Mode::from_raw_mode(mode.bits().into())
}
