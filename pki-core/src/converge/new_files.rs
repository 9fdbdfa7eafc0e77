//! Files that are no part of a cluster's directory: written whole or not at all, with their final mode from birth, and never
//! over another.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::cluster::FileMode;

/// A file to be written.
#[derive(Clone, Copy)]
pub struct NewFile<'a> {
    /// Where.
    pub path: &'a Path,
    /// Its permission bits.
    pub mode: FileMode,
    /// What is in it; it may be a secret.
    pub contents: &'a [u8],
}

/// Why a file was not written. Then none of them was.
#[derive(Debug, thiserror::Error)]
pub enum NewFileError {
    /// Something has that name already.
    #[error("{} is there already, and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The system did not let us.
    #[error("{}: {}", path.display(), words(source))]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl NewFileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists(_) => Some("move it away, or choose another name"),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => Some("make the directory first, or choose another"),
                io::ErrorKind::PermissionDenied => Some("choose a directory that you may write to"),
                io::ErrorKind::StorageFull => Some("free some space"),
                _ => None,
            },
        }
    }
}

/// Writes all of them: each is staged beside its place first, and gets its name only when all are whole on the disk. What a
/// killed run leaves has a name that begins with `.kpki-new`.
///
/// # Errors
/// [`NewFileError`]; what was written before is taken back.
pub fn create(files: &[NewFile<'_>]) -> Result<(), NewFileError> {
    let mut staged = Staged::default();
    for file in files {
        if file.path.symlink_metadata().is_ok() {
            return Err(NewFileError::Exists(file.path.to_owned()));
        }
        staged.stage(file)?;
    }
    for index in 0..files.len() {
        staged.name(index)?;
    }
    staged.done = true;
    Ok(())
}

/// Proves that nothing has one of these names yet, and that their directories are there. [`create`] asks again.
///
/// # Errors
/// [`NewFileError`].
pub fn prove_free<P: AsRef<Path>>(paths: &[P]) -> Result<(), NewFileError> {
    for path in paths.iter().map(AsRef::as_ref) {
        if path.symlink_metadata().is_ok() {
            return Err(NewFileError::Exists(path.to_owned()));
        }
        let parent = directory(path).metadata();
        let source = match parent {
            Ok(parent) if parent.is_dir() => continue,
            Ok(_) => io::ErrorKind::NotADirectory.into(),
            Err(source) => source,
        };
        let path = path.to_owned();
        return Err(NewFileError::Io { path, source });
    }
    Ok(())
}

/// Makes a directory to write into, unless it is there.
///
/// # Errors
/// [`NewFileError::Io`]; those above it are not made.
pub fn make_directory(path: &Path) -> Result<(), NewFileError> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(NewFileError::Io {
            path: path.to_owned(),
            source: error,
        }),
        _ => Ok(()),
    }
}

/// Takes away what is half done when dropped.
#[derive(Default)]
struct Staged {
    /// Temporary and final names.
    files: Vec<(PathBuf, PathBuf)>,
    named: usize,
    done: bool,
}

impl Staged {
    fn stage(&mut self, file: &NewFile<'_>) -> Result<(), NewFileError> {
        let failed = |errno: Errno| NewFileError::Io {
            path: file.path.to_owned(),
            source: errno.into(),
        };
        let name = file.path.file_name().ok_or(Errno::ISDIR).map_err(failed)?;
        let name = format!(
            ".kpki-new-{}-{}-{}",
            std::process::id(),
            self.files.len(),
            name.to_string_lossy()
        );
        let staged = directory(file.path).join(name);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(file.mode.bits().into());
        let handle = fs::open(&staged, flags, mode).map_err(failed)?;
        self.files.push((staged, file.path.to_owned()));
        // The umask may have taken bits; it never adds any.
        fs::fchmod(&handle, mode).map_err(failed)?;
        let mut handle = File::from(handle);
        let written = io::Write::write_all(&mut handle, file.contents);
        written
            .and_then(|()| handle.sync_all())
            .map_err(|source| NewFileError::Io {
                path: file.path.to_owned(),
                source,
            })
    }

    /// Gives a staged file its name, unless something has it by now.
    fn name(&mut self, index: usize) -> Result<(), NewFileError> {
        let (staged, path) = &self.files[index];
        let named = match fs::renameat_with(CWD, staged, CWD, path, RenameFlags::NOREPLACE) {
            // Not every file system can do that; a hard link never replaces anything either.
            Err(Errno::INVAL | Errno::NOSYS) => {
                fs::linkat(CWD, staged, CWD, path, AtFlags::empty())
                    .and_then(|()| fs::unlink(staged))
            }
            other => other,
        };
        match named {
            Ok(()) => self.named += 1,
            Err(Errno::EXIST) => return Err(NewFileError::Exists(path.clone())),
            Err(errno) => {
                return Err(NewFileError::Io {
                    path: path.clone(),
                    source: errno.into(),
                });
            }
        }
        let directory = File::open(directory(path)).and_then(|directory| directory.sync_all());
        directory.map_err(|source| NewFileError::Io {
            path: path.clone(),
            source,
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        for (index, (staged, path)) in self.files.iter().enumerate() {
            let _ = fs::unlink(if index < self.named { path } else { staged });
        }
    }
}

/// The number helps nobody who has the words.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn names(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_or_none_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let (key, request) = (dir.path().join("a.key"), dir.path().join("a.csr"));
        let files = [
            NewFile {
                path: &key,
                mode: FileMode::PRIVATE_KEY,
                contents: b"key",
            },
            NewFile {
                path: &request,
                mode: FileMode::PUBLIC,
                contents: b"csr",
            },
        ];
        std::fs::write(&request, "mine").unwrap();
        assert!(matches!(create(&files), Err(NewFileError::Exists(path)) if path == request));
        assert_eq!(names(dir.path()), ["a.csr"]);
        std::fs::remove_file(&request).unwrap();
        create(&files).unwrap();
        assert_eq!(names(dir.path()), ["a.csr", "a.key"]);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&key), mode(&request)), (0o600, 0o644));
        assert_eq!(std::fs::read(&key).unwrap(), b"key");
    }

    #[test]
    fn a_place_is_free_where_nothing_is_and_its_directory_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "mine").unwrap();
        std::os::unix::fs::symlink("nowhere", at("link")).unwrap();
        prove_free(&[at("new"), at("other")]).unwrap();
        for there in ["file", "link"] {
            let refused = prove_free(&[at("new"), at(there)]);
            assert!(matches!(refused, Err(NewFileError::Exists(path)) if path == at(there)));
        }
        for nowhere in ["missing/new", "file/new"] {
            let refused = prove_free(&[at(nowhere)]);
            assert!(matches!(refused, Err(NewFileError::Io { .. })), "{nowhere}");
        }
    }

    #[test]
    fn two_of_one_name_are_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.crt");
        let file = NewFile {
            path: &path,
            mode: FileMode::PUBLIC,
            contents: b"a",
        };
        assert!(matches!(
            create(&[file, file]),
            Err(NewFileError::Exists(_))
        ));
        assert!(names(dir.path()).is_empty());
    }
}
