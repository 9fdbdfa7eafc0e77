//! Directories opened so that no symbolic link below a root is ever followed.

use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::attempt::Attempt;
use super::effects::{At, Effects};
use super::error::StoreError;

/// A name and nothing else: enough to create, rename, remove and look in it, and no permission to
/// read it is needed (open(2), O_PATH).
const HANDLE: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// One of the two roots, open.
#[derive(Debug)]
pub(super) struct RootDirectory {
    path: PathBuf,
    file: OwnedFd,
    device: u64,
    inode: u64,
}

/// A root may have been locked against other trees that share it.
impl Drop for RootDirectory {
    fn drop(&mut self) {
        Effects::unlock(&self.file);
    }
}

impl RootDirectory {
    /// Opens a root. Links on the way to it are the user's own and are followed. Nothing when it
    /// does not exist.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fails = |errno| StoreError::new(errno, Attempt::Open, path);
        let file = match fs::openat(CWD, path, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(fails(errno)),
        };
        let stat = fs::fstat(&file).map_err(fails)?;
        refuse_writable_by_others(path, stat.st_mode)?;
        Ok(Some(Self {
            path: path.to_owned(),
            file,
            device: stat.st_dev,
            inode: stat.st_ino,
        }))
    }

    /// Creates a root with whatever leads to it, all for the owner alone; `made` learns of each.
    pub(super) fn create(
        path: &Path,
        effects: &Effects,
        mut made: impl FnMut(&Path),
    ) -> Result<(), StoreError> {
        for missing in missing_ancestors(path).into_iter().rev() {
            let (Some(parent), Some(name)) = (missing.parent(), missing.file_name()) else {
                return Err(StoreError::new(
                    Errno::INVAL,
                    Attempt::MakeDirectory,
                    missing,
                ));
            };
            let Some(name) = name.to_str() else {
                return Err(StoreError::new(
                    Errno::ILSEQ,
                    Attempt::MakeDirectory,
                    missing,
                ));
            };
            let parent_file = fs::openat(
                CWD,
                parent,
                HANDLE.difference(OFlags::NOFOLLOW),
                Mode::empty(),
            )
            .map_err(|errno| StoreError::new(errno, Attempt::Open, parent))?;
            let at = At {
                directory: parent_file,
                name,
                within: parent,
            };
            if effects.make_directory(at)? {
                made(missing);
            }
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self) -> &OwnedFd {
        &self.file
    }

    pub(super) fn device(&self) -> u64 {
        self.device
    }

    /// A name that no other directory of this machine has.
    pub(super) fn identity(&self) -> String {
        format!("{:x}-{:x}", self.device, self.inode)
    }

    /// The whole path of something below, for messages.
    pub(super) fn join(&self, relative: &str) -> PathBuf {
        if relative.is_empty() {
            self.path.clone()
        } else {
            self.path.join(relative)
        }
    }

    /// Opens a directory below (the root itself for an empty path). Nothing when it, or what leads
    /// to it, does not exist. It must be on the root's own mount, or nothing staged could be
    /// renamed into it (rename(2), EXDEV).
    pub(super) fn directory(&self, relative: &str) -> Result<Option<OwnedFd>, StoreError> {
        let name = if relative.is_empty() { "." } else { relative };
        let resolve = ResolveFlags::BENEATH
            | ResolveFlags::NO_SYMLINKS
            | ResolveFlags::NO_MAGICLINKS
            | ResolveFlags::NO_XDEV;
        match fs::openat2(&self.file, name, HANDLE, Mode::empty(), resolve) {
            Ok(directory) => Ok(Some(directory)),
            Err(Errno::NOENT) => Ok(None),
            // One component at a time finds out which is in the way, and serves kernels before 5.6
            // (ENOSYS) and sandboxes that do not know the call (EPERM).
            Err(errno) => match self.walk(relative)? {
                Some(_) if errno == Errno::XDEV => Err(StoreError::MountPoint {
                    path: self.join(relative),
                }),
                walked => Ok(walked),
            },
        }
    }

    /// [`Self::directory`] without openat2(2).
    fn walk(&self, relative: &str) -> Result<Option<OwnedFd>, StoreError> {
        let fails = |errno, path: &Path| StoreError::new(errno, Attempt::Open, path);
        let mut directory = fs::openat(&self.file, ".", HANDLE, Mode::empty())
            .map_err(|errno| fails(errno, &self.path))?;
        let mut path = self.path.clone();
        for name in relative.split('/').filter(|name| !name.is_empty()) {
            path.push(name);
            directory = match fs::openat(&directory, name, HANDLE, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) => return Ok(None),
                Err(errno @ (Errno::NOTDIR | Errno::LOOP)) => {
                    refuse_symlink(directory.as_fd(), name, &path)?;
                    return Err(fails(errno, &path));
                }
                Err(errno) => return Err(fails(errno, &path)),
            };
            let stat = fs::fstat(&directory).map_err(|errno| fails(errno, &path))?;
            if stat.st_dev != self.device {
                return Err(StoreError::MountPoint { path });
            }
        }
        Ok(Some(directory))
    }
}

