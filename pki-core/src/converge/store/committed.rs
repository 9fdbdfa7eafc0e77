//! What a transaction did.

use crate::cluster::FileMode;
use crate::cluster::Location;

/// What happened to one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It was written, new or over an older one, with this mode.
    Written(FileMode),
    /// Its mode was set.
    ModeSet(FileMode),
    /// It was removed.
    Removed,
}

/// A file and what happened to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    /// The file.
    pub location: Location,
    /// What happened to it.
    pub effect: Effect,
}

/// Everything a transaction changed, in the order in which it became visible.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Committed {
    /// One entry for each file.
    pub changes: Vec<Changed>,
}

impl Committed {
    /// The files that were written.
    pub fn written(&self) -> impl Iterator<Item = &Location> {
        self.changes
            .iter()
            .filter(|change| matches!(change.effect, Effect::Written(_)))
            .map(|change| &change.location)
    }

    /// True when nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
