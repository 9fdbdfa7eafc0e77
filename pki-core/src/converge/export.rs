//! What can be handed out of a cluster: a certificate with its key and what is above it, or the CAs to trust.

use super::inventory::Inventory;
use super::plan::source;
use crate::cluster::blueprint::{Artifact, Blueprint, Content};
use crate::x509::{AuthorityFile, Certificate, PrivateKey};

/// A certificate, what belongs to it and whom to trust for it.
pub struct Material<'a> {
    /// The certificate first, then those between it and a root.
    pub chain: Vec<Certificate>,
    /// Its key, where it is there.
    pub key: Option<&'a PrivateKey>,
    /// The CA it is trusted by, and those that follow that; the certificate itself, where that is a CA.
    pub anchors: Vec<Certificate>,
}

/// Why something cannot be handed out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// No artifact is called so.
    #[error("the cluster has no {id}")]
    Unknown {
        /// What was asked for.
        id: String,
        /// Those that could be.
        known: Vec<String>,
    },
    /// It is no certificate.
    #[error("{id} is a {kind}, without a certificate")]
    NoCertificate {
        /// Which.
        id: String,
        /// What it is.
        kind: &'static str,
    },
    /// It is wanted, but not on the disk.
    #[error("the certificate of {id} is not there")]
    Missing {
        /// Which.
        id: String,
    },
}

impl ExportError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { known, .. } => format!("there are {}", known.join(", ")),
            Self::NoCertificate { .. } => "name an authority, a certificate or a kubeconfig".into(),
            Self::Missing { .. } => "kpki plan tells what is missing, kpki apply makes it".into(),
        }
    }
}

/// What there is of the artifact called `id`.
///
/// # Errors
/// [`ExportError`].
pub fn material<'a>(
    id: &str,
    blueprint: &'a Blueprint,
    inventory: &'a Inventory,
) -> Result<Material<'a>, ExportError> {
    let artifact = find(id, blueprint)?;
    let chain = chain(artifact, inventory)?;
    let leaf = artifact.content.leaf();
    let anchors = match leaf.and_then(|leaf| blueprint.artifact(&leaf.issuer)) {
        Some(issuer) => trusted(&self::chain(issuer, inventory)?),
        None if matches!(artifact.content, Content::Authority(_)) => trusted(&chain),
        None => chain[..1].to_vec(),
    };
    Ok(Material {
        key: source::key_of(&chain[0], artifact, inventory),
        chain,
        anchors,
    })
}

/// The certificates of the authorities called so, or of all of the cluster, with those of their successors.
///
/// # Errors
/// [`ExportError`]; of all, those that are not there are left out.
pub fn authorities(
    ids: &[String],
    blueprint: &Blueprint,
    inventory: &Inventory,
) -> Result<Vec<Certificate>, ExportError> {
    if ids.is_empty() {
        let all = blueprint.artifacts().iter();
        let authorities = all.filter(|artifact| matches!(artifact.content, Content::Authority(_)));
        return Ok(authorities
            .filter_map(|artifact| source::certificates(artifact, inventory))
            .flat_map(|found| trusted(found.chain))
            .collect());
    }
    let mut found = Vec::new();
    for id in ids {
        let artifact = find(id, blueprint)?;
        let all = chain(artifact, inventory)?;
        match artifact.content {
            Content::Authority(_) => found.extend(trusted(&all)),
            _ => found.extend(all.into_iter().take(1)),
        }
    }
    Ok(found)
}

/// Whom to trust, by an authority's file: it and its successors.
fn trusted(certificates: &[Certificate]) -> Vec<Certificate> {
    let trusted = AuthorityFile::of(certificates).trusted();
    trusted.cloned().collect()
}

fn find<'a>(id: &str, blueprint: &'a Blueprint) -> Result<&'a Artifact, ExportError> {
    let mut artifacts = blueprint.artifacts().iter();
    artifacts
        .find(|artifact| artifact.id.to_string() == id)
        .ok_or_else(|| ExportError::Unknown {
            id: id.to_owned(),
            known: blueprint
                .artifacts()
                .iter()
                .filter(|artifact| {
                    artifact.content.leaf().is_some()
                        || matches!(artifact.content, Content::Authority(_))
                })
                .map(|artifact| artifact.id.to_string())
                .collect(),
        })
}

fn chain(artifact: &Artifact, inventory: &Inventory) -> Result<Vec<Certificate>, ExportError> {
    let id = artifact.id.to_string();
    match &artifact.content {
        Content::Authority(_)
        | Content::Certificate(_)
        | Content::Kubeconfig(_)
        | Content::TrustBundle(_) => {
            let found = source::certificates(artifact, inventory).map(|found| found.chain.to_vec());
            found
                .filter(|chain| !chain.is_empty())
                .ok_or(ExportError::Missing { id })
        }
        Content::ServiceAccount(_) | Content::Encryption => Err(ExportError::NoCertificate {
            id,
            kind: artifact.content.kind(),
        }),
    }
}
