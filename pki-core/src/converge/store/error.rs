//! What can go wrong, as facts; what to do about it, as hints.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use thiserror::Error;

use super::attempt::Attempt;
use crate::cluster::FileMode;

/// Why the store could not do its work.
///
/// Whatever the error, unless it is [`StoreError::Unfinished`], the tree is as it was before. No
/// error holds a file's contents.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the lock.
    #[error("{} is in use by another kpki{}", path.display(), holder_in_words(*holder))]
    Busy {
        /// The lock, or the directory that is locked.
        path: PathBuf,
        /// Its process id, when it had time to write it down.
        holder: Option<u32>,
    },
    /// A symbolic link stands where a file or directory of ours belongs.
    #[error("{} is a symbolic link to {}", path.display(), target.display())]
    Symlink {
        /// The link.
        path: PathBuf,
        /// What it points to.
        target: PathBuf,
    },
    /// Something else stands where a directory belongs.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// What is in the way.
        path: PathBuf,
    },
    /// Something else stands where a file belongs.
    #[error("{} is {found}, not a file", path.display())]
    NotAFile {
        /// What is in the way.
        path: PathBuf,
        /// Its kind, in words.
        found: &'static str,
    },
    /// A file whose mode should be set has other names too, which would change with it.
    #[error("{} is one of {links} hard links to a file", path.display())]
    HardLinked {
        /// The name of it that we know.
        path: PathBuf,
        /// How many names it has.
        links: u32,
    },
    /// A file whose mode should be set is not there.
    #[error("{} does not exist", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Another file system is mounted below the root, so that nothing can be moved into it whole.
    #[error("{} is a mount point", path.display())]
    MountPoint {
        /// Where it is mounted.
        path: PathBuf,
    },
    /// The group or everybody may write into a directory that will hold keys.
    #[error("{} can be written by others: its mode is {mode:04o}", path.display())]
    DirectoryWritableByOthers {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file system does not keep permission bits.
    #[error("{} got mode {found:04o} where {wanted} was asked for", path.display())]
    ModeNotKept {
        /// The file or directory.
        path: PathBuf,
        /// The mode it was to have.
        wanted: FileMode,
        /// The permission bits it has.
        found: u32,
    },
    /// We may not do this.
    #[error("cannot {attempted} {}: {source}", path.display())]
    NotPermitted {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        attempted: Attempt,
        /// What the system answered.
        source: io::Error,
    },
    /// The file system or the user's quota is full.
    #[error("cannot {attempted} {}: {source}", path.display())]
    NoSpace {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        attempted: Attempt,
        /// What the system answered.
        source: io::Error,
    },
    /// The file system is mounted read-only.
    #[error("cannot {attempted} {}: {source}", path.display())]
    ReadOnly {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        attempted: Attempt,
        /// What the system answered.
        source: io::Error,
    },
    /// One transaction names a file twice, or uses it as a directory as well.
    #[error("{} is changed twice in one transaction", path.display())]
    Conflict {
        /// The file.
        path: PathBuf,
    },
    /// The journal of an interrupted transaction cannot be understood.
    #[error("the journal {} is damaged: {reason}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An interrupted transaction waits for another directory of authorities.
    #[error("an interrupted transaction belongs to the CA directory {recorded}, not to {}", given.display())]
    AuthoritiesElsewhere {
        /// The directory of authorities it was begun with.
        recorded: String,
        /// The one given now.
        given: PathBuf,
    },
    /// The new files are complete and durable, but not all are in their places yet.
    #[error("interrupted while moving new files into place: {source}")]
    Unfinished {
        /// What stopped it.
        source: Box<StoreError>,
    },
    /// Any other answer of the system.
    #[error("cannot {attempted} {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        attempted: Attempt,
        /// What the system answered.
        source: io::Error,
    },
}

fn holder_in_words(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |process| format!(" (process {process})"))
}

