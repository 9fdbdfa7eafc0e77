//! The CA that a command is about: `--ca DIR|FILE`, or the one of the cluster in ./kubernetes.

use std::path::{Path, PathBuf};

use pki_core::converge::ca_files::{CaFiles, CaFilesError};
use pki_core::x509::{
    Authority, AuthorityError, AuthorityFile, KeyAlgorithm, Lifetime, LocalSigner, PrivateKey,
};
use time::OffsetDateTime;

use crate::arguments::Tree;
use crate::cluster::{Cluster, SPEC};
use crate::files::read;
use crate::output::errors::Failure;
use crate::passphrase;

/// Where the CA's files are.
pub fn files(ca: Option<&Path>) -> Result<CaFiles, Failure> {
    let path = match ca {
        Some(path) => path.to_owned(),
        None => of_the_cluster()?,
    };
    Ok(CaFiles::at(&path)?)
}

/// Where the cluster's CA is.
fn of_the_cluster() -> Result<PathBuf, Failure> {
    let dir = PathBuf::from("kubernetes");
    if !dir.join(SPEC).exists() {
        return Err(
            Failure::new("no CA is named, and there is no cluster in kubernetes")
                .hint("--ca DIR|FILE, or make one: kpki ca new NAME"),
        );
    }
    let cluster = Cluster::open(&Tree { dir, ca_dir: None })?;
    Ok(cluster.authorities.join("ca.crt"))
}

/// The CA in `files`, proven able to sign.
pub fn load(
    files: &CaFiles,
    passphrase_file: Option<&Path>,
    now: OffsetDateTime,
) -> Result<Authority, Failure> {
    let chain = files.read_chain()?;
    let path = files.key();
    let opened = passphrase::open_key(&read(&path)?, &path, passphrase_file)?;
    let signer = signer(&opened.key)?;
    let own = AuthorityFile::of(&chain).chain().to_vec();
    Authority::load(own, signer, now).map_err(|error| {
        let at = match error {
            AuthorityError::KeyMismatch { .. } => path,
            _ => files.certificate(),
        };
        refused(&at, &error)
    })
}

pub fn signer(key: &PrivateKey) -> Result<LocalSigner, Failure> {
    LocalSigner::new(key).map_err(Failure::new)
}

/// Why the CA at `path` is none, and what to do about it.
pub fn refused(path: &Path, error: &AuthorityError) -> Failure {
    let hint = match error {
        AuthorityError::Empty => "name a file with a certificate",
        AuthorityError::NotAuthority { .. } => {
            "name the certificate of a CA, not one that it issued"
        }
        AuthorityError::MayNotSign { .. } => {
            "name the certificate of a CA that may sign, or have this one issued anew"
        }
        AuthorityError::KeyMismatch { .. } => {
            "name the key that the certificate was made for; nothing was written"
        }
        AuthorityError::Expired { .. } => "get a new certificate for the CA from whoever issued it",
        AuthorityError::NotYetValid { .. } => "look at this host's clock",
        AuthorityError::BrokenChain { .. } => {
            "put the CA's certificate first, and after each one that of its issuer"
        }
    };
    Failure::new(format_args!("{}: {error}", path.display())).hint(hint)
}

/// A length of time as a flag gives it.
pub fn lifetime(flag: &str, text: &str) -> Result<Lifetime, Failure> {
    text.parse().map_err(|error| {
        Failure::new(format_args!("{flag} {text}: {error}"))
            .hint("write a number and a unit, such as 8h, 90d or 1y")
    })
}

/// A kind of key as a flag gives it.
pub fn key_algorithm(text: &str) -> Result<KeyAlgorithm, Failure> {
    text.parse().map_err(|error| {
        let all: Vec<_> = KeyAlgorithm::ALL.iter().map(ToString::to_string).collect();
        Failure::new(format_args!("--key-algorithm: {error}"))
            .hint(format_args!("choose one of {}", all.join(", ")))
    })
}

impl From<CaFilesError> for Failure {
    fn from(error: CaFilesError) -> Self {
        Self::new(&error).maybe_hint(error.hint())
    }
}
