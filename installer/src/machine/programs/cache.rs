//! What is known of programs from the last time.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::desired::Program;

/// Raised when programs are looked at in another way: what is known from before does not count then.
const FORMAT: u32 = 1;

/// What is known of programs, by their path.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cache(BTreeMap<PathBuf, Entry>);

/// What is known of one program, as long as it and its libraries stay the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) program: Program,
    pub(super) stamp: Stamp,
    /// Of its libraries, in their order.
    pub(super) library_stamps: Vec<Stamp>,
}

/// What changes when a file does. The time of its last change of status is among them: no tool sets that back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Stored {
    format: u32,
    programs: Vec<Entry>,
}

impl Stamp {
    pub(super) fn new(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }

    fn is_of(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|file| Self::new(&file) == *self)
    }
}

impl Cache {
    /// What the file says. Nothing when it is not there or makes no sense.
    pub(super) fn read(path: &Path) -> Self {
        let stored = fs::read(path).ok();
        let stored = stored.and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok());
        let stored = stored.filter(|stored| stored.format == FORMAT);
        let mut cache = Self::default();
        for entry in stored.into_iter().flat_map(|stored| stored.programs) {
            cache.add(entry);
        }
        cache
    }

    /// What is known of the program, if it and its libraries are the same as then.
    pub(super) fn known(&self, path: &Path) -> Option<&Entry> {
        let entry = self.0.get(path)?;
        let libraries = entry.program.libraries.iter();
        let mut libraries = libraries.zip(&entry.library_stamps);
        let same = entry.library_stamps.len() == entry.program.libraries.len()
            && entry.stamp.is_of(path)
            && libraries.all(|((path, _), stamp)| stamp.is_of(path));
        same.then_some(entry)
    }

    pub(super) fn add(&mut self, entry: Entry) {
        self.0.insert(entry.program.path.clone(), entry);
    }

    /// Replaces the file. Nothing is lost when that fails but time.
    pub(super) fn write(&self, path: &Path) {
        let stored = Stored {
            format: FORMAT,
            programs: self.0.values().cloned().collect(),
        };
        let (Some(parent), Ok(bytes)) = (path.parent(), serde_json::to_vec(&stored)) else {
            return;
        };
        let file = tempfile::NamedTempFile::new_in(parent);
        let _ = file.and_then(|mut file| {
            file.write_all(&bytes)?;
            Ok(file.persist(path)?)
        });
    }
}
