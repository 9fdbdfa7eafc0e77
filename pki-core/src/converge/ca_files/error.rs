//! Why a CA's files were not read or written.

use std::io;
use std::path::PathBuf;

use crate::converge::store::StoreError;
use crate::x509::{CertificateError, RevocationListError};

/// Why a CA's files were not read or written.
#[derive(Debug, thiserror::Error)]
pub enum CaFilesError {
    /// A name that the store does not write.
    #[error("{}: not a file name that kpki writes", .0.display())]
    Name(PathBuf),
    /// Another CA, or part of one, is there.
    #[error("{} is there already, and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The system does not let us have it.
    #[error("{}: {}", path.display(), words(source))]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate.
    #[error("{}: {source}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: CertificateError,
    },
    /// No register, though a file of that name is there.
    #[error("{}: a damaged register: {reason}", path.display())]
    Register {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The list was not signed.
    #[error(transparent)]
    List(#[from] RevocationListError),
    /// Nothing was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CaFilesError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name(_) => "name it with letters, digits, dots and dashes".into(),
            Self::Exists(_) => "move it away, or choose another place".into(),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => {
                    "name the certificate of a CA, or the directory that has its ca.crt".into()
                }
                io::ErrorKind::PermissionDenied => "run as the owner of it, or as root".into(),
                _ => return None,
            },
            Self::Certificate { .. } => "name the certificate of a CA as PEM".into(),
            Self::Register { .. } => {
                "bring a copy of it back: it alone tells what was revoked".into()
            }
            Self::List(RevocationListError::MayNotSign { .. }) => {
                "have the CA's certificate issued anew, with cRLSign".into()
            }
            Self::List(_) => return None,
            Self::Store(error) => return error.hint(),
        })
    }
}

/// The number of an error helps nobody who has the words.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}
