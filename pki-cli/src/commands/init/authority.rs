//! CAs that somebody brings: proven before anything is written, then kept byte for byte; but an encrypted
//! key without its passphrase, since the components of a cluster read no other.

use std::path::{Path, PathBuf};

use pki_core::cluster::blueprint::{ArtifactId, Part};
use pki_core::cluster::{FileMode, Location};
use pki_core::converge::inventory::Inventory;
use pki_core::x509::{Authority, AuthorityError, Certificate};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::arguments::{ImportedAuthority, Init};
use crate::authority::{refused, signer};
use crate::cluster::Cluster;
use crate::files::read;
use crate::output::errors::Failure;
use crate::passphrase;

/// A file to be kept in the CA directory.
pub struct ImportedFile {
    pub location: Location,
    pub mode: FileMode,
    pub contents: Zeroizing<Vec<u8>>,
    /// Where it came from.
    source: PathBuf,
}

/// Reads and proves each, and tells everything that is wrong at once.
pub fn load_all(
    arguments: &Init,
    cluster: &Cluster,
    now: OffsetDateTime,
) -> Result<Vec<ImportedFile>, Failure> {
    let (mut files, mut failures) = (Vec::new(), Vec::new());
    for authority in &arguments.authority {
        match load(
            authority,
            arguments.passphrase_file.as_deref(),
            cluster,
            now,
        ) {
            Ok(pair) => files.extend(pair),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() {
        Ok(files)
    } else {
        Err(Failure::all(failures))
    }
}

fn load(
    authority: &ImportedAuthority,
    passphrase_file: Option<&Path>,
    cluster: &Cluster,
    now: OffsetDateTime,
) -> Result<[ImportedFile; 2], Failure> {
    let certificate = read(&authority.certificate)?;
    let mut key = read(&authority.key)?;
    let at = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: {error}", path.display()))
    };
    let chain = Certificate::from_pem_chain(&certificate).map_err(|error| {
        at(&authority.certificate, &error)
            .hint("name the CA's certificate as PEM; those above it may follow it in the same file")
    })?;
    let opened = passphrase::open_key(&key, &authority.key, passphrase_file)?;
    let private = opened.key;
    if opened.was_encrypted {
        key = Zeroizing::new(private.secret_pem().as_bytes().to_vec());
    }
    Authority::load(chain, signer(&private)?, now).map_err(|error| {
        let path = match error {
            AuthorityError::KeyMismatch { .. } => &authority.key,
            _ => &authority.certificate,
        };
        refused(path, &error)
    })?;
    let home = |part: Part| {
        let artifact = cluster
            .blueprint
            .artifact(&ArtifactId::cluster(&authority.id));
        let placements = artifact.map_or(&[][..], |artifact| &artifact.placements);
        let placement = placements.iter().find(|placement| placement.part == part);
        placement
            .map(|placement| (placement.location.clone(), placement.mode))
            .expect("the blueprint has every authority that the spec names")
    };
    let file = |part: Part, contents: Zeroizing<Vec<u8>>, source: &Path| {
        let (location, mode) = home(part);
        ImportedFile {
            location,
            mode,
            contents,
            source: source.to_owned(),
        }
    };
    Ok([
        file(Part::Certificate, certificate, &authority.certificate),
        file(Part::PrivateKey, key, &authority.key),
    ])
}

/// Lets the plan see what is to be imported, unless something else is there already.
pub fn announce(
    files: &[ImportedFile],
    inventory: &mut Inventory,
    cluster: &Cluster,
) -> Result<(), Failure> {
    for file in files {
        if inventory.at(&file.location).is_some() {
            same(file, cluster)?;
        }
        inventory.add(file.location.clone(), file.mode, &file.contents);
    }
    Ok(())
}

/// Whether the CA directory has the very file.
pub fn same(file: &ImportedFile, cluster: &Cluster) -> Result<(), Failure> {
    let path = cluster.path(&file.location);
    if *read(&path)? == *file.contents {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "{} is there already and differs from {}",
        path.display(),
        file.source.display()
    ))
    .hint("nothing is overwritten: take --authority away, or move the file away"))
}
