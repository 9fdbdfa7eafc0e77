//! Looking before writing: everything in the way of a transaction is found before anything is
//! touched.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{self, Access, AtFlags, FileType, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use super::attempt::Attempt;
use super::directory::refuse_symlink;
use super::error::StoreError;
use super::mode_change;
use super::open::Store;
use super::transaction::{Change, Operation};
use crate::cluster::{Location, RelativePath, Root};

/// What a transaction will find.
pub(super) struct Survey {
    /// For each operation, whether its file exists.
    pub exists: Vec<bool>,
    /// Directories that must be made, parents first.
    pub directories: Vec<Location>,
}

impl Survey {
    pub(super) fn take(store: &Store, operations: &[Operation]) -> Result<Self, StoreError> {
        refuse_conflicts(store, operations)?;
        let mut surveyor = Surveyor {
            store,
            missing: BTreeSet::new(),
            nearest: None,
        };
        let exists = operations
            .iter()
            .map(|operation| surveyor.look(operation))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            exists,
            // "a" sorts before "a/b": parents come first.
            directories: surveyor.missing.into_iter().collect(),
        })
    }
}

struct Surveyor<'store> {
    store: &'store Store,
    missing: BTreeSet<Location>,
    /// The directory looked into last: files of one directory mostly follow each other, and ten
    /// thousand nodes have more directories than a process may have open.
    nearest: Option<(Root, String, OwnedFd)>,
}

impl Surveyor<'_> {
    fn look(&mut self, operation: &Operation) -> Result<bool, StoreError> {
        let Location { root, path } = &operation.location;
        let (parent, name) = path.split();
        let full = self.store.path_of(*root, path.as_str());
        let exists = match self.open(*root, parent)? {
            Some(directory) => {
                let found = examine(directory, name, &full)?;
                if let (Change::SetMode(_), true) = (&operation.change, found) {
                    mode_change::refuse_unless_ours(directory, name, &full)?;
                }
                found
            }
            None => {
                if let Change::Write { .. } = operation.change {
                    self.miss(*root, parent)?;
                }
                false
            }
        };
        match operation.change {
            Change::SetMode(_) if !exists => Err(StoreError::Missing { path: full }),
            _ => Ok(exists),
        }
    }

    /// Opens a directory and makes sure that files can be moved into it.
    fn open(&mut self, root: Root, relative: &str) -> Result<Option<&OwnedFd>, StoreError> {
        let hit = matches!(&self.nearest, Some((known_root, known, _))
            if *known_root == root && known == relative);
        if !hit {
            if let Ok(path) = RelativePath::new(relative)
                && self.missing.contains(&Location { root, path })
            {
                return Ok(None);
            }
            let Some(top) = self.store.root(root) else {
                return Ok(None);
            };
            let Some(directory) = top.directory(relative)? else {
                return Ok(None);
            };
            // Also says when a read-only mount lies there (access(2), EROFS), or when it is
            // immutable (EPERM).
            fs::accessat(
                &directory,
                ".",
                Access::WRITE_OK | Access::EXEC_OK,
                AtFlags::EACCESS,
            )
            .map_err(|errno| StoreError::new(errno, Attempt::Create, top.join(relative)))?;
            self.nearest = Some((root, relative.to_owned(), directory));
        }
        Ok(self.nearest.as_ref().map(|(_, _, directory)| directory))
    }

    /// Notes a directory to be made, and those that lead to it.
    fn miss(&mut self, root: Root, relative: &str) -> Result<(), StoreError> {
        let mut relative = relative;
        while let Ok(path) = RelativePath::new(relative) {
            let directory = Location { root, path };
            if self.missing.contains(&directory) {
                break;
            }
            if let Some(top) = self.store.root(root)
                && top.directory(relative)?.is_some()
            {
                break;
            }
            self.missing.insert(directory);
            relative = relative.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        Ok(())
    }
}

/// True when a file is there, false when nothing is; an error when anything else is.
fn examine(directory: &OwnedFd, name: &str, path: &Path) -> Result<bool, StoreError> {
    let fails = |errno| StoreError::new(errno, Attempt::Open, path);
    let found = match fs::statx(directory, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE) {
        Ok(found) => found,
        Err(Errno::NOENT) => return Ok(false),
        Err(errno) => return Err(fails(errno)),
    };
    let kind = match FileType::from_raw_mode(found.stx_mode.into()) {
        FileType::RegularFile => {
            // rename(2) would refuse these, but only after the commit.
            let frozen = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
            if found.stx_attributes.intersects(frozen) {
                return Err(fails(Errno::PERM));
            }
            if found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
                return Err(fails(Errno::BUSY));
            }
            return Ok(true);
        }
        FileType::Symlink => {
            refuse_symlink(directory.as_fd(), name, path)?;
            "a symbolic link"
        }
        FileType::Directory => "a directory",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "something unknown",
    };
    Err(StoreError::NotAFile {
        path: path.to_owned(),
        found: kind,
    })
}

/// No file twice, and none that is also a directory of another.
fn refuse_conflicts(store: &Store, operations: &[Operation]) -> Result<(), StoreError> {
    let conflict = |root, path: &str| StoreError::Conflict {
        path: store.path_of(root, path),
    };
    let mut files = HashSet::with_capacity(operations.len());
    for Operation { location, .. } in operations {
        if !files.insert((location.root, location.path.as_str())) {
            return Err(conflict(location.root, location.path.as_str()));
        }
    }
    for Operation { location, .. } in operations {
        let mut path = location.path.as_str();
        while let Some((parent, _)) = path.rsplit_once('/') {
            if files.contains(&(location.root, parent)) {
                return Err(conflict(location.root, parent));
            }
            path = parent;
        }
    }
    Ok(())
}
