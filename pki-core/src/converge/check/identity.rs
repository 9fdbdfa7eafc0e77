//! Who a checker is to servers that ask: a certificate and its key from files.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::content::key_file;
use crate::cluster::{Kubeconfig, KubeconfigError};
use crate::converge::problem::Problem;
use crate::x509::{
    Certificate, CertificateError, Identity, IdentityError, PrivateKey, PrivateKeyError,
};

/// Why a file gives no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityFileError {
    /// It cannot be read.
    #[error("{}", Problem::io(path, source).fact)]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a kubeconfig that makes no sense.
    #[error("{}: {source}", path.display())]
    Kubeconfig {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: KubeconfigError,
    },
    /// Its certificate cannot be read.
    #[error("{}: {source}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: CertificateError,
    },
    /// Its key cannot be read.
    #[error("{}: {source}", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: PrivateKeyError,
    },
    /// They make no identity.
    #[error("{}: {source}", path.display())]
    Identity {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: IdentityError,
    },
}

impl IdentityFileError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        "name a kubeconfig, a PEM file with certificate and key, or a certificate whose key is beside it"
    }
}

/// The identity in a kubeconfig, in a file with certificate and key, or in a certificate whose key is beside it:
/// `x.crt` and `x.key`, `x.pem` and `x-key.pem`.
///
/// # Errors
/// [`IdentityFileError`].
pub fn identity_of_file(path: &Path) -> Result<Identity, IdentityFileError> {
    let bytes = read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    if !text.contains("-----BEGIN ") {
        return of_kubeconfig(path, &text);
    }
    let chain = chain(path, &bytes)?;
    if text.contains("PRIVATE KEY-----") {
        return together(path, chain, path, &bytes);
    }
    let key = key_file(path).unwrap_or_else(|| path.to_owned());
    let bytes = read(&key)?;
    together(path, chain, &key, &bytes)
}

fn of_kubeconfig(path: &Path, text: &str) -> Result<Identity, IdentityFileError> {
    let config = Kubeconfig::parse(text).map_err(|source| IdentityFileError::Kubeconfig {
        path: path.to_owned(),
        source,
    })?;
    let base = path.parent().unwrap_or(Path::new(""));
    use crate::cluster::Material::{Absent, Embedded, Path as Elsewhere};
    let (chain_at, chain) = match config.chain {
        Embedded(chain) => (path.to_owned(), chain),
        Elsewhere(other) => {
            let other = base.join(other);
            let found = chain(&other, &read(&other)?)?;
            (other, found)
        }
        Absent => (path.to_owned(), Vec::new()),
    };
    match config.key {
        Embedded(key) => identity(&chain_at, chain, &key),
        Elsewhere(other) => {
            let other = base.join(other);
            let bytes = read(&other)?;
            together(&chain_at, chain, &other, &bytes)
        }
        Absent => Err(IdentityFileError::Identity {
            path: path.to_owned(),
            source: IdentityError::Empty,
        }),
    }
}

fn chain(path: &Path, bytes: &[u8]) -> Result<Vec<Certificate>, IdentityFileError> {
    Certificate::from_pem_chain(bytes).map_err(|source| IdentityFileError::Certificate {
        path: path.to_owned(),
        source,
    })
}

fn together(
    path: &Path,
    chain: Vec<Certificate>,
    key_path: &Path,
    key: &[u8],
) -> Result<Identity, IdentityFileError> {
    let key = PrivateKey::from_pem(key).map_err(|source| IdentityFileError::Key {
        path: key_path.to_owned(),
        source,
    })?;
    identity(path, chain, &key)
}

fn identity(
    path: &Path,
    chain: Vec<Certificate>,
    key: &PrivateKey,
) -> Result<Identity, IdentityFileError> {
    Identity::new(chain, key).map_err(|source| IdentityFileError::Identity {
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, IdentityFileError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(source) => Err(IdentityFileError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}
