//! The ledger on the disk: `/var/lib/kinstall/ledger.json`.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::Lock;
use super::{Entry, Ledger};
use crate::desired::layout::STATE;
use crate::machine::Root;
use crate::machine::fuse::Fuse;

const NAME: &str = "ledger.json";
const NEW: &str = ".ledger.json.new";
const LOCK: &str = "lock";
/// Of the form below. A kinstall that knows another refuses.
const VERSION: u32 = 1;

/// The ledger, locked against other kinstalls.
#[derive(Debug)]
pub struct LedgerStore {
    directory: PathBuf,
    ledger: Ledger,
    pub(crate) fuse: Fuse,
    _lock: Lock,
}

/// Why there is no ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It makes no sense.
    #[error("the ledger {} is damaged: {reason}", path.display())]
    Damaged {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another kinstall wrote it.
    #[error("the ledger {} has version {version}, this kinstall knows version {VERSION}", path.display())]
    Version {
        /// Its file.
        path: PathBuf,
        /// Which one it is.
        version: u64,
    },
    /// Another kinstall runs.
    #[error("another kinstall is at work on this machine{}", holder.map(|id| format!(": process {id}")).unwrap_or_default())]
    Busy {
        /// The lock's file.
        path: PathBuf,
        /// Its process.
        holder: Option<u32>,
    },
}

#[derive(Serialize)]
struct Out<'a> {
    version: u32,
    entries: &'a [Entry],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    #[serde(rename = "version")]
    _version: u32,
    entries: Vec<Entry>,
}

impl Ledger {
    /// Reads the ledger of a machine without locking it; an empty one where nothing was done yet.
    ///
    /// # Errors
    /// [`LedgerError`], when it is there and cannot be read.
    pub fn read(root: &Root) -> Result<Self, LedgerError> {
        read(&root.join(STATE).join(NAME))
    }
}

impl LedgerStore {
    /// Takes the lock and reads the ledger. Makes its directory, 0700, where it is absent.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn open(root: &Root) -> Result<Self, LedgerError> {
        let directory = root.join(STATE);
        let fails = |source| LedgerError::Io {
            path: directory.clone(),
            source,
        };
        if !directory.exists() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&directory)
                .map_err(fails)?;
            if let Some(parent) = directory.parent() {
                sync_directory(parent).map_err(fails)?;
            }
        }
        let lock = Lock::take(&directory.join(LOCK))?;
        let ledger = read(&directory.join(NAME))?;
        // What a run that was interrupted may have left.
        remove(&directory.join(NEW)).map_err(fails)?;
        Ok(Self {
            directory,
            ledger,
            fuse: Fuse::default(),
            _lock: lock,
        })
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Changes the ledger, and has it on the disk before it returns. Nothing is written when nothing changed.
    pub(crate) fn commit(&mut self, change: impl FnOnce(&mut Ledger)) -> Result<(), LedgerError> {
        let mut ledger = self.ledger.clone();
        change(&mut ledger);
        if ledger != self.ledger {
            self.write(&ledger).map_err(|source| LedgerError::Io {
                path: self.directory.join(NAME),
                source,
            })?;
            self.ledger = ledger;
        }
        Ok(())
    }

    fn write(&self, ledger: &Ledger) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(&Out {
            version: VERSION,
            entries: ledger.entries(),
        })?;
        text.push(b'\n');
        let new = self.directory.join(NEW);
        remove(&new)?;
        self.fuse.burn()?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        self.fuse.burn()?;
        fs::rename(&new, self.directory.join(NAME))?;
        sync_directory(&self.directory)
    }

    /// Takes the ledger away, and its directory when nothing else is in it.
    pub(crate) fn erase(self) -> Result<(), LedgerError> {
        let Self {
            directory,
            fuse,
            _lock: lock,
            ..
        } = self;
        let fails = |path: &Path, source| LedgerError::Io {
            path: path.to_owned(),
            source,
        };
        for name in [NEW, NAME] {
            let path = directory.join(name);
            fuse.burn().map_err(|error| fails(&path, error))?;
            remove(&path).map_err(|error| fails(&path, error))?;
        }
        // The directory goes with the lock.
        drop(lock);
        Ok(())
    }

    /// What else is in the ledger's directory, by its whole path.
    pub(crate) fn neighbours(&self) -> Result<Vec<PathBuf>, LedgerError> {
        let fails = |source| LedgerError::Io {
            path: self.directory.clone(),
            source,
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(fails)? {
            let entry = entry.map_err(fails)?;
            if [NAME, LOCK].iter().all(|own| entry.file_name() != *own) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }
}

fn read(path: &Path) -> Result<Ledger, LedgerError> {
    let damaged = |reason: String| LedgerError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ledger::default()),
        Err(source) => {
            let path = path.to_owned();
            return Err(LedgerError::Io { path, source });
        }
    };
    let value: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            let path = path.to_owned();
            return Err(LedgerError::Version { path, version });
        }
        None => return Err(damaged("it has no version".into())),
    }
    let In { entries, .. } =
        serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
    for (index, entry) in entries.iter().enumerate() {
        if entries[..index].iter().any(|other| other.id == entry.id) {
            return Err(damaged(format!("it has {} twice", entry.id)));
        }
    }
    Ok(Ledger { entries })
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