impl StoreError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Busy { .. } => Some("wait until it has ended, then run this again".into()),
            Self::Symlink { path, target } => Some(format!(
                "remove {} or name the directory it points to ({}) outright; kpki never writes \
                 through a link",
                path.display(),
                target.display()
            )),
            Self::NotADirectory { path } | Self::NotAFile { path, .. } => {
                Some(format!("move {} out of the way", path.display()))
            }
            Self::HardLinked { path, .. } => Some(format!(
                "give it a copy of its own: cp -p {0} {0}.copy && mv {0}.copy {0}",
                path.display()
            )),
            Self::MountPoint { path } => Some(format!(
                "unmount {}: only the CA directory may be on another file system (--ca-dir)",
                path.display()
            )),
            Self::DirectoryWritableByOthers { path, .. } => {
                Some(format!("chmod go-w {}", path.display()))
            }
            Self::ModeNotKept { .. } => Some(
                "keys need a file system that keeps permissions; FAT and some network mounts do not"
                    .into(),
            ),
            Self::NotPermitted { path, .. } => Some(format!(
                "run as the owner of {}, and see that it is not immutable (lsattr)",
                path.display()
            )),
            Self::NoSpace { path, .. } => Some(format!(
                "free some space or inodes on the file system of {} (df, df -i, quota)",
                path.display()
            )),
            Self::ReadOnly { path, .. } => Some(format!(
                "the file system of {} is mounted read-only; use another --dir or remount it",
                path.display()
            )),
            Self::Journal { path, .. } => Some(format!(
                "move {} away to give that transaction up, then see what is left with kpki plan",
                path.parent().unwrap_or(path).display()
            )),
            Self::AuthoritiesElsewhere { recorded, .. } => Some(format!(
                "run this again with --ca-dir {recorded} so that it can be finished"
            )),
            Self::Unfinished { source } => {
                let after = "then run this again: it finishes what was begun";
                Some(match source.hint() {
                    Some(hint) => format!("{hint}, {after}"),
                    None => format!("mend the cause, {after}"),
                })
            }
            Self::Missing { .. } | Self::Conflict { .. } | Self::Io { .. } => None,
        }
    }

    /// The fact behind an errno.
    pub(super) fn new(errno: Errno, attempted: Attempt, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        let source = io::Error::from(errno);
        match errno {
            Errno::NOSPC | Errno::DQUOT => Self::NoSpace {
                path,
                attempted,
                source,
            },
            Errno::ROFS => Self::ReadOnly {
                path,
                attempted,
                source,
            },
            Errno::ACCESS | Errno::PERM => Self::NotPermitted {
                path,
                attempted,
                source,
            },
            Errno::NOTDIR => Self::NotADirectory { path },
            Errno::ISDIR => Self::NotAFile {
                path,
                found: "a directory",
            },
            Errno::XDEV | Errno::BUSY => Self::MountPoint { path },
            _ => Self::Io {
                path,
                attempted,
                source,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempt, Errno, StoreError};

    #[test]
    fn a_full_disk_and_a_full_quota_are_one_fact() {
        for errno in [Errno::NOSPC, Errno::DQUOT] {
            let error = StoreError::new(errno, Attempt::Write, "/srv/kubernetes/a");
            assert!(matches!(error, StoreError::NoSpace { .. }), "{error}");
            assert!(error.hint().expect("a hint").contains("free some space"));
        }
    }

    #[test]
    fn says_what_was_tried_and_where() {
        let error = StoreError::new(Errno::IO, Attempt::Sync, "/srv/kubernetes");
        assert_eq!(
            error.to_string(),
            "cannot sync /srv/kubernetes: Input/output error (os error 5)"
        );
        let busy = StoreError::Busy {
            path: "/srv/.kpki/lock".into(),
            holder: Some(7),
        };
        assert_eq!(
            busy.to_string(),
            "/srv/.kpki/lock is in use by another kpki (process 7)"
        );
    }
}
