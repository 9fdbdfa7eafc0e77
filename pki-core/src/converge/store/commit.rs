//! Making a transaction happen: look, stage, sync, seal, finish.

use super::committed::Committed;
use super::discard::discard;
use super::error::StoreError;
use super::journal::{AuthoritiesRecord, COMMITTED_JOURNAL, Journal, STAGING_JOURNAL, staged_name};
use super::open::Store;
use super::program::program;
use super::recovery::unfinished;
use super::replay::finish;
use super::staging::Staging;
use super::survey::Survey;
use super::transaction::{Change, Operation};
use crate::cluster::FileMode;
use crate::cluster::Root;

pub(super) fn commit(
    store: &mut Store,
    operations: Vec<Operation>,
) -> Result<Committed, StoreError> {
    store.finish_earlier()?;
    let survey = Survey::take(store, &operations)?;
    let journal = plan(store, survey, &operations);
    if journal.steps.is_empty() {
        return Ok(Committed::default());
    }
    match stage(store, &journal, operations).and_then(|()| seal(store)) {
        Ok(()) => {}
        Err(error @ StoreError::Unfinished { .. }) => {
            store.set_unfinished();
            return Err(error);
        }
        Err(error) => {
            // What cannot be taken back now will be by the next open; the error that counts is the
            // one that came first.
            if discard(store, &journal).is_err() {
                store.set_unfinished();
            }
            return Err(error);
        }
    }
    match finish(store, &journal) {
        Ok(missing) => {
            let mut committed = journal.changes();
            committed
                .changes
                .retain(|change| !missing.contains(&change.location));
            Ok(committed)
        }
        Err(error) => {
            store.set_unfinished();
            Err(unfinished(error))
        }
    }
}

fn plan(store: &Store, survey: Survey, operations: &[Operation]) -> Journal {
    let steps = program(operations, &survey.exists);
    let authorities = steps
        .iter()
        .any(|step| step.location().root == Root::Authorities)
        .then(|| AuthoritiesRecord {
            path: store.authorities_path().to_string_lossy().into_owned(),
            created: store.missing_authorities(),
        });
    Journal::new(store.staging_name(), authorities, survey.directories, steps)
}

/// Everything up to the commit. Any failure in here is taken back whole.
fn stage(
    store: &mut Store,
    journal: &Journal,
    operations: Vec<Operation>,
) -> Result<(), StoreError> {
    // First the journal: it says what to take back, also to the next process.
    let effects = store.effects().clone();
    let at = store.lock().at(STAGING_JOURNAL);
    let file = effects.create_file(at, FileMode::SECRET)?;
    effects.write(&at, &file, &journal.to_json())?;
    drop(file);

    if journal.authorities.is_some() {
        store.create_authorities()?;
    }
    let mut tree = None;
    let mut authorities = None;
    for root in journal.roots() {
        if let Some(top) = store.root(root) {
            let staging = Staging::create(top, root, &journal.staging, &effects)?;
            match root {
                Root::Tree => tree = Some(staging),
                Root::Authorities => authorities = Some(staging),
            }
        }
    }
    for (index, operation) in operations.into_iter().enumerate() {
        let Change::Write { contents, mode } = operation.change else {
            continue;
        };
        let staging = match operation.location.root {
            Root::Tree => tree.as_ref(),
            Root::Authorities => authorities.as_ref(),
        };
        if let Some(staging) = staging {
            let name = staged_name(u32::try_from(index).unwrap_or(u32::MAX));
            let at = staging.at(&name);
            let file = effects.create_file(at, mode)?;
            effects.write(&at, &file, &contents)?;
        }
    }
    // ext4(5), data=ordered with delayed allocation: without this a rename could become durable
    // before the contents of what was renamed.
    store.sync(journal)?;
    // After the sync, so that the journal that names them is durable before they can be.
    for directory in &journal.directories {
        store.make_directory(directory.root, &directory.path)?;
    }
    Ok(())
}

/// The commit: one rename, made durable.
fn seal(store: &Store) -> Result<(), StoreError> {
    let staging = store.lock().at(STAGING_JOURNAL);
    let committed = store.lock().at(COMMITTED_JOURNAL);
    store.effects().rename(&staging, &committed)?;
    // On ext4 this writes the whole running journal transaction of the file system, the new
    // directories included.
    store.sync_control().map_err(|error| {
        // Not known to be durable, so it did not happen, if it can still be undone.
        match store.effects().rename(&committed, &staging) {
            Ok(_) => error,
            Err(_) => unfinished(error),
        }
    })
}
