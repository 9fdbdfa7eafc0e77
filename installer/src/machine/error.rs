//! Why a machine was not read or changed.

use std::io;
use std::path::{Path, PathBuf};

use super::effect::EffectError;
use super::ledger::LedgerError;
use super::program::ProgramError;

/// Why a machine was not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file.
    #[error("{}: {doing}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What was tried, as `cannot be written`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A program of the machine.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A service, an image, or something of the kernel.
    #[error(transparent)]
    Effect(#[from] EffectError),
    /// There is something in the way that kinstall did not make.
    #[error("{} in the way that kinstall did not make", things(*.0))]
    Obstacles(usize),
}

fn things(count: usize) -> String {
    match count {
        1 => "there is one thing".to_owned(),
        count => format!("there are {count} things"),
    }
}

impl HostError {
    pub(crate) fn io(path: &Path, doing: &'static str, source: impl Into<io::Error>) -> Self {
        Self::Io {
            path: path.to_owned(),
            doing,
            source: source.into(),
        }
    }

    /// What would mend it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Ledger(error) => Some(error.hint()),
            Self::Io { source, .. } => io_hint(source).map(str::to_owned),
            Self::Program(error) => error.hint(),
            Self::Effect(error) => error.hint.clone(),
            Self::Obstacles(_) => Some("take them away, then run again".to_owned()),
        }
    }
}

/// What would mend a refusal of the system.
pub(crate) fn io_hint(source: &io::Error) -> Option<&'static str> {
    use io::ErrorKind;
    match source.kind() {
        ErrorKind::PermissionDenied => Some("run as root"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("make room on that file system, then run again")
        }
        ErrorKind::ReadOnlyFilesystem => Some("mount that file system for writing, then run again"),
        _ => None,
    }
}
