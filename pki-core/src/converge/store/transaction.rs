//! Collecting changes that become visible together.

use std::fmt;

use zeroize::Zeroizing;

use super::commit;
use super::committed::Committed;
use super::error::StoreError;
use super::open::Store;
use crate::cluster::FileMode;
use crate::cluster::Location;

/// Changes to files, none of which happens before [`Transaction::commit`], and then all of them.
///
/// Dropped without a commit it changes nothing.
#[derive(Debug)]
#[must_use = "a transaction changes nothing until it is committed"]
pub struct Transaction<'store> {
    store: &'store mut Store,
    operations: Vec<Operation>,
    groups: usize,
}

/// Files that belong together, such as a certificate and its key.
///
/// Name the certificate first: while more than one file of a group changes, the first is absent, so
/// that nobody ever finds a certificate beside a key that is not its own.
#[derive(Debug)]
pub struct Group<'transaction> {
    operations: &'transaction mut Vec<Operation>,
    group: usize,
}

/// One change to one file.
#[derive(Debug)]
pub(super) struct Operation {
    pub location: Location,
    pub change: Change,
    pub group: usize,
}

pub(super) enum Change {
    Write {
        contents: Zeroizing<Vec<u8>>,
        mode: FileMode,
    },
    SetMode(FileMode),
    Remove,
}

impl<'store> Transaction<'store> {
    pub(super) fn new(store: &'store mut Store) -> Self {
        Self {
            store,
            operations: Vec::new(),
            groups: 0,
        }
    }

    /// Writes a file, new or in place of an older one, with whatever directories lead to it.
    pub fn write(
        &mut self,
        location: Location,
        contents: impl Into<Zeroizing<Vec<u8>>>,
        mode: FileMode,
    ) {
        self.group().write(location, contents, mode);
    }

    /// Sets the mode of a file that exists.
    pub fn set_mode(&mut self, location: Location, mode: FileMode) {
        self.group().set_mode(location, mode);
    }

    /// Removes a file; when there is none, that is fine.
    pub fn remove(&mut self, location: Location) {
        self.group().remove(location);
    }

    /// Begins a group of files that belong together.
    pub fn group(&mut self) -> Group<'_> {
        self.groups += 1;
        Group {
            operations: &mut self.operations,
            group: self.groups,
        }
    }

    /// True when no change was asked for.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Makes all changes, durably. With any error but [`StoreError::Unfinished`] none was made;
    /// with that one they will be, by the next commit or the next [`Store::open`].
    pub fn commit(self) -> Result<Committed, StoreError> {
        commit::commit(self.store, self.operations)
    }
}

impl Group<'_> {
    /// Writes a file, new or in place of an older one.
    pub fn write(
        &mut self,
        location: Location,
        contents: impl Into<Zeroizing<Vec<u8>>>,
        mode: FileMode,
    ) -> &mut Self {
        let contents = contents.into();
        self.add(location, Change::Write { contents, mode })
    }

    /// Sets the mode of a file that exists.
    pub fn set_mode(&mut self, location: Location, mode: FileMode) -> &mut Self {
        self.add(location, Change::SetMode(mode))
    }

    /// Removes a file; when there is none, that is fine.
    pub fn remove(&mut self, location: Location) -> &mut Self {
        self.add(location, Change::Remove)
    }

    fn add(&mut self, location: Location, change: Change) -> &mut Self {
        self.operations.push(Operation {
            location,
            change,
            group: self.group,
        });
        self
    }
}

/// Without the contents, which may be a key.
impl fmt::Debug for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { contents, mode } => {
                write!(formatter, "Write({} bytes, {mode})", contents.len())
            }
            Self::SetMode(mode) => write!(formatter, "SetMode({mode})"),
            Self::Remove => formatter.write_str("Remove"),
        }
    }
}
