//! What kinstall did to a machine, and what was there before: what a reset undoes, and nothing else.
//!
//! An entry is on the disk before its effect is (write-ahead): whenever we end, everything that we
//! may have made is in it. It holds no contents of files.

mod lock;
mod store;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::desired::{DirectoryContents, Kind, Owner, Resource, ResourceId, Stage, Trace};

pub use store::{LedgerError, LedgerStore};

/// What was done to a machine, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: Vec<Entry>,
}

/// One thing that kinstall made, changed, or found as it was wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Entry {
    /// What names it.
    pub id: ResourceId,
    /// The stage it belongs to.
    pub stage: Stage,
    /// Whether it was done.
    pub state: State,
    /// What has to be known to take it away.
    pub made: Made,
    /// What was there before.
    pub before: Before,
}

/// Whether an effect was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Announced: it may be done, in part, or not at all.
    Intended,
    /// Done.
    Done,
}

/// What has to be known of a thing to take it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Made {
    /// A user and its group.
    Account {
        /// Its name.
        name: String,
        /// The number of both.
        id: u32,
    },
    /// A directory.
    Directory {
        /// Absolute.
        path: PathBuf,
        /// What a reset does with what is in it.
        contents: DirectoryContents,
    },
    /// A file.
    File {
        /// Absolute.
        path: PathBuf,
    },
    /// A symbolic link.
    Symlink {
        /// Absolute.
        path: PathBuf,
    },
    /// A value below `/proc/sys`.
    Sysctl {
        /// Its path below `/proc/sys`.
        key: String,
    },
    /// A module of the kernel.
    Module {
        /// Its name.
        name: String,
        /// What exists when it is there.
        proof: PathBuf,
    },
    /// A container image.
    Image {
        /// Its full name.
        reference: String,
    },
    /// A service.
    Service {
        /// Its name.
        name: String,
    },
    /// What components leave at run time.
    Trace(Trace),
}

/// What was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Before {
    /// Nothing: what is there now is ours.
    Absent,
    /// The same as was wanted: not ours.
    Same,
    /// An account, or a part of it.
    Account {
        /// Whether there was a user of that name.
        user: bool,
        /// Whether there was a group of that name.
        group: bool,
    },
    /// A directory.
    Directory {
        /// Its permission bits.
        mode: u32,
        /// Its owner.
        owner: Owner,
        /// What was in it.
        entries: BTreeSet<String>,
    },
    /// A sysctl's value.
    Value(String),
    /// Those of what matches a [`Trace`] that were there already.
    Existing(BTreeSet<String>),
}

impl Ledger {
    /// All entries, the oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether nothing was ever done.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry of a resource.
    pub fn entry(&self, id: &ResourceId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == *id)
    }

    /// Adds an entry, or replaces the one of the same resource in its place.
    pub(crate) fn put(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|old| old.id == entry.id) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    pub(crate) fn entry_mut(&mut self, id: &ResourceId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == *id)
    }

    pub(crate) fn forget(&mut self, id: &ResourceId) {
        self.entries.retain(|entry| entry.id != *id);
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.entries.retain(keep);
    }
}

impl Made {
    /// What a resource will be in the ledger.
    pub fn of(resource: &Resource) -> Self {
        match &resource.kind {
            Kind::Account(account) => Self::Account {
                name: account.name.clone(),
                id: account.id,
            },
            Kind::Directory(directory) => Self::Directory {
                path: directory.path.clone(),
                contents: directory.contents,
            },
            Kind::File(file) => Self::File {
                path: file.path.clone(),
            },
            Kind::Symlink(link) => Self::Symlink {
                path: link.path.clone(),
            },
            Kind::Sysctl(sysctl) => Self::Sysctl {
                key: sysctl.key.clone(),
            },
            Kind::Module(module) => Self::Module {
                name: module.name.clone(),
                proof: module.proof.clone(),
            },
            Kind::Image(image) => Self::Image {
                reference: image.reference.clone(),
            },
            Kind::Service(service) => Self::Service {
                name: service.name.clone(),
            },
            Kind::Trace(trace) => Self::Trace(trace.clone()),
        }
    }

    /// Its path, when it is a file, directory or link.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Directory { path, .. } | Self::File { path } | Self::Symlink { path } => {
                Some(path)
            }
            _ => None,
        }
    }
}
