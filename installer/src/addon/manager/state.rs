//! What came of a pass, and the file that tells of the last one.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What came of one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// Every object of the folder that is in the cluster as wanted.
    pub applied: Vec<Applied>,
    /// What was removed, since it is in no file any more.
    pub pruned: Vec<String>,
    /// What is not as wanted.
    pub failed: Vec<Failure>,
}

/// An object that is as wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Applied {
    /// Its file.
    pub addon: String,
    /// What it is, as `Service kube-system/kube-dns`.
    pub what: String,
    /// What had to be done.
    pub change: Change,
}

/// What had to be done for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Nothing.
    None,
    /// It was not there.
    Created,
    /// It was otherwise.
    Changed,
}

/// Something that is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    /// A file or an object.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// The last pass, as the file tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct State {
    /// When it ended, in seconds since 1970.
    pub time: i64,
    /// The folder's fingerprint before it was read: see [`Folder::fingerprint`](super::Folder::fingerprint).
    pub fingerprint: String,
    /// Why the API server could not be asked, where it could not: the report is empty then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub report: Report,
}

impl Report {
    /// Whether nothing had to be done.
    pub fn is_unchanged(&self) -> bool {
        let mut applied = self.applied.iter();
        self.failed.is_empty()
            && self.pruned.is_empty()
            && applied.all(|one| one.change == Change::None)
    }

    /// Whether everything is as wanted.
    pub fn is_fine(&self) -> bool {
        self.failed.is_empty()
    }
}

impl State {
    /// Whether all of a folder with that fingerprint is as wanted.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn is_fine_for(&self, fingerprint: &str) -> Result<(), String> {
        if let Some(away) = &self.away {
            return Err(format!("the API server is away: {away}"));
        }
        if self.fingerprint != fingerprint {
            return Err("the folder has changed since the last pass".into());
        }
        let failed: Vec<_> = self
            .report
            .failed
            .iter()
            .map(|one| format!("{}: {}", one.what, one.reason))
            .collect();
        if failed.is_empty() {
            Ok(())
        } else {
            Err(failed.join("; "))
        }
    }

    /// What came of the last pass; nothing where none was made since the machine started.
    ///
    /// # Errors
    /// When the file cannot be read, or is not ours.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts it in place of the last one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/addons.json");
        assert_eq!(State::read(&path).unwrap(), None);
        let state = State {
            time: 1_800_000_000,
            fingerprint: "a".into(),
            away: None,
            report: Report {
                applied: vec![Applied {
                    addon: "a.yaml".into(),
                    what: "Service x/y".into(),
                    change: Change::Created,
                }],
                pruned: vec!["ConfigMap x/z".into()],
                failed: vec![],
            },
        };
        state.write(&path).unwrap();
        assert_eq!(State::read(&path).unwrap(), Some(state));
    }
}
