//! What is about to be written, all of it in memory.

use std::fmt;

use zeroize::Zeroizing;

use crate::cluster::blueprint::ArtifactId;
use crate::cluster::{FileMode, Location};
use crate::converge::plan::Action;
use crate::converge::store::{Committed, Store, StoreError};
use crate::x509::Certificate;
use crate::x509::lint::Finding;

/// Every file that a plan leads to, made but not written.
#[derive(Debug, Default)]
pub struct Changes {
    pub(super) done: Vec<Done>,
    pub(super) groups: Vec<Vec<FileChange>>,
    /// Files that go.
    removals: Vec<Location>,
}

/// One file.
pub(super) struct FileChange {
    pub location: Location,
    pub mode: FileMode,
    /// `None`: only the mode changes.
    pub contents: Option<Zeroizing<Vec<u8>>>,
}

/// What was done to one artifact.
#[derive(Clone, Debug)]
pub struct Done {
    /// Which artifact.
    pub artifact: ArtifactId,
    /// The word for its kind.
    pub kind: &'static str,
    /// What was done.
    pub action: Action,
    /// The certificate that it has now, if it has one.
    pub certificate: Option<Certificate>,
    /// The files that were written or protected.
    pub files: Vec<Location>,
    /// What lint noticed without refusing.
    pub warnings: Vec<Finding>,
}

/// What was done, and written.
#[derive(Debug)]
pub struct Applied {
    /// One entry for each step of the plan.
    pub done: Vec<Done>,
    /// Every file that changed.
    pub committed: Committed,
}

impl Changes {
    /// Adds a file that no plan makes, such as the spec itself, to be written together with the rest.
    pub fn add(
        &mut self,
        location: Location,
        contents: impl Into<Zeroizing<Vec<u8>>>,
        mode: FileMode,
    ) {
        self.groups.push(vec![FileChange {
            location,
            mode,
            contents: Some(contents.into()),
        }]);
    }

    /// A file that goes together with the rest. When there is none, that is fine.
    pub(in crate::converge) fn remove(&mut self, location: Location) {
        self.removals.push(location);
    }

    /// What is done by these changes.
    pub fn done(&self) -> &[Done] {
        &self.done
    }

    /// Every file with its mode and contents, some of which are secrets: for callers without a disk.
    pub fn secret_files(&self) -> impl Iterator<Item = (&Location, FileMode, &[u8])> {
        self.groups.iter().flatten().filter_map(|file| {
            Some((
                &file.location,
                file.mode,
                file.contents.as_ref()?.as_slice(),
            ))
        })
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.removals.is_empty()
    }

    /// Writes everything in one transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn commit(self, store: &mut Store) -> Result<Applied, StoreError> {
        let mut transaction = store.transaction();
        for group in self.groups {
            let mut files = transaction.group();
            for file in group {
                match file.contents {
                    Some(contents) => files.write(file.location, contents, file.mode),
                    None => files.set_mode(file.location, file.mode),
                };
            }
        }
        for location in self.removals {
            transaction.remove(location);
        }
        let committed = transaction.commit()?;
        Ok(Applied {
            done: self.done,
            committed,
        })
    }
}

/// Without the contents.
impl fmt::Debug for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileChange({:?} {})", self.location, self.mode)
    }
}
