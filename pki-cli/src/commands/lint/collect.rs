//! Finding the certificates in files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use pki_core::cluster::Kubeconfig;
use pki_core::x509::Certificate;

use crate::files;
use crate::output::errors::Failure;

/// Every certificate found, and the files that should have some but are damaged.
#[derive(Default)]
pub struct Collection {
    pub all: Vec<Held>,
    pub damaged: Vec<Damaged>,
}

/// A certificate, and where it is.
pub struct Held {
    pub file: PathBuf,
    pub certificate: Certificate,
}

/// A file with a certificate that cannot be read.
pub struct Damaged {
    pub file: PathBuf,
    pub reason: String,
}

impl Collection {
    /// Each certificate once, however many copies there are.
    pub fn once_each(&self) -> impl Iterator<Item = &Held> {
        let mut seen = HashSet::new();
        self.all
            .iter()
            .filter(move |held| seen.insert(held.certificate.der()))
    }
}

/// Files that are named must hold certificates; in directories others are passed over.
pub fn collect(paths: &[PathBuf]) -> Result<Collection, Failure> {
    let collection = below(paths)?;
    if collection.all.is_empty() && collection.damaged.is_empty() {
        let names = paths.iter().map(|path| path.display());
        return Err(Failure::new(format_args!(
            "no certificate below {}",
            crate::output::words::list(names)
        ))
        .hint("name files with certificates, or the cluster's directory with --dir"));
    }
    Ok(collection)
}

/// The same, where there may be none.
pub fn below(paths: &[PathBuf]) -> Result<Collection, Failure> {
    let mut collection = Collection::default();
    for path in paths {
        if path.is_dir() {
            for file in files::below(path)? {
                // What others keep secret from us is no certificate.
                let Ok(bytes) = files::read(&file) else {
                    continue;
                };
                match certificates(&bytes) {
                    Ok(found) => collection.add(&file, found),
                    Err(Some(reason)) => collection.damaged.push(Damaged { file, reason }),
                    Err(None) => {}
                }
            }
        } else {
            let bytes = files::read(path)?;
            match certificates(&bytes) {
                Ok(found) => collection.add(path, found),
                Err(reason) => {
                    let reason = reason.as_deref().unwrap_or("no certificate in it");
                    return Err(
                        Failure::new(format_args!("{}: {reason}", path.display())).hint(
                            "name certificates (PEM or DER), kubeconfigs, or directories of them",
                        ),
                    );
                }
            }
        }
    }
    Ok(collection)
}

impl Collection {
    fn add(&mut self, file: &Path, found: Vec<Certificate>) {
        let held = |certificate| Held {
            file: file.to_owned(),
            certificate,
        };
        self.all.extend(found.into_iter().map(held));
    }
}

/// The certificates in a file; `Err(None)` where there is none to be expected.
fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, Option<String>> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return Certificate::from_pem_chain(bytes).map_err(|error| Some(error.to_string()));
    }
    if text.contains("client-certificate") || text.contains("certificate-authority") {
        let config =
            Kubeconfig::parse(text).map_err(|error| Some(format!("kubeconfig: {error}")))?;
        let chain = config.chain.embedded().into_iter().flatten();
        let trusts = config.trusts.embedded().into_iter().flatten();
        return Ok(chain.chain(trusts).cloned().collect());
    }
    if bytes.first() == Some(&0x30) {
        let der = Certificate::from_der(bytes).map_err(|error| Some(error.to_string()))?;
        return Ok(vec![der]);
    }
    Err(None)
}
