//! What the store does with its two roots: syncing them, and the directories in them.

use rustix::fd::OwnedFd;
use rustix::fs::{self, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::attempt::Attempt;
use super::directory::{RootDirectory, missing_ancestors, refuse_symlinks_below};
use super::effects::At;
use super::error::StoreError;
use super::journal::Journal;
use super::lock::existing_control_directory;
use super::open::Store;
use crate::cluster::{CONTROL_DIRECTORY, RelativePath, Root};

impl Store {
    /// Makes the file systems of a transaction durable, each once.
    ///
    /// This also waits for what other programs have written to them. Still it is the fastest way:
    /// measured on ext4, 41 staged files take 1.9 ms (a busy disk: 3.7 ms), an fsync(2) of each 46 ms.
    pub(super) fn sync(&self, journal: &Journal) -> Result<(), StoreError> {
        // The journal is in the tree, whatever the steps are about.
        self.effects
            .sync_file_system(self.tree.file(), self.tree.path())?;
        match &self.authorities {
            Some(authorities) if self.on_two_devices(journal) => self
                .effects
                .sync_file_system(authorities.file(), authorities.path()),
            _ => Ok(()),
        }
    }

    /// Makes the names in the control directory durable: the journal's above all.
    pub(super) fn sync_control(&self) -> Result<(), StoreError> {
        self.effects
            .sync_directory(self.lock.directory(), self.lock.path())
    }

    pub(super) fn on_two_devices(&self, journal: &Journal) -> bool {
        journal.authorities.is_some()
            && self
                .authorities
                .as_ref()
                .is_some_and(|authorities| authorities.device() != self.tree.device())
    }

    pub(super) fn open_authorities(&self) -> Result<Option<RootDirectory>, StoreError> {
        if let Ok(below) = self.authorities_path.strip_prefix(self.tree.path()) {
            refuse_symlinks_below(&self.tree, below)?;
        }
        RootDirectory::open(&self.authorities_path)
    }

    /// Keeps other trees out of a directory of authorities they share with this one.
    ///
    /// The lock is on the directory itself, so that nothing need be left in it.
    pub(super) fn lock_authorities(&self) -> Result<(), StoreError> {
        let Some(authorities) = &self.authorities else {
            return Ok(());
        };
        match self.effects.lock(authorities.file(), authorities.path()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::Busy {
                path: authorities.path().to_owned(),
                holder: None,
            }),
            // flock(2), NFS: an exclusive lock needs a descriptor open for writing, which a
            // directory cannot have. The lock of the tree must do there.
            Err(StoreError::Io { source, .. })
                if source.raw_os_error() == Some(Errno::BADF.raw_os_error()) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn missing_authorities(&self) -> usize {
        missing_ancestors(&self.authorities_path).len()
    }

    pub(super) fn create_authorities(&mut self) -> Result<(), StoreError> {
        if self.authorities.is_some() {
            return Ok(());
        }
        // The journal knows how many are new.
        RootDirectory::create(&self.authorities_path, &self.effects, |_| {})?;
        self.authorities = self.open_authorities()?;
        if self.authorities.is_none() {
            return Err(StoreError::new(
                Errno::NOENT,
                Attempt::Open,
                &self.authorities_path,
            ));
        }
        self.lock_authorities()
    }

    /// Takes the control directory of the authorities away if nobody has anything in it.
    pub(super) fn remove_authorities_control(&self) -> Result<(), StoreError> {
        let Some(authorities) = &self.authorities else {
            return Ok(());
        };
        // Asked first, because CA certificates and keys may be on a read-only medium, where
        // rmdir(2) says EROFS also for what does not exist.
        if existing_control_directory(authorities)?.is_none() {
            return Ok(());
        }
        self.effects
            .remove_directory(At {
                directory: authorities.file(),
                name: CONTROL_DIRECTORY,
                within: authorities.path(),
            })
            .map(drop)
    }

    /// Takes the directory of authorities away, and those that lead to it, as far as they were
    /// made for a transaction and are empty.
    pub(super) fn remove_authorities(&mut self, made: usize) -> Result<(), StoreError> {
        for directory in self.authorities_path.ancestors().take(made) {
            let (Some(within), Some(name)) = (directory.parent(), directory.file_name()) else {
                break;
            };
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let parent: OwnedFd = match fs::openat(CWD, within, flags, Mode::empty()) {
                Ok(parent) => parent,
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(StoreError::new(errno, Attempt::Open, within)),
            };
            let at = At {
                directory: parent,
                name: &name.to_string_lossy(),
                within,
            };
            if !self.effects.remove_directory(at)? {
                break;
            }
            self.authorities = None;
        }
        Ok(())
    }

    /// Makes a directory and those that lead to it.
    pub(super) fn make_directories(&self, root: Root, relative: &str) -> Result<(), StoreError> {
        let ends = relative
            .match_indices('/')
            .map(|(end, _)| end)
            .chain([relative.len()]);
        for end in ends {
            if let Ok(path) = RelativePath::new(&relative[..end]) {
                self.make_directory(root, &path)?;
            }
        }
        Ok(())
    }

    /// Makes one directory in one that exists.
    pub(super) fn make_directory(&self, root: Root, path: &RelativePath) -> Result<(), StoreError> {
        let (parent, name) = path.split();
        let within = self.path_of(root, parent);
        let directory = match self.root(root) {
            Some(top) => top.directory(parent)?,
            None => None,
        };
        let Some(directory) = directory else {
            return Err(StoreError::new(Errno::NOENT, Attempt::Open, within));
        };
        let at = At {
            directory,
            name,
            within: &within,
        };
        self.effects.make_directory(at).map(drop)
    }

    /// Removes one directory if it is empty.
    pub(super) fn remove_directory(
        &self,
        root: Root,
        path: &RelativePath,
    ) -> Result<(), StoreError> {
        let (parent, name) = path.split();
        let within = self.path_of(root, parent);
        let directory = match self.root(root) {
            Some(top) => top.directory(parent)?,
            None => None,
        };
        let Some(directory) = directory else {
            return Ok(());
        };
        let at = At {
            directory,
            name,
            within: &within,
        };
        self.effects.remove_directory(at).map(drop)
    }
}
