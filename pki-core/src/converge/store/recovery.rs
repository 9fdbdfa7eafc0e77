//! Finishing or discarding what an earlier run was interrupted in.

use std::fmt;

use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use super::attempt::Attempt;
use super::committed::Committed;
use super::discard::discard;
use super::error::StoreError;
use super::journal::{COMMITTED_JOURNAL, Journal, STAGING_JOURNAL};
use super::lock::is_lock;
use super::open::Store;
use super::replay::finish;
use super::staging::{names, sweep};
use crate::cluster::{Location, Root};

/// What was done about an interrupted transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recovery {
    /// It had been committed, and was finished.
    Finished {
        /// What it changed in all, before and after the interruption.
        changes: Committed,
        /// Files that it had already put in place and that somebody has removed since.
        missing: Vec<Location>,
    },
    /// It had not been committed, so that nothing had changed yet, and was discarded.
    Discarded,
}

impl fmt::Display for Recovery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished { changes, missing } => {
                let files = changes.changes.len();
                let plural = if files == 1 { "" } else { "s" };
                write!(
                    formatter,
                    "finished an interrupted change of {files} file{plural}"
                )?;
                if !missing.is_empty() {
                    write!(formatter, ", of which {} are missing now", missing.len())?;
                }
                Ok(())
            }
            Self::Discarded => formatter
                .write_str("discarded an interrupted change that had not touched any file yet"),
        }
    }
}

/// Brings a tree into the state before or after an interrupted transaction. May itself be
/// interrupted anywhere, and then done again.
pub(super) fn recover(store: &mut Store) -> Result<Option<Recovery>, StoreError> {
    if let Some(text) = read(store, COMMITTED_JOURNAL)? {
        let journal = Journal::from_json(&text).map_err(|reason| StoreError::Journal {
            path: store.lock().path().join(COMMITTED_JOURNAL),
            reason,
        })?;
        store.lock_authorities()?;
        let missing = finish(store, &journal).map_err(unfinished)?;
        sweep_all(store)?;
        let changes = journal.changes();
        return Ok(Some(Recovery::Finished { changes, missing }));
    }
    let Some(text) = read(store, STAGING_JOURNAL)? else {
        sweep_all(store)?;
        return Ok(None);
    };
    // A power failure may have torn it; then nothing but staged files and, at worst, empty
    // directories is left of that transaction.
    if let Ok(journal) = Journal::from_json(&text) {
        store.lock_authorities()?;
        discard(store, &journal)?;
    }
    sweep_all(store)?;
    Ok(Some(Recovery::Discarded))
}

/// The store's way to say that the journal waits for another try.
pub(super) fn unfinished(error: StoreError) -> StoreError {
    match error {
        StoreError::AuthoritiesElsewhere { .. } | StoreError::Journal { .. } => error,
        error => StoreError::Unfinished {
            source: Box::new(error),
        },
    }
}

/// Takes everything away that a run may have left besides a journal, the journal of staging last.
fn sweep_all(store: &Store) -> Result<(), StoreError> {
    if let Some(top) = store.root(Root::Authorities) {
        let name = store.staging_name().below(Root::Authorities);
        sweep(top, &name, store.effects())?;
        store.remove_authorities_control()?;
    }
    let mut left = names(store.lock().directory())
        .map_err(|errno| StoreError::new(errno, Attempt::Read, store.lock().path()))?;
    left.retain(|name| !is_lock(name));
    left.sort_by_key(|name| name == STAGING_JOURNAL);
    for name in left {
        if name == STAGING_JOURNAL {
            store.effects().remove(&store.lock().at(&name))?;
        } else if let Some(top) = store.root(Root::Tree)
            && name.starts_with("tree-")
        {
            sweep(top, &name, store.effects())?;
        }
    }
    Ok(())
}

/// The contents of a file in the control directory.
fn read(store: &Store, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let at = store.lock().at(name);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file: OwnedFd = match fs::openat(at.directory, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(at.fails(errno, Attempt::Open)),
    };
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut std::fs::File::from(file), &mut text)
        .map(|_| Some(text))
        .map_err(|source| StoreError::Io {
            path: at.path(),
            attempted: Attempt::Read,
            source,
        })
}
