//! The trust store of the machine: which one it is, and CAs put into it or taken out by its own program.
//!
//! A certificate that we put there is called after its own fingerprint. So installing twice is installing once, and
//! what has another name, or other content than its name says, was not put there by us and is never removed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::outputs::{Outputs, OutputsError};
use crate::cluster::FileMode;
use crate::x509::Certificate;

/// A folder for CAs of one's own, and the program that makes it count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustStore {
    /// Where CA certificates go, one a file.
    pub folder: PathBuf,
    /// The program.
    pub program: &'static str,
    after_install: &'static [&'static str],
    after_removal: &'static [&'static str],
}

/// The stores there are, the more particular folders first: each with the manual page that says so.
const STORES: [(&str, &str, &[&str], &[&str]); 4] = [
    // update-ca-trust(8) of Red Hat and Fedora.
    (
        "/etc/pki/ca-trust/source/anchors",
        "update-ca-trust",
        &["extract"],
        &["extract"],
    ),
    // update-ca-trust(8) of Arch, a script around trust(1).
    (
        "/etc/ca-certificates/trust-source/anchors",
        "update-ca-trust",
        &[],
        &[],
    ),
    // update-ca-certificates(8) of SUSE.
    ("/etc/pki/trust/anchors", "update-ca-certificates", &[], &[]),
    // update-ca-certificates(8) of Debian: only --fresh takes away the links to what is gone.
    (
        "/usr/local/share/ca-certificates",
        "update-ca-certificates",
        &[],
        &["--fresh"],
    ),
];

/// Why the trust store is as it was.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// None of the folders is there.
    #[error("this machine has no trust store that is known here")]
    NoStore,
    /// A leaf, or a CA that may not sign.
    #[error("{0} is no CA's certificate")]
    NotAuthority(String),
    /// The files could not be written.
    #[error(transparent)]
    Write(#[from] OutputsError),
    /// The folder could not be read or changed.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The program of the store is missing or failed; what was put there was taken out again.
    #[error("{program}: {reason}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        reason: String,
    },
}

impl TrustError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoStore => Some("install the package ca-certificates"),
            Self::NotAuthority(_) => {
                Some("name a CA's certificate: a leaf is trusted through its CA")
            }
            Self::Write(error) => error.hint(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("run as root")
            }
            Self::Io { .. } => None,
            Self::Program { .. } => Some("run it by hand to see more"),
        }
    }
}

impl TrustStore {
    /// The one of this machine.
    ///
    /// # Errors
    /// [`TrustError::NoStore`].
    pub fn detect() -> Result<Self, TrustError> {
        let found = STORES
            .iter()
            .find(|(folder, ..)| Path::new(folder).is_dir());
        let (folder, program, after_install, after_removal) = found.ok_or(TrustError::NoStore)?;
        Ok(Self {
            folder: folder.into(),
            program,
            after_install,
            after_removal,
        })
    }

    /// The file of a certificate.
    pub fn file(&self, certificate: &Certificate) -> PathBuf {
        self.folder.join(file_name(certificate))
    }

    /// Those of `certificates` that are not installed.
    ///
    /// # Errors
    /// When one of them is no CA's.
    pub fn missing<'a>(
        &self,
        certificates: &'a [Certificate],
    ) -> Result<Vec<&'a Certificate>, TrustError> {
        if let Some(leaf) = certificates.iter().find(|certificate| !certificate.is_ca) {
            return Err(TrustError::NotAuthority(leaf.subject.to_string()));
        }
        let there = |certificate: &&Certificate| !is_ours(&self.file(certificate));
        Ok(certificates.iter().filter(there).collect())
    }

    /// The files that kpki put there.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn installed(&self) -> Result<Vec<PathBuf>, TrustError> {
        let failed = |source| TrustError::Io {
            path: self.folder.clone(),
            source,
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if is_ours(&path) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// Puts certificates there and makes them count. Where that fails, they are taken out again.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn install(&self, certificates: &[&Certificate]) -> Result<(), TrustError> {
        let mut outputs = Outputs::default();
        for certificate in certificates {
            let text = certificate.pem().into_bytes();
            outputs.create(self.file(certificate), text, FileMode::PUBLIC);
        }
        outputs.commit()?;
        self.run(self.after_install).inspect_err(|_| {
            for certificate in certificates {
                let _ = fs::remove_file(self.file(certificate));
            }
        })
    }

    /// Takes files of [`Self::installed`] out and makes that count.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn remove(&self, files: &[PathBuf]) -> Result<(), TrustError> {
        for path in files.iter().filter(|path| is_ours(path)) {
            fs::remove_file(path).map_err(|source| TrustError::Io {
                path: path.clone(),
                source,
            })?;
        }
        self.run(self.after_removal)
    }

    fn run(&self, arguments: &[&str]) -> Result<(), TrustError> {
        let program = self.program;
        let failed = |reason: String| TrustError::Program { program, reason };
        let output = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said
            .trim()
            .lines()
            .next_back()
            .unwrap_or_default()
            .to_owned();
        Err(failed(format!("{} {last}", output.status)))
    }
}

/// Debian takes `.crt` only.
fn file_name(certificate: &Certificate) -> String {
    format!("kpki-{}.crt", certificate.fingerprint())
}

/// Whether a file is a certificate under the name that we would give it.
fn is_ours(path: &Path) -> bool {
    let Ok(bytes) = fs::read(path) else {
        return false;
    };
    let Ok(chain) = Certificate::from_pem_chain(&bytes) else {
        return false;
    };
    matches!(&chain[..], [one] if path.file_name() == Some(OsStr::new(&file_name(one))))
}