/// Refuses a path of which a component below `root` is a symbolic link. The last one may be on
/// another file system: this is for the directory of authorities within the tree.
pub(super) fn refuse_symlinks_below(
    root: &RootDirectory,
    relative: &Path,
) -> Result<(), StoreError> {
    let mut path = root.path.clone();
    for name in relative.components() {
        path.push(name);
        refuse_symlink(CWD, &path, &path)?;
    }
    Ok(())
}

/// Refuses a symbolic link; anything else, also nothing, is fine.
pub(super) fn refuse_symlink(
    directory: BorrowedFd<'_>,
    name: impl AsRef<Path>,
    path: &Path,
) -> Result<(), StoreError> {
    let name = name.as_ref();
    let Ok(stat) = fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else {
        return Ok(());
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        return Ok(());
    }
    let target = fs::readlinkat(directory, name, Vec::new())
        .map(|target| PathBuf::from(target.to_string_lossy().into_owned()))
        .unwrap_or_default();
    Err(StoreError::Symlink {
        path: path.to_owned(),
        target,
    })
}

/// Refuses a directory into which somebody else may put a link or a file of theirs.
pub(super) fn refuse_writable_by_others(path: &Path, mode: u32) -> Result<(), StoreError> {
    if mode & 0o022 == 0 {
        return Ok(());
    }
    Err(StoreError::DirectoryWritableByOthers {
        path: path.to_owned(),
        mode: mode & 0o7777,
    })
}

/// The path and those that lead to it, as far as they do not exist, the deepest first.
pub(super) fn missing_ancestors(path: &Path) -> Vec<&Path> {
    path.ancestors()
        .take_while(|ancestor| {
            matches!(fs::stat(*ancestor), Err(Errno::NOENT)) && !ancestor.as_os_str().is_empty()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::{RootDirectory, StoreError};

    type Opened = Result<Option<super::OwnedFd>, StoreError>;
    type Way = fn(&RootDirectory, &str) -> Opened;

    /// openat2 and its replacement must agree.
    const WAYS: [Way; 2] = [RootDirectory::directory, RootDirectory::walk];

    fn with_root(check: impl Fn(&RootDirectory, &std::path::Path, Way)) {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        std::fs::create_dir_all(scratch.path().join("a/b")).expect("directories");
        let root = RootDirectory::open(scratch.path())
            .expect("opens")
            .expect("exists");
        for way in WAYS {
            check(&root, scratch.path(), way);
        }
    }

    #[test]
    fn opens_what_is_below_and_knows_what_is_not_there() {
        with_root(|root, _, way| {
            assert!(way(root, "").expect("the root itself").is_some());
            assert!(way(root, "a/b").expect("a/b").is_some());
            assert!(way(root, "a/c").expect("nothing").is_none());
            assert!(way(root, "c/d/e").expect("nothing").is_none());
        });
    }

    #[test]
    fn names_the_link_in_the_way() {
        with_root(|root, path, way| {
            let _ = symlink("/etc", path.join("a/link"));
            for relative in ["a/link", "a/link/kubernetes"] {
                let error = way(root, relative).expect_err("a link is never followed");
                let StoreError::Symlink {
                    path: found,
                    target,
                } = error
                else {
                    panic!("{error}");
                };
                assert_eq!(found, path.join("a/link"));
                assert_eq!(target, std::path::Path::new("/etc"));
            }
        });
    }

    #[test]
    fn names_the_file_in_the_way() {
        with_root(|root, path, way| {
            std::fs::write(path.join("a/file"), "").expect("writes");
            let error = way(root, "a/file/b").expect_err("a file is no directory");
            assert!(
                matches!(&error, StoreError::NotADirectory { path: found }
                if *found == path.join("a/file")),
                "{error}"
            );
        });
    }

    #[test]
    fn will_not_work_where_others_may_write() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        for mode in [0o720, 0o702, 0o777, 0o1777] {
            std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(mode))
                .expect("chmod");
            let error = RootDirectory::open(scratch.path()).expect_err("others may write");
            assert!(
                matches!(error, StoreError::DirectoryWritableByOthers { mode: found, .. }
                if found == mode)
            );
        }
    }
}