impl LedgerError {
    /// What would mend it.
    pub fn hint(&self) -> String {
        match self {
            Self::Io { source, .. } => crate::machine::error::io_hint(source)
                .unwrap_or("mend the disk, then run again")
                .to_owned(),
            Self::Damaged { path, .. } => format!(
                "bring {} back from a copy; without it kinstall cannot know what it made on this machine",
                path.display()
            ),
            Self::Version { .. } => "use the kinstall that wrote it, or a newer one".to_owned(),
            Self::Busy { .. } => "wait until it has ended, then run again".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Before, Made, State};
    use super::*;
    use crate::desired::{ResourceId, Stage};

    fn entry(path: &str) -> Entry {
        Entry {
            id: ResourceId(format!("file {path}")),
            stage: Stage::Files,
            state: State::Intended,
            made: Made::File { path: path.into() },
            before: Before::Absent,
        }
    }

    #[test]
    fn comes_back_as_it_was_written_and_goes() {
        let scratch = tempfile::tempdir().unwrap();
        let root = Root::at(scratch.path());
        let mut store = LedgerStore::open(&root).unwrap();
        store.commit(|ledger| ledger.put(entry("/a"))).unwrap();
        store.commit(|ledger| ledger.put(entry("/b"))).unwrap();
        assert_eq!(Ledger::read(&root).unwrap(), *store.ledger());
        store.erase().unwrap();
        assert!(Ledger::read(&root).unwrap().is_empty());
        assert!(!root.join(STATE).exists());
    }

    #[test]
    fn only_one_at_a_time_and_the_second_is_told_who() {
        let scratch = tempfile::tempdir().unwrap();
        let root = Root::at(scratch.path());
        let first = LedgerStore::open(&root).unwrap();
        let error = LedgerStore::open(&root).unwrap_err();
        let id = std::process::id();
        assert_eq!(
            error.to_string(),
            format!("another kinstall is at work on this machine: process {id}")
        );
        drop(first);
        LedgerStore::open(&root).unwrap();
    }

    #[test]
    fn a_damaged_one_is_never_taken_for_none() {
        let scratch = tempfile::tempdir().unwrap();
        let root = Root::at(scratch.path());
        let mut store = LedgerStore::open(&root).unwrap();
        store.commit(|ledger| ledger.put(entry("/a"))).unwrap();
        drop(store);
        let path = root.join(STATE).join(NAME);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() - 1 {
            fs::write(&path, &whole[..length]).unwrap();
            let error = Ledger::read(&root).unwrap_err();
            assert!(matches!(error, LedgerError::Damaged { .. }), "{length}");
            assert!(error.hint().starts_with("bring "), "{length}");
        }
        let text = String::from_utf8(whole).unwrap();
        fs::write(&path, text.replace("\"version\": 1", "\"version\": 2")).unwrap();
        let error = LedgerStore::open(&root).unwrap_err();
        assert!(matches!(error, LedgerError::Version { version: 2, .. }));
    }

    #[test]
    fn whenever_a_write_ends_the_ledger_is_the_old_or_the_new() {
        for fuse in 0..2 {
            let scratch = tempfile::tempdir().unwrap();
            let root = Root::at(scratch.path());
            let mut store = LedgerStore::open(&root).unwrap();
            store.commit(|ledger| ledger.put(entry("/a"))).unwrap();
            store.fuse = Fuse::after(fuse);
            store.commit(|ledger| ledger.put(entry("/b"))).unwrap_err();
            drop(store);
            let mut store = LedgerStore::open(&root).unwrap();
            assert_eq!(store.ledger().entries().len(), 1);
            store.commit(|ledger| ledger.put(entry("/b"))).unwrap();
            assert_eq!(Ledger::read(&root).unwrap().entries().len(), 2);
        }
    }
}
