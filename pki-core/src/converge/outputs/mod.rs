//! Files outside of a cluster's directory: a batch of them is written whole, or not at all.
//!
//! Anybody may name such a file anywhere, so there is no tree to lock and no place for a journal, as the
//! [`store`](super::store) has. Instead (`writing`):
//!
//! 1. Look at every target.
//! 2. Stage every file beside its target, exclusively, with its final mode from birth, and synced.
//! 3. Keep what is to be replaced: moved aside from the last to the first, but for the first, which keeps its name by a
//!    second one (a hard link) and is replaced in one step.
//! 4. Name the new files, from the first to the last.
//!
//! What fails is taken back. A run that is killed leaves whole files only, under any name, and never a certificate beside
//! the key of another: a key comes before its certificate, so that the old certificate is gone before the key changes, and
//! the new one comes after it. A batch of one file is never absent. What a killed run leaves besides is named
//! `.kpki-new-*` and `.kpki-old-*`, with the mode of what it was to be or was, and is in nobody's way.

mod error;
mod writing;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::store::Faults;
use crate::cluster::FileMode;
pub use error::OutputsError;
use error::failed;
use writing::Writing;

/// Files to be written together. Give a key before the certificate or request that belongs to it.
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

impl Outputs {
    /// A file that must not be there yet.
    pub fn create(
        &mut self,
        path: impl Into<PathBuf>,
        contents: impl Into<Zeroizing<Vec<u8>>>,
        mode: FileMode,
    ) {
        self.push(path.into(), contents.into(), mode, false);
    }

    /// A file that may replace another.
    pub fn replace(
        &mut self,
        path: impl Into<PathBuf>,
        contents: impl Into<Zeroizing<Vec<u8>>>,
        mode: FileMode,
    ) {
        self.push(path.into(), contents.into(), mode, true);
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

    /// Proves that every file can be written where it should be, as far as looking tells. [`Self::commit`] asks again.
    ///
    /// # Errors
    /// [`OutputsError`].
    pub fn prove_writable(&self) -> Result<(), OutputsError> {
        look(
            self.files
                .iter()
                .map(|file| (file.path.as_path(), file.replace)),
        )
    }

    /// Writes all of them, or none.
    ///
    /// # Errors
    /// [`OutputsError`]; then everything is as it was.
    pub fn commit(self) -> Result<(), OutputsError> {
        self.commit_with_faults(Faults::none())
    }

    fn commit_with_faults(self, faults: Faults) -> Result<(), OutputsError> {
        self.prove_writable()?;
        let mut writing = Writing::new(faults);
        for file in &self.files {
            writing.stage(file)?;
        }
        for index in (0..self.files.len()).rev() {
            writing.keep_old(index)?;
        }
        // The disk, too, has forgotten old certificates before it learns of new keys.
        writing.sync()?;
        for index in 0..self.files.len() {
            writing.name(index)?;
        }
        writing.sync()?;
        writing.finish();
        Ok(())
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.files.iter().map(|file| &file.path))
            .finish()
    }
}

/// Proves that nothing has one of these names yet, that none comes twice, and that their directories are there.
/// [`Outputs::commit`] asks again.
///
/// # Errors
/// [`OutputsError`].
pub fn prove_free<P: AsRef<Path>>(paths: &[P]) -> Result<(), OutputsError> {
    look(paths.iter().map(|path| (path.as_ref(), false)))
}

/// Makes a directory to write into, unless it is there.
///
/// # Errors
/// [`OutputsError::Io`]; those above it are not made.
pub fn make_directory(path: &Path) -> Result<(), OutputsError> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

/// Whether every file can be written where it should be; with each whether it may replace another.
fn look<'a>(files: impl Iterator<Item = (&'a Path, bool)>) -> Result<(), OutputsError> {
    let mut seen = Vec::new();
    for (path, replace) in files {
        let directory = directory_of(path);
        let real = directory.canonicalize().map_err(failed(directory))?;
        let name = path
            .file_name()
            .ok_or_else(|| OutputsError::NotAFile(path.to_owned()))?;
        let whole = real.join(name);
        if seen.contains(&whole) {
            return Err(OutputsError::Twice(path.to_owned()));
        }
        seen.push(whole);
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(path)(error)),
            Ok(_) if !replace => return Err(OutputsError::Exists(path.to_owned())),
            Ok(there) if !there.is_file() => {
                return Err(OutputsError::NotAFile(path.to_owned()));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
