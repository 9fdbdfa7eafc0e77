//! A PKI directory tree, opened for writing.

use std::path::{Path, PathBuf};

use super::attempt::Attempt;
use super::directory::RootDirectory;
use super::effects::Effects;
use super::error::StoreError;
use super::faults::Faults;
use super::journal::{COMMITTED_JOURNAL, STAGING_JOURNAL, StagingName};
use super::lock::Lock;
use super::recovery::{Recovery, recover};
use super::tidy::Tidy;
use super::transaction::Transaction;
use crate::cluster::{CONTROL_DIRECTORY, Root};

/// How often another process may let go of the lock and tidy up between two of our steps before we
/// call it busy. Each round is a few microseconds.
const ATTEMPTS: usize = 16;

/// A PKI directory tree that nobody else writes to while this value lives.
#[derive(Debug)]
pub struct Store {
    pub(super) effects: Effects,
    pub(super) authorities_path: PathBuf,
    pub(super) authorities: Option<RootDirectory>,
    recovered: Option<Recovery>,
    unfinished: bool,
    pub(super) tree: RootDirectory,
    // The order of the last two counts: fields are dropped in it, and the lock file must be gone
    // before the directories can be.
    pub(super) lock: Lock,
    _tidy: Tidy,
}

impl Store {
    /// Opens a tree, creating it (mode 0700) when absent, takes its lock, and finishes or discards
    /// what an earlier run was interrupted in.
    ///
    /// `authorities` is the directory of CA certificates and keys, usually `<dir>/ca`; it may be
    /// elsewhere, and is created when something is first written to it. If nothing is committed,
    /// dropping the store leaves no trace of it, not even a directory it created.
    pub fn open(dir: &Path, authorities: &Path) -> Result<Self, StoreError> {
        Self::open_with_faults(dir, authorities, Faults::none())
    }

    /// [`Store::open`] with something that goes wrong, for tests.
    #[doc(hidden)]
    pub fn open_with_faults(
        dir: &Path,
        authorities: &Path,
        faults: Faults,
    ) -> Result<Self, StoreError> {
        let effects = Effects::new(faults);
        let dir = absolute(dir)?;
        let authorities = absolute(authorities)?;
        let mut store = Self::lock_tree(&dir, authorities, &effects)?;
        store.authorities = store.open_authorities()?;
        store.lock_authorities()?;
        store.recovered = recover(&mut store)?;
        Ok(store)
    }

    /// What opening did about an interrupted transaction.
    pub fn recovered(&self) -> Option<&Recovery> {
        self.recovered.as_ref()
    }

    /// Begins to collect changes.
    pub fn transaction(&mut self) -> Transaction<'_> {
        Transaction::new(self)
    }

    /// Whether a transaction waits in this tree to be finished or discarded: one that was
    /// interrupted or, for as long as that takes, one of a kpki at work. Takes no lock and changes
    /// nothing.
    pub fn peek(dir: &Path) -> bool {
        let control = dir.join(CONTROL_DIRECTORY);
        [COMMITTED_JOURNAL, STAGING_JOURNAL]
            .iter()
            .any(|journal| control.join(journal).symlink_metadata().is_ok())
    }

    fn lock_tree(
        dir: &Path,
        authorities_path: PathBuf,
        effects: &Effects,
    ) -> Result<Self, StoreError> {
        for _ in 0..ATTEMPTS {
            let mut tidy = Tidy::new(effects.clone());
            RootDirectory::create(dir, effects, |made| tidy.remember(made.to_owned()))?;
            let Some(tree) = RootDirectory::open(dir)? else {
                continue;
            };
            tidy.remember(dir.join(CONTROL_DIRECTORY));
            let Some(lock) = Lock::take(&tree, effects)? else {
                continue;
            };
            return Ok(Self {
                effects: effects.clone(),
                authorities_path,
                authorities: None,
                recovered: None,
                unfinished: false,
                tree,
                lock,
                _tidy: tidy,
            });
        }
        Err(StoreError::Busy {
            path: dir.to_owned(),
            holder: None,
        })
    }
}

/// What the other parts of the store need of it.
impl Store {
    pub(super) fn effects(&self) -> &Effects {
        &self.effects
    }

    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }

    /// A root, unless it is the directory of authorities and does not exist.
    pub(super) fn root(&self, root: Root) -> Option<&RootDirectory> {
        match root {
            Root::Tree => Some(&self.tree),
            Root::Authorities => self.authorities.as_ref(),
        }
    }

    pub(super) fn authorities_path(&self) -> &Path {
        &self.authorities_path
    }

    pub(super) fn staging_name(&self) -> StagingName {
        StagingName::of(&self.tree)
    }

    /// A whole path, for messages.
    pub(super) fn path_of(&self, root: Root, relative: &str) -> PathBuf {
        let top = match root {
            Root::Tree => self.tree.path(),
            Root::Authorities => &self.authorities_path,
        };
        if relative.is_empty() {
            top.to_owned()
        } else {
            top.join(relative)
        }
    }

    pub(super) fn set_unfinished(&mut self) {
        self.unfinished = true;
    }

    /// Finishes or discards what an earlier transaction of this very store left.
    pub(super) fn finish_earlier(&mut self) -> Result<(), StoreError> {
        if self.unfinished {
            recover(self)?;
            self.unfinished = false;
        }
        Ok(())
    }
}

/// Without links resolved: those on the way to a root are the user's.
fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(path).map_err(|source| StoreError::Io {
        path: path.to_owned(),
        attempted: Attempt::Open,
        source,
    })
}
