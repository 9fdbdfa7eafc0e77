//! Files outside of a cluster's directory: a batch of them is written whole, or not at all.
//!
//! Anybody may name such a file anywhere, so there is no tree to lock and no place for a journal, as the
//! [`store`](super::store) has. Instead: look at every target, stage every file beside its target with its final mode
//! from birth and synced, move what is to be replaced aside, and only then rename all into place. What fails up to the
//! last rename is taken back. A run that is killed between two renames leaves whole files only, and never a certificate
//! beside the key of another: of what is replaced nothing is visible by then, and what is new comes in the order given,
//! keys first.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};
use zeroize::Zeroizing;

use crate::cluster::FileMode;

/// Files to be written together. Give a key before the certificate that belongs to it.
#[derive(Default)]
pub struct Outputs {
    files: Vec<Output>,
}

struct Output {
    path: PathBuf,
    contents: Zeroizing<Vec<u8>>,
    mode: FileMode,
    replace: bool,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum OutputsError {
    /// Something of that name is there, and nobody said that it may be replaced.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// Two files of one name in one batch.
    #[error("{} would be written twice", .0.display())]
    Twice(PathBuf),
    /// A link, directory or device where a file is to be replaced.
    #[error("{} is no regular file", .0.display())]
    NotAFile(PathBuf),
    /// The disk did not do it.
    #[error("{}: {}", path.display(), words(source))]
    Io {
        /// With which file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl OutputsError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists(_) => Some("name another file, or take this one away"),
            Self::Twice(_) => Some("give each its own file name"),
            Self::NotAFile(_) => Some("name a file"),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => Some("make the directory first"),
                io::ErrorKind::PermissionDenied => Some("run as the owner of the directory"),
                _ => None,
            },
        }
    }
}

impl Outputs {
    /// A file that must not be there yet.
    pub fn create(
        &mut self,
        path: impl Into<PathBuf>,
        contents: Zeroizing<Vec<u8>>,
        mode: FileMode,
    ) {
        self.push(path.into(), contents, mode, false);
    }

    /// A file that may replace another.
    pub fn replace(
        &mut self,
        path: impl Into<PathBuf>,
        contents: Zeroizing<Vec<u8>>,
        mode: FileMode,
    ) {
        self.push(path.into(), contents, mode, true);
    }

    fn push(&mut self, path: PathBuf, contents: Zeroizing<Vec<u8>>, mode: FileMode, replace: bool) {
        self.files.push(Output {
            path,
            contents,
            mode,
            replace,
        });
    }

    /// The files in the order in which they were given, with their modes.
    pub fn files(&self) -> impl Iterator<Item = (&Path, FileMode)> {
        self.files
            .iter()
            .map(|file| (file.path.as_path(), file.mode))
    }

    /// What is to be written to `path`.
    pub fn secret_contents(&self, path: &Path) -> Option<&[u8]> {
        let file = self.files.iter().find(|file| file.path == path)?;
        Some(&file.contents)
    }

    /// Writes all of them, or none.
    ///
    /// # Errors
    /// [`OutputsError`]; then everything is as it was.
    pub fn commit(self) -> Result<(), OutputsError> {
        self.prove_writable()?;
        let staged = self
            .files
            .iter()
            .map(Output::stage)
            .collect::<Result<Vec<_>, _>>()?;
        let mut undo = Undo::default();
        // Certificates come after their keys, so from the end: they go first.
        for (file, staged) in self.files.iter().zip(&staged).rev() {
            if file.path.symlink_metadata().is_ok() {
                let aside = staged.path().with_extension("old");
                fs::rename(&file.path, &aside).map_err(failed(&file.path))?;
                undo.aside.push((aside, file.path.clone()));
            }
        }
        for (file, staged) in self.files.iter().zip(staged) {
            staged
                .persist_noclobber(&file.path)
                .map_err(|error| failed(&file.path)(error.error))?;
            undo.written.push(file.path.clone());
        }
        for directory in self.directories() {
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(failed(directory))?;
        }
        undo.written.clear();
        for (aside, _) in std::mem::take(&mut undo.aside) {
            fs::remove_file(&aside).map_err(failed(&aside))?;
        }
        Ok(())
    }

