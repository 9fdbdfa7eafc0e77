//! What the store does to a disk, as words for errors and as names for fault injection.

use std::fmt;

/// One kind of effect on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Attempt {
    /// Opening something that exists.
    Open,
    /// Reading a file or listing a directory.
    Read,
    /// Taking the lock.
    Lock,
    /// Creating a file.
    Create,
    /// Creating a directory.
    MakeDirectory,
    /// Writing a file's contents.
    Write,
    /// Setting permission bits.
    SetMode,
    /// Making written data durable.
    Sync,
    /// Moving a file into place.
    Rename,
    /// Removing a file.
    Remove,
    /// Removing an empty directory.
    RemoveDirectory,
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Lock => "lock",
            Self::Create => "create",
            Self::MakeDirectory => "create the directory",
            Self::Write => "write",
            Self::SetMode => "set the mode of",
            Self::Sync => "sync",
            Self::Rename => "move into place",
            Self::Remove => "remove",
            Self::RemoveDirectory => "remove the directory",
        })
    }
}
