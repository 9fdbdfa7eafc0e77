//! Where an artifact kept in several places is taken from: its home, else the first copy that can be used.

use crate::cluster::blueprint::{Artifact, CertificateEntry, Part, Placement};
use crate::cluster::{Location, Root};
use crate::converge::inventory::{Found, FoundFile, Inventory};
use crate::x509::{Certificate, PrivateKey};

/// The certificates of an artifact as they are found, and where.
pub(in crate::converge) struct Certificates<'a> {
    pub chain: &'a [Certificate],
    pub at: &'a Location,
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

/// What of an authority's chain is kept at a place: all of it at home, so that what it issues can carry
/// it along; on a node, where the file says whom to trust, its own certificate alone.
pub(in crate::converge) fn kept_at<'a>(
    location: &Location,
    chain: &'a [Certificate],
) -> &'a [Certificate] {
    match location.root {
        Root::Authorities => chain,
        Root::Tree => &chain[..chain.len().min(1)],
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
