//! The permission bits a file is born with.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Permission bits of a file: what `chmod` takes, never more than `0777`.
///
/// Set-user-ID, set-group-ID and sticky bits have no place on a certificate or a key, so they cannot
/// be expressed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct FileMode(u16);

impl FileMode {
    /// `0600`: a private key, readable by its owner alone.
    pub const PRIVATE_KEY: Self = Self(0o600);
    /// `0600`: anything else that must not leak, such as a kubeconfig with an embedded key.
    pub const SECRET: Self = Self(0o600);
    /// `0644`: certificates and other public files.
    pub const PUBLIC: Self = Self(0o644);

    /// The mode with these bits, or nothing when a bit beyond `0777` is set.
    pub const fn new(bits: u16) -> Option<Self> {
        if bits & !0o777 == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The permission bits as a number.
    pub const fn bits(self) -> u16 {
        self.0
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04o}", self.0)
    }
}

impl TryFrom<u16> for FileMode {
    type Error = String;

    fn try_from(bits: u16) -> Result<Self, Self::Error> {
        Self::new(bits).ok_or_else(|| format!("{bits:o} is not a file mode of at most 0777"))
    }
}

impl From<FileMode> for u16 {
    fn from(mode: FileMode) -> u16 {
        mode.0
    }
}

#[cfg(test)]
mod tests {
    use super::FileMode;

    #[test]
    fn reads_as_chmod_writes_it() {
        assert_eq!(FileMode::PRIVATE_KEY.to_string(), "0600");
        assert_eq!(FileMode::PUBLIC.to_string(), "0644");
        assert_eq!(
            FileMode::new(0).expect("zero is a mode").to_string(),
            "0000"
        );
    }

    #[test]
    fn has_no_room_for_set_user_id() {
        assert_eq!(FileMode::new(0o4755), None);
        assert_eq!(FileMode::new(0o777).map(FileMode::bits), Some(0o777));
        assert!(serde_json::from_str::<FileMode>("2541").is_err());
    }
}
