//! A file that is made anew each time, outside of a cluster's directory: replaced whole, and only where what is there bears our
//! mark.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{self, CWD, Mode, OFlags};
use rustix::io::Errno;

/// How far into a file its mark may be.
const HEAD: u64 = 4096;

/// Why a file was not written; what was there is there still.
#[derive(Debug, thiserror::Error)]
pub enum MarkedFileError {
    /// What has that name is not ours.
    #[error("{} is there already, and kpki did not make it", .0.display())]
    Foreign(PathBuf),
    /// The system did not let us.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl MarkedFileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Foreign(_) => Some("move it away, or choose another name"),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => Some("make the directory first, or choose another"),
                io::ErrorKind::PermissionDenied => Some("choose a directory that you may write to"),
                io::ErrorKind::StorageFull => Some("free some space"),
                io::ErrorKind::AlreadyExists => Some("take it away"),
                _ => None,
            },
        }
    }
}

/// Writes `text`, which has `mark` near its beginning, with mode 0644. Readers see the old file or the new one, never a part.
///
/// # Errors
/// [`MarkedFileError`].
pub fn write(path: &Path, text: &str, mark: &str) -> Result<(), MarkedFileError> {
    let failed = |source: io::Error| MarkedFileError::Io {
        path: path.to_owned(),
        source,
    };
    if !may_replace(path, mark).map_err(failed)? {
        return Err(MarkedFileError::Foreign(path.to_owned()));
    }
    let name = path
        .file_name()
        .ok_or_else(|| failed(io::ErrorKind::IsADirectory.into()))?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let staged = parent.join(format!(
        ".kpki-new-{}-{}",
        std::process::id(),
        name.to_string_lossy()
    ));
    let mode = Mode::from_raw_mode(0o644);
    let mut file = create_staged(&staged, mode).map_err(|source| match source.kind() {
        // What is in the way has that name, and not the one that was asked for.
        io::ErrorKind::AlreadyExists => MarkedFileError::Io {
            path: staged.clone(),
            source,
        },
        _ => failed(source),
    })?;
    let done = fs::fchmod(&file, mode)
        .map_err(io::Error::from)
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all())
        .and_then(|()| Ok(fs::renameat(CWD, &staged, CWD, path)?));
    if let Err(error) = done {
        let _ = fs::unlink(&staged);
        return Err(failed(error));
    }
    File::open(parent)
        .and_then(|parent| parent.sync_all())
        .map_err(failed)
}

/// Creates the file that becomes the new one. Where process numbers repeat, as in a container whose every process is the first
/// one, a run that was killed has left one of the same name; it goes. Only a regular file does, and no link is followed.
fn create_staged(path: &Path, mode: Mode) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = match fs::open(path, flags, mode) {
        Err(Errno::EXIST) if path.symlink_metadata().is_ok_and(|there| there.is_file()) => {
            fs::unlink(path)?;
            fs::open(path, flags, mode)?
        }
        other => other?,
    };
    Ok(File::from(handle))
}

/// Whether nothing is there, or a file of ours.
fn may_replace(path: &Path, mark: &str) -> io::Result<bool> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.is_file() => return Ok(false),
        Ok(_) => {}
    }
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(String::from_utf8_lossy(&head).contains(mark))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_ours_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.svg");
        let text = || std::fs::read_to_string(&path).unwrap();
        write(&path, "made by us: 1", "by us").unwrap();
        write(&path, "made by us: 2", "by us").unwrap();
        assert_eq!(text(), "made by us: 2");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
        std::fs::write(&path, "mine").unwrap();
        let refused = write(&path, "made by us: 3", "by us");
        assert!(matches!(refused, Err(MarkedFileError::Foreign(_))));
        assert_eq!(text(), "mine");
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(matches!(
            write(&link, "by us", "by us"),
            Err(MarkedFileError::Foreign(_))
        ));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    /// A run that was killed before the rename leaves its file; the next one may have the same process number.
    #[test]
    fn what_a_killed_run_left_blocks_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.prom");
        let left = dir
            .path()
            .join(format!(".kpki-new-{}-a.prom", std::process::id()));
        std::fs::write(&left, "made by us: ha").unwrap();
        write(&path, "made by us: whole", "by us").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "made by us: whole");
        assert!(left.symlink_metadata().is_err());
        // What is no file cannot be what we left: a link is not followed, nor taken away.
        let other = dir.path().join("other");
        std::fs::write(&other, "mine").unwrap();
        for make in [
            (|left: &Path| symlink("other", left).unwrap()) as fn(&Path),
            |left| std::fs::create_dir(left).unwrap(),
        ] {
            make(&left);
            let refused = write(&path, "made by us: again", "by us").unwrap_err();
            assert!(
                matches!(&refused, MarkedFileError::Io { path, .. } if *path == left),
                "{refused}"
            );
            assert!(left.symlink_metadata().is_ok());
            let _ = std::fs::remove_file(&left).or_else(|_| std::fs::remove_dir(&left));
        }
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "made by us: whole");
    }

    #[test]
    fn what_the_system_refuses_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let nowhere = dir.path().join("no/a.svg");
        assert!(matches!(
            write(&nowhere, "", "x"),
            Err(MarkedFileError::Io { .. })
        ));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