    /// Proves that every file can be written where it should be, as far as looking tells. [`Self::commit`] asks again.
    ///
    /// # Errors
    /// [`OutputsError`].
    pub fn prove_writable(&self) -> Result<(), OutputsError> {
        let mut seen = Vec::new();
        for file in &self.files {
            let directory = directory_of(&file.path);
            let real = directory.canonicalize().map_err(failed(directory))?;
            let whole = real.join(file.path.file_name().unwrap_or_default());
            if seen.contains(&whole) {
                return Err(OutputsError::Twice(file.path.clone()));
            }
            seen.push(whole);
            match file.path.symlink_metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&file.path)(error)),
                Ok(_) if !file.replace => return Err(OutputsError::Exists(file.path.clone())),
                Ok(there) if !there.is_file() => {
                    return Err(OutputsError::NotAFile(file.path.clone()));
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }

    fn directories(&self) -> Vec<&Path> {
        let mut all: Vec<_> = self
            .files
            .iter()
            .map(|file| directory_of(&file.path))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Output {
    fn stage(&self) -> Result<NamedTempFile, OutputsError> {
        let directory = directory_of(&self.path);
        let bits = fs::Permissions::from_mode(self.mode.bits().into());
        let mut staged = Builder::new()
            .prefix(".kpki-")
            .permissions(bits.clone())
            .tempfile_in(directory)
            .map_err(failed(directory))?;
        // The umask may have taken bits away; none are added to what the mode says.
        staged
            .as_file()
            .set_permissions(bits)
            .and_then(|()| staged.write_all(&self.contents))
            .and_then(|()| staged.as_file().sync_all())
            .map_err(failed(&self.path))?;
        Ok(staged)
    }
}

/// Takes back what was done, unless it was emptied.
#[derive(Default)]
struct Undo {
    written: Vec<PathBuf>,
    aside: Vec<(PathBuf, PathBuf)>,
}

impl Drop for Undo {
    fn drop(&mut self) {
        // There is an error already, and nothing better to do about a second one.
        for path in &self.written {
            let _ = fs::remove_file(path);
        }
        for (aside, path) in self.aside.iter().rev() {
            let _ = fs::rename(aside, path);
        }
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.files.iter().map(|file| &file.path))
            .finish()
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> OutputsError {
    move |source| OutputsError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The number of an error helps nobody who has the words.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    /// Names, contents and modes of all that is in a directory.
    fn listing(directory: &Path) -> Vec<(String, String, u32)> {
        let mut all: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                (entry.file_name().to_string_lossy().into_owned(), text, mode)
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn all_are_written_with_their_modes() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("b.crt"), "old").unwrap();
        let mut outputs = Outputs::default();
        outputs.create(
            scratch.path().join("a.key"),
            bytes("1"),
            FileMode::PRIVATE_KEY,
        );
        outputs.replace(scratch.path().join("b.crt"), bytes("2"), FileMode::PUBLIC);
        outputs.commit().unwrap();
        assert_eq!(
            listing(scratch.path()),
            [
                ("a.key".into(), "1".into(), 0o600),
                ("b.crt".into(), "2".into(), 0o644)
            ]
        );
    }

    #[test]
    fn nothing_is_written_where_one_cannot_be() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        fs::write(at("there"), "old").unwrap();
        fs::create_dir(at("folder")).unwrap();
        let before = listing(scratch.path());
        type Case = (&'static str, bool, fn(&OutputsError) -> bool);
        let cases: [Case; 4] = [
            ("there", false, |error| {
                matches!(error, OutputsError::Exists(_))
            }),
            ("./new", true, |error| {
                matches!(error, OutputsError::Twice(_))
            }),
            ("folder", true, |error| {
                matches!(error, OutputsError::NotAFile(_))
            }),
            ("no/x", false, |error| {
                matches!(error, OutputsError::Io { .. })
            }),
        ];
        for (name, replace, expected) in cases {
            let mut outputs = Outputs::default();
            outputs.create(at("new"), bytes("1"), FileMode::PUBLIC);
            outputs.push(at(name), bytes("2"), FileMode::PUBLIC, replace);
            let error = outputs.commit().unwrap_err();
            assert!(expected(&error), "{name}: {error}");
            assert_eq!(listing(scratch.path()), before, "{name}");
        }
    }

    /// A failure after some are in place takes those away and puts the old ones back.
    #[test]
    fn what_was_done_is_taken_back() {
        let scratch = tempfile::tempdir().unwrap();
        let (old, new) = (scratch.path().join("old"), scratch.path().join("new"));
        let aside = scratch.path().join("aside");
        fs::write(&new, "new").unwrap();
        fs::write(&aside, "old").unwrap();
        drop(Undo {
            written: vec![new.clone()],
            aside: vec![(aside, old.clone())],
        });
        assert_eq!(listing(scratch.path()).len(), 1);
        assert_eq!(fs::read_to_string(old).unwrap(), "old");
    }
}
