//! Where a file lives: one of two roots, and a path beneath it that cannot leave it.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The directory in each root where the store keeps its lock, its journal and staged files.
pub(crate) const CONTROL_DIRECTORY: &str = ".kpki";

/// NAME_MAX of Linux (limits.h): ext4, xfs, btrfs and tmpfs all have it.
const LONGEST_COMPONENT: usize = 255;
/// PATH_MAX of Linux without its terminating NUL.
const LONGEST_PATH: usize = 4095;

/// One of the two directories the store writes below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    /// The cluster's own directory: `--dir`.
    Tree,
    /// The directory of CA certificates and keys: `<dir>/ca` unless it was put elsewhere.
    Authorities,
}

/// A path below a [`Root`], checked so that it can name nothing outside it.
///
/// Relative, UTF-8, without `.`, `..`, empty components or control characters, and without
/// `.kpki`, which is the store's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelativePath(String);

/// Why a text is not a [`RelativePath`].
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PathError {
    /// It has no components.
    #[error("an empty path")]
    Empty,
    /// It begins with `/`.
    #[error("{0:?} is absolute; a path below the directory was expected")]
    Absolute(String),
    /// Two slashes follow each other, or it ends in one.
    #[error("{0:?} has an empty component")]
    EmptyComponent(String),
    /// It has `.` or `..` as a component.
    #[error("{0:?} has `.` or `..` as a component")]
    Dots(String),
    /// It has `.kpki` as a component.
    #[error("{0:?} goes into `.kpki`, which is kpki's own")]
    Reserved(String),
    /// It holds a control character.
    #[error("{0:?} holds a control character")]
    ControlCharacter(String),
    /// It, or one of its components, is longer than Linux takes.
    #[error("{0:?} is longer than Linux takes (255 bytes a name, 4095 in all)")]
    TooLong(String),
}

impl RelativePath {
    /// Checks a path.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute(text));
        }
        if text.chars().any(char::is_control) {
            return Err(PathError::ControlCharacter(text));
        }
        if text.len() > LONGEST_PATH || text.split('/').any(|name| name.len() > LONGEST_COMPONENT) {
            return Err(PathError::TooLong(text));
        }
        if text.split('/').any(str::is_empty) {
            return Err(PathError::EmptyComponent(text));
        }
        if text.split('/').any(|name| name == "." || name == "..") {
            return Err(PathError::Dots(text));
        }
        if text.split('/').any(|name| name == CONTROL_DIRECTORY) {
            return Err(PathError::Reserved(text));
        }
        Ok(Self(text))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory it is in (empty for the root itself) and its last component.
    pub(crate) fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for RelativePath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl From<RelativePath> for String {
    fn from(path: RelativePath) -> String {
        path.0
    }
}

/// A file's place: a root and a path below it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Which of the two directories.
    pub root: Root,
    /// Where below it.
    pub path: RelativePath,
}

impl Location {
    /// A place below the cluster's own directory.
    pub fn tree(path: impl Into<String>) -> Result<Self, PathError> {
        Ok(Self {
            root: Root::Tree,
            path: RelativePath::new(path)?,
        })
    }

    /// A place below the directory of CA certificates and keys.
    pub fn authorities(path: impl Into<String>) -> Result<Self, PathError> {
        Ok(Self {
            root: Root::Authorities,
            path: RelativePath::new(path)?,
        })
    }

    /// The name of the node whose tree it is in: `nodes/<name>/...`.
    pub fn node(&self) -> Option<&str> {
        let below = self.path.as_str().strip_prefix("nodes/")?;
        let (node, _) = below.split_once('/')?;
        (self.root == Root::Tree).then_some(node)
    }
}

#[cfg(test)]
mod tests {
    use super::{Location, PathError, RelativePath};

    #[test]
    fn takes_paths_that_stay_below() {
        for text in [
            "ca.crt",
            "nodes/a/pki/etcd/ca.crt",
            "..a",
            "a/.hidden",
            "users/ü.conf",
        ] {
            assert_eq!(RelativePath::new(text).expect(text).as_str(), text);
        }
    }

    #[test]
    fn refuses_every_way_out() {
        let refused = |text: &str| RelativePath::new(text).expect_err(text);
        assert_eq!(refused(""), PathError::Empty);
        assert!(matches!(refused("/etc/passwd"), PathError::Absolute(_)));
        assert!(matches!(refused("a/../b"), PathError::Dots(_)));
        assert!(matches!(refused(".."), PathError::Dots(_)));
        assert!(matches!(refused("./a"), PathError::Dots(_)));
        assert!(matches!(refused("a//b"), PathError::EmptyComponent(_)));
        assert!(matches!(refused("a/"), PathError::EmptyComponent(_)));
        assert!(matches!(refused(".kpki/journal"), PathError::Reserved(_)));
        assert!(matches!(refused("ca/.kpki/x"), PathError::Reserved(_)));
        assert!(matches!(refused("a\0b"), PathError::ControlCharacter(_)));
        assert!(matches!(refused(&"a".repeat(256)), PathError::TooLong(_)));
        assert!(matches!(refused(&"a/".repeat(2100)), PathError::TooLong(_)));
    }

    #[test]
    fn a_journal_is_checked_like_any_other_text() {
        let written = serde_json::to_string(&Location::authorities("ca.key").expect("a path"));
        let written = written.expect("plain data");
        assert_eq!(written, r#"{"root":"authorities","path":"ca.key"}"#);
        let forged = r#"{"root":"tree","path":"../../etc/shadow"}"#;
        assert!(serde_json::from_str::<Location>(forged).is_err());
    }

    #[test]
    fn splits_off_the_file_name() {
        let split = |text: &str| RelativePath::new(text).map(|path| path.split().0.to_owned());
        assert_eq!(split("a/b/c").as_deref(), Ok("a/b"));
        assert_eq!(split("c").as_deref(), Ok(""));
    }

    #[test]
    fn a_node_has_a_tree_of_its_own() {
        let node = |path: &str| Location::tree(path).unwrap().node().map(str::to_owned);
        assert_eq!(node("nodes/cp1/pki/ca.crt").as_deref(), Some("cp1"));
        assert_eq!(node("users/alice.conf"), None);
        assert_eq!(node("nodes/cp1"), None);
        assert_eq!(Location::authorities("nodes/cp1/x").unwrap().node(), None);
    }
}
