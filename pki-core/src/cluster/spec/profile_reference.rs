//! Which profile a spec asks for.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::Fact;

/// A shipped profile by its name, or a user's own by its path. A text with a `/` or with the
/// ending `.toml` is a path, as a shell tells a command from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileReference {
    /// One of [`ProfileReference::SHIPPED`].
    Shipped(&'static str),
    /// A file; a relative path is meant from the directory of the spec.
    File(PathBuf),
}

impl ProfileReference {
    /// The profiles in `profiles/`, the default first.
    pub const SHIPPED: [&'static str; 4] = ["kubeadm", "hardened", "external-etcd", "makecerts"];

    /// Whether etcd surely runs on nodes of this cluster, so that a node must have the role. A
    /// user's own profile may do without, which only the profile stage can tell.
    pub fn needs_etcd(&self) -> bool {
        match self {
            Self::Shipped(name) => *name != "external-etcd",
            Self::File(_) => false,
        }
    }

    /// The path of a user's own profile.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Shipped(_) => None,
            Self::File(path) => Some(path),
        }
    }
}

impl Default for ProfileReference {
    fn default() -> Self {
        Self::Shipped(Self::SHIPPED[0])
    }
}

impl fmt::Display for ProfileReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped(name) => f.pad(name),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl FromStr for ProfileReference {
    type Err = Fact;

    fn from_str(text: &str) -> Result<Self, Fact> {
        if text.chars().any(char::is_control) {
            return Err(Fact::ControlCharacter);
        }
        if text.contains('/') || text.ends_with(".toml") {
            return Ok(Self::File(text.into()));
        }
        Self::SHIPPED
            .into_iter()
            .find(|name| *name == text)
            .map(Self::Shipped)
            .ok_or(Fact::UnknownProfile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths() {
        for name in ProfileReference::SHIPPED {
            assert_eq!(name.parse(), Ok(ProfileReference::Shipped(name)));
        }
        for path in ["./mine", "mine.toml", "/etc/kpki/profile"] {
            assert_eq!(path.parse(), Ok(ProfileReference::File(path.into())));
        }
        for unknown in ["", "kubeadmn", "Kubeadm"] {
            assert_eq!(
                unknown.parse::<ProfileReference>(),
                Err(Fact::UnknownProfile)
            );
        }
    }

    #[test]
    fn only_an_external_etcd_needs_no_etcd_node() {
        assert!(ProfileReference::default().needs_etcd());
        assert!(!ProfileReference::Shipped("external-etcd").needs_etcd());
    }
}
