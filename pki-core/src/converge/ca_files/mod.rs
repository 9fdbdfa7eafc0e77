//! A CA in files of its own, with or without a cluster: `ca.crt`, `ca.key`, and beside them what it issued and
//! revoked (`ca.register.json`) and its revocation list (`ca.crl`).

mod error;
mod register;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use error::CaFilesError;
pub use register::{IssuedEntry, Register, RevokedEntry};

use super::store::{FileMode, Location, Store};
use crate::x509::{Authority, Certificate, Lifetime, RevocationList};
use time::OffsetDateTime;

/// Where the files of one CA are: a directory, and their names in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaFiles {
    dir: PathBuf,
    certificate: String,
    /// Their names up to the ending.
    stem: String,
}

impl CaFiles {
    /// The CA whose certificate is the file `path` (`corp.crt`), or `ca.crt` in the directory `path`. What ends in
    /// `.crt` or `.pem` is a file, whether it is there or not.
    ///
    /// # Errors
    /// When the name is not UTF-8.
    pub fn at(path: &Path) -> Result<Self, CaFilesError> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let named_so = matches!(ending, Some("crt" | "pem")) && !path.is_dir();
        if !named_so && !path.is_file() {
            return Ok(Self {
                dir: path.to_owned(),
                certificate: "ca.crt".into(),
                stem: "ca".into(),
            });
        }
        let text = |part: Option<&OsStr>| part.and_then(OsStr::to_str).map(str::to_owned);
        let names = text(path.file_name()).zip(text(path.file_stem()));
        let (certificate, stem) = names.ok_or_else(|| CaFilesError::Name(path.to_owned()))?;
        let dir = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Ok(Self {
            dir: dir.to_owned(),
            certificate,
            stem,
        })
    }

    /// As a person would name it from here.
    fn path(&self, name: &str) -> PathBuf {
        if self.dir == Path::new(".") {
            name.into()
        } else {
            self.dir.join(name)
        }
    }

    fn name(&self, ending: &str) -> String {
        format!("{}.{ending}", self.stem)
    }

    /// Its certificate; those above it follow in the same file.
    pub fn certificate(&self) -> PathBuf {
        self.path(&self.certificate)
    }

    /// Its private key, mode 0600, with or without a passphrase.
    pub fn key(&self) -> PathBuf {
        self.path(&self.name("key"))
    }

    /// What it issued and revoked.
    pub fn register(&self) -> PathBuf {
        self.path(&self.name("register.json"))
    }

    /// Its revocation list.
    pub fn list(&self) -> PathBuf {
        self.path(&self.name("crl"))
    }

    /// Its certificate, then those above it.
    ///
    /// # Errors
    /// When there is none, or none that can be read.
    pub fn read_chain(&self) -> Result<Vec<Certificate>, CaFilesError> {
        let path = self.certificate();
        let text = std::fs::read(&path).map_err(|source| CaFilesError::Io {
            path: path.clone(),
            source,
        })?;
        Certificate::from_pem_chain(&text)
            .map_err(|source| CaFilesError::Certificate { path, source })
    }

    /// What it issued and revoked; empty where nothing was written yet.
    ///
    /// # Errors
    /// When it is there but cannot be read: it is the only record, and never written over then.
    pub fn read_register(&self) -> Result<Register, CaFilesError> {
        let path = self.register();
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                Register::from_json(&text).map_err(|reason| CaFilesError::Register { path, reason })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Register::default()),
            Err(source) => Err(CaFilesError::Io { path, source }),
        }
    }

    /// Takes a new CA into place: certificate and key in one transaction, the key 0600 from birth.
    ///
    /// # Errors
    /// When one of the files is there already, or cannot be written; then nothing has changed.
    pub fn create(&self, chain: &[u8], key: Zeroizing<Vec<u8>>) -> Result<(), CaFilesError> {
        let mut store = self.open()?;
        self.prove_free()?;
        let mut transaction = store.transaction();
        transaction
            .group()
            .write(
                self.location(self.certificate.clone())?,
                chain.to_vec(),
                FileMode::PUBLIC,
            )
            .write(self.location(self.name("key"))?, key, FileMode::PRIVATE_KEY);
        transaction.commit()?;
        Ok(())
    }

    /// Proves that a new CA can have this place: none of its files is there yet. [`Self::create`] asks again.
    ///
    /// # Errors
    /// [`CaFilesError::Exists`].
    pub fn prove_free(&self) -> Result<(), CaFilesError> {
        let mut all = [self.certificate(), self.key(), self.register(), self.list()].into_iter();
        match all.find(|path| path.symlink_metadata().is_ok()) {
            Some(path) => Err(CaFilesError::Exists(path)),
            None => Ok(()),
        }
    }

    /// Changes the register, while nobody else can.
    ///
    /// # Errors
    /// Whatever `change` says, or when the register cannot be read or written; then nothing has changed.
    pub fn change_register<T, E: From<CaFilesError>>(
        &self,
        change: impl FnOnce(&mut Register) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut store = self.open()?;
        let mut register = self.read_register()?;
        let before = register.clone();
        let outcome = change(&mut register)?;
        if register != before {
            let mut transaction = store.transaction();
            transaction.write(
                self.location(self.name("register.json"))?,
                register.to_json().into_bytes(),
                FileMode::PUBLIC,
            );
            transaction.commit().map_err(CaFilesError::from)?;
        }
        Ok(outcome)
    }

    /// Signs the list of everything revoked, with the next number, and puts it beside the CA: list and number are
    /// written in one transaction, so that no number is ever used twice.
    ///
    /// # Errors
    /// When the list cannot be signed or written; then nothing has changed.
    pub fn write_list(
        &self,
        authority: &Authority,
        lifetime: Lifetime,
        now: OffsetDateTime,
    ) -> Result<RevocationList, CaFilesError> {
        let mut store = self.open()?;
        let mut register = self.read_register()?;
        register.list_number += 1;
        let list = authority.revocation_list(
            register.list_number,
            &register.revocations(),
            lifetime,
            now,
        )?;
        let mut transaction = store.transaction();
        transaction.write(
            self.location(self.name("register.json"))?,
            register.to_json().into_bytes(),
            FileMode::PUBLIC,
        );
        transaction.write(
            self.location(self.name("crl"))?,
            list.pem().into_bytes(),
            FileMode::PUBLIC,
        );
        transaction.commit()?;
        Ok(list)
    }

    /// The CA's directory, nobody else's for as long as this lives: not another run's, and not that of the cluster
    /// whose directory of CAs it may be.
    fn open(&self) -> Result<Store, CaFilesError> {
        Ok(Store::open(&self.dir, &self.dir)?)
    }

    fn location(&self, name: String) -> Result<Location, CaFilesError> {
        Location::tree(name).map_err(|_| CaFilesError::Name(self.certificate()))
    }
}

#[cfg(test)]
mod tests;
