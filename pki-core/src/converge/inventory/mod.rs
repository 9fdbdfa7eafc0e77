//! The inventory: what is on disk now, parsed. File names decide nothing; content does.

mod content;
mod read;

use std::collections::BTreeMap;

pub use content::Found;
pub use read::InventoryError;

use crate::cluster::{FileMode, Location, Root};

/// Every file below the two roots, read.
#[derive(Debug, Default)]
pub struct Inventory {
    files: BTreeMap<Location, FoundFile>,
    /// How people call the directory of CA certificates and keys, when it is not `ca` in the cluster's own.
    authorities: Option<String>,
}

/// One file.
#[derive(Debug)]
pub struct FoundFile {
    /// Its permission bits.
    pub mode: FileMode,
    /// What is in it.
    pub content: Found,
}

impl Inventory {
    /// An inventory of nothing: what `kpki init` starts from.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds a file that is not on disk yet, such as an authority's that is about to be imported.
    pub fn add(&mut self, location: Location, mode: FileMode, contents: &[u8]) {
        let content = Found::of(contents);
        self.files.insert(location, FoundFile { mode, content });
    }

    /// What is at `location`.
    pub fn at(&self, location: &Location) -> Option<&FoundFile> {
        self.files.get(location)
    }

    /// Every file, in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&Location, &FoundFile)> {
        self.files.iter()
    }

    /// A location as people read it: below the cluster's directory, or below that of its authorities.
    pub fn shown(&self, location: &Location) -> String {
        match location.root {
            Root::Tree => location.path.to_string(),
            Root::Authorities => {
                format!(
                    "{}/{}",
                    self.authorities.as_deref().unwrap_or("ca"),
                    location.path
                )
            }
        }
    }

    /// Whether there is no file at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}
