//! Where keys wait for their certificates.

use crate::cluster::Location;
use crate::cluster::blueprint::{Artifact, ArtifactId, CertificateEntry, Owner};
use crate::converge::inventory::Inventory;
use crate::x509::PrivateKey;

/// Below the cluster's directory, outside of the trees of nodes and people.
pub const FOLDER: &str = "pending/";

/// The name of an artifact as a file's, without its ending. The first word keeps those of nodes, of people and of the
/// cluster apart; an identifier has no dot.
pub fn name(id: &ArtifactId) -> String {
    match &id.owner {
        Owner::Cluster => format!("cluster.{}", id.name),
        Owner::Node(node) => format!("node.{node}.{}", id.name),
        Owner::User(user) => format!("user.{user}"),
    }
}

/// Where the key of an artifact waits.
pub fn at(id: &ArtifactId) -> Location {
    Location::tree(format!("{FOLDER}{}.key", name(id)))
        .expect("names of nodes, users and artifacts are file names")
}

/// The key that waits there, if it is of the wanted kind.
pub fn key<'a>(
    artifact: &Artifact,
    entry: &CertificateEntry,
    inventory: &'a Inventory,
) -> Option<&'a PrivateKey> {
    let key = inventory.at(&at(&artifact.id))?.content.private_key()?;
    (key.algorithm() == entry.request.key_algorithm).then_some(key)
}
