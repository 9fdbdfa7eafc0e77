//! Taking a transaction back that was not committed.

use super::error::StoreError;
use super::journal::{Journal, STAGING_JOURNAL};
use super::open::Store;
use super::staging::sweep;
use crate::cluster::{Location, Root};

/// Removes what staging made: directories, as far as they are empty, staged files, and at the very
/// end the journal, so that an interruption of this is no different from one of the staging.
pub(super) fn discard(store: &mut Store, journal: &Journal) -> Result<(), StoreError> {
    for Location { root, path } in journal.directories.iter().rev() {
        store.remove_directory(*root, path)?;
    }
    for root in [Root::Tree, Root::Authorities] {
        if let Some(top) = store.root(root) {
            sweep(top, &journal.staging.below(root), store.effects())?;
        }
    }
    if let Some(record) = &journal.authorities {
        store.remove_authorities_control()?;
        store.remove_authorities(record.created)?;
    }
    store.effects().remove(&store.lock().at(STAGING_JOURNAL))?;
    Ok(())
}
