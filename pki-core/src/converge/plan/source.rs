//! Where an artifact kept in several places is taken from: its home, else the first copy that can be used.

use crate::cluster::blueprint::{Artifact, CertificateEntry, Part, Placement};
use crate::cluster::{Location, Root};
use crate::converge::inventory::{Found, FoundFile, Inventory};
use crate::x509::{AuthorityFile, Certificate, PrivateKey};

/// The certificates of an artifact as they are found, and where.
pub(in crate::converge) struct Certificates<'a> {
    /// All of the file: of an authority also its successors, see [`Self::authority`].
    pub chain: &'a [Certificate],
    pub at: &'a Location,
}

impl<'a> Certificates<'a> {
    /// What is in an authority's file.
    pub fn authority(&self) -> AuthorityFile<'a> {
        AuthorityFile::of(self.chain)
    }
}

/// The first placement of the artifact that holds certificates.
pub(in crate::converge) fn certificates<'a>(
    artifact: &'a Artifact,
    inventory: &'a Inventory,
) -> Option<Certificates<'a>> {
    files(artifact, inventory).find_map(|(placement, file)| {
        let chain = file.content.certificates()?;
        matches!(placement.part, Part::Certificate | Part::Whole).then_some(Certificates {
            chain,
            at: &placement.location,
        })
    })
}

/// What of an authority's certificates is kept at a place: all of them at home, so that what it issues can carry
/// along those above it; on a node, where the file says whom to trust, its own and those of its successors.
pub(in crate::converge) fn kept_at(
    location: &Location,
    certificates: &[Certificate],
) -> Vec<Certificate> {
    match location.root {
        Root::Authorities => certificates.to_vec(),
        Root::Tree => AuthorityFile::of(certificates).trusted().cloned().collect(),
    }
}

/// The first placement of the artifact that holds the key of `certificate`.
pub(in crate::converge) fn key_of<'a>(
    certificate: &Certificate,
    artifact: &'a Artifact,
    inventory: &'a Inventory,
) -> Option<&'a PrivateKey> {
    keys(artifact, inventory)
        .map(|(_, key)| key)
        .find(|key| *key.public_key() == certificate.public_key)
}

/// The key that a leaf can keep: its certificate's, or where there is no certificate the one that is there, if it is of the
/// wanted kind.
pub(in crate::converge) fn own_key<'a>(
    artifact: &'a Artifact,
    entry: &CertificateEntry,
    inventory: &'a Inventory,
) -> Option<&'a PrivateKey> {
    let key = match certificates(artifact, inventory) {
        Some(found) => key_of(&found.chain[0], artifact, inventory),
        None => keys(artifact, inventory).next().map(|(_, key)| key),
    };
    key.filter(|key| key.algorithm() == entry.request.key_algorithm)
}

/// Every key of the artifact, with its place.
pub(in crate::converge) fn keys<'a>(
    artifact: &'a Artifact,
    inventory: &'a Inventory,
) -> impl Iterator<Item = (&'a Location, &'a PrivateKey)> {
    files(artifact, inventory)
        .filter_map(|(placement, file)| Some((&placement.location, file.content.private_key()?)))
}

/// The first encryption configuration of the artifact that encrypts.
pub(in crate::converge) fn encryption<'a>(
    artifact: &'a Artifact,
    inventory: &'a Inventory,
) -> Option<(&'a Location, &'a str)> {
    files(artifact, inventory).find_map(|(placement, file)| match &file.content {
        Found::Encryption(text) => Some((&placement.location, text.as_str())),
        _ => None,
    })
}

/// The artifact's placements that exist, in order.
pub(in crate::converge) fn files<'a>(
    artifact: &'a Artifact,
    inventory: &'a Inventory,
) -> impl Iterator<Item = (&'a Placement, &'a FoundFile)> {
    artifact
        .placements
        .iter()
        .filter_map(|placement| Some((placement, inventory.at(&placement.location)?)))
}
