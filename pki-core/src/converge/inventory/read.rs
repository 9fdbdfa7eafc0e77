//! Reading the two roots, without following a link or trusting a name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::{Found, FoundFile, Inventory};
use crate::cluster::{CONTROL_DIRECTORY, FileMode, Location, Root};

/// No certificate, key or kubeconfig comes near this size.
const LARGEST: u64 = 1 << 20;

/// One node's tree is read faster than threads are started.
const WORTH_THREADS: usize = 64;

/// The disk did not answer.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct InventoryError {
    /// Which file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl InventoryError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self.source.kind() {
            io::ErrorKind::PermissionDenied => {
                Some("run as the owner of the directory, or as root")
            }
            io::ErrorKind::NotADirectory => Some("name a directory"),
            _ => None,
        }
    }
}

impl Inventory {
    /// Reads `nodes/`, `users/` and `pending/` below `dir`, and everything below `authorities`. A directory that
    /// is not there is an empty one.
    ///
    /// # Errors
    /// When something cannot be read at all. A file that makes no sense is no error, see
    /// [`Found::Unreadable`].
    pub fn read(dir: &Path, authorities: &Path) -> Result<Self, InventoryError> {
        let mut found = Vec::new();
        for below in ["nodes", "users", "pending"] {
            walk(&dir.join(below), below, Root::Tree, &mut found)?;
        }
        walk(authorities, "", Root::Authorities, &mut found)?;
        let elsewhere = authorities != dir.join("ca");
        Ok(Self {
            authorities: elsewhere.then(|| authorities.display().to_string()),
            ..Self::of(found)?
        })
    }

    /// Reads everything below `dir`, a node's `/etc/kubernetes` that is not below ours.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_node(dir: &Path) -> Result<Self, InventoryError> {
        let mut found = Vec::new();
        walk(dir, "", Root::Tree, &mut found)?;
        Self::of(found)
    }

    fn of(found: Vec<(Location, PathBuf)>) -> Result<Self, InventoryError> {
        // Proving the two halves of an RSA key takes longer than reading its file.
        let read = |(location, path): (Location, PathBuf)| Ok((location, read_file(&path)?));
        let files: Result<Vec<_>, InventoryError> = if found.len() >= WORTH_THREADS {
            found.into_par_iter().map(read).collect()
        } else {
            found.into_iter().map(read).collect()
        };
        Ok(Self {
            files: files?.into_iter().collect(),
            authorities: None,
        })
    }
}

fn walk(
    path: &Path,
    below: &str,
    root: Root,
    found: &mut Vec<(Location, PathBuf)>,
) -> Result<(), InventoryError> {
    let failed = |source| InventoryError {
        path: path.to_owned(),
        source,
    };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        // Names that are no UTF-8 or hold control characters are nobody's artifacts.
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        if name == CONTROL_DIRECTORY {
            continue;
        }
        let inner = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            walk(&entry.path(), &inner, root, found)?;
        } else if let Ok(path) = crate::cluster::RelativePath::new(inner) {
            found.push((Location { root, path }, entry.path()));
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<FoundFile, InventoryError> {
    let failed = |source| InventoryError {
        path: path.to_owned(),
        source,
    };
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    let mode = FileMode::new((metadata.mode() & 0o777) as u16).unwrap_or(FileMode::SECRET);
    let not_a_file = |kind| {
        Ok(FoundFile {
            mode,
            content: Found::NotAFile(kind),
        })
    };
    if metadata.file_type().is_symlink() {
        return not_a_file("a symbolic link");
    }
    if !metadata.is_file() {
        return not_a_file("not a regular file");
    }
    if metadata.len() > LARGEST {
        let content = Found::Unreadable(format!(
            "{} bytes are more than any certificate has",
            metadata.len()
        ));
        return Ok(FoundFile { mode, content });
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let mut file: File = OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)
        .map_err(failed)?;
    // One byte over, so that the buffer never grows and leaves a piece of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST as usize / 16));
    bytes.reserve(metadata.len() as usize + 1);
    Read::by_ref(&mut file)
        .take(LARGEST)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(FoundFile {
        mode,
        content: Found::of(&bytes),
    })
}
