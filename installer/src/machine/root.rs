//! Where a machine's root directory is: `/`, or in tests a directory that stands for it.

use std::path::{Path, PathBuf};

/// A machine's root directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// This machine.
    pub fn machine() -> Self {
        Self(PathBuf::from("/"))
    }

    /// A directory that stands for a machine's root: files, sysctls, modules' proofs and accounts are
    /// looked for in it, and nothing of the kernel is touched.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// Whether this is the machine itself, with its kernel.
    pub fn is_machine(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where an absolute path of the machine is.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }
}
