//! The plan of a transaction as it lies on disk: a straight line of steps, each of which may be
//! done twice.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::committed::{Changed, Committed, Effect};
use super::directory::RootDirectory;
use crate::cluster::FileMode;
use crate::cluster::{Location, Root};

/// The journal while files are being staged: a transaction that will be discarded.
pub(super) const STAGING_JOURNAL: &str = "journal.staging";
/// The journal once everything is staged and durable: a transaction that will be finished.
pub(super) const COMMITTED_JOURNAL: &str = "journal";

/// Raised when a journal of today could not be finished by yesterday's kpki.
const FORMAT: u32 = 1;

/// What a transaction does, complete enough for another process to finish or to discard it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    format: u32,
    /// Distinguishes the staging directories of two trees that share a directory of authorities.
    pub staging: StagingName,
    /// Present when a file below [`Root::Authorities`] is concerned.
    pub authorities: Option<AuthoritiesRecord>,
    /// Directories that did not exist before, parents first.
    pub directories: Vec<Location>,
    /// Done in this order, after the commit.
    pub steps: Vec<Step>,
}

/// The directory of authorities as this transaction found it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthoritiesRecord {
    /// For the user: where it was.
    pub path: String,
    /// How many of the last components of its path did not exist.
    pub created: usize,
}

/// One step of moving a transaction into place.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Step {
    /// Take the old file away unless its successor is already in place: what goes with it is about
    /// to change, and a pair with one half missing misleads nobody.
    Vacate { at: Location, staged: u32 },
    /// Move a staged file into place.
    Place {
        at: Location,
        staged: u32,
        mode: FileMode,
    },
    /// Set the mode of a file.
    SetMode { at: Location, mode: FileMode },
    /// Remove a file.
    Remove { at: Location },
}

impl Step {
    pub(super) fn location(&self) -> &Location {
        match self {
            Self::Vacate { at, .. }
            | Self::Place { at, .. }
            | Self::SetMode { at, .. }
            | Self::Remove { at } => at,
        }
    }
}

impl Journal {
    pub(super) fn new(
        staging: StagingName,
        authorities: Option<AuthoritiesRecord>,
        directories: Vec<Location>,
        steps: Vec<Step>,
    ) -> Self {
        Self {
            format: FORMAT,
            staging,
            authorities,
            directories,
            steps,
        }
    }

    pub(super) fn from_json(text: &[u8]) -> Result<Self, String> {
        let journal: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if journal.format != FORMAT {
            return Err(format!(
                "it has format {}, this kpki knows format {FORMAT}",
                journal.format
            ));
        }
        Ok(journal)
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("names and numbers serialize")
    }

    /// The roots that any step concerns.
    pub(super) fn roots(&self) -> impl Iterator<Item = Root> {
        [Root::Tree, Root::Authorities]
            .into_iter()
            .filter(|root| self.steps.iter().any(|step| step.location().root == *root))
    }

    /// What the steps amount to.
    pub(super) fn changes(&self) -> Committed {
        let changes = self.steps.iter().filter_map(|step| {
            let effect = match step {
                Step::Vacate { .. } => return None,
                Step::Place { mode, .. } => Effect::Written(*mode),
                Step::SetMode { mode, .. } => Effect::ModeSet(*mode),
                Step::Remove { .. } => Effect::Removed,
            };
            Some(Changed {
                location: step.location().clone(),
                effect,
            })
        });
        Committed {
            changes: changes.collect(),
        }
    }
}

/// The name of a staged file.
pub(super) fn staged_name(staged: u32) -> String {
    format!("{staged:04}")
}

/// What the staging directories of a tree are called: device and inode of the tree in hexadecimal.
///
/// Always the same for a tree, so that what a crash left behind is found without a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct StagingName(String);

impl StagingName {
    pub(super) fn of(tree: &RootDirectory) -> Self {
        Self(tree.identity())
    }

    /// The name of the staging directory in the control directory of a root. The two differ
    /// because both roots may be one directory.
    pub(super) fn below(&self, root: Root) -> String {
        match root {
            Root::Tree => format!("tree-{self}"),
            Root::Authorities => format!("authorities-{self}"),
        }
    }
}

impl TryFrom<String> for StagingName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        if !text.is_empty() && text.len() <= 64 && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err("not the name of a staging directory".into())
        }
    }
}

impl From<StagingName> for String {
    fn from(name: StagingName) -> Self {
        name.0
    }
}

impl fmt::Display for StagingName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{FileMode, Journal, Location, StagingName, Step};

    fn journal() -> Journal {
        let at = Location::tree("a/b").expect("a path");
        let name = StagingName::try_from("fd01-2a".to_owned()).expect("a name");
        let mode = FileMode::PUBLIC;
        let steps = vec![Step::Place {
            at,
            staged: 0,
            mode,
        }];
        Journal::new(name, None, Vec::new(), steps)
    }

    #[test]
    fn survives_the_disk() {
        let journal = journal();
        assert_eq!(Journal::from_json(&journal.to_json()), Ok(journal));
    }

    #[test]
    fn a_torn_or_foreign_journal_is_refused() {
        let text = journal().to_json();
        for length in 0..text.len() {
            assert!(Journal::from_json(&text[..length]).is_err(), "{length}");
        }
        let text = String::from_utf8(text).expect("JSON is UTF-8");
        let newer = text.replace(r#""format":1"#, r#""format":2"#);
        let error = Journal::from_json(newer.as_bytes()).expect_err("another format");
        assert!(error.contains("format 2"), "{error}");
        let forged = text.replace("fd01-2a", "../../etc");
        assert!(Journal::from_json(forged.as_bytes()).is_err());
    }
}
