//! Where spec and profile do not fit together.

use super::{ArtifactId, Blueprint, Content};
use crate::cluster::profile::Profile;
use crate::cluster::spec::ClusterSpec;
use crate::x509::Lifetime;

/// A spec and a profile that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .facts.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct BlueprintError {
    /// Every reason; at least one.
    pub facts: Vec<BlueprintFact>,
}

/// One reason why a spec and a profile do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlueprintFact {
    /// `[certificate.ID]` or `[authority.ID]` in the spec for an identifier that the profile lacks.
    #[error("{kind}.{id}: the profile {profile:?} has no {kind} {id:?}")]
    Unknown {
        /// `certificate` or `authority`.
        kind: &'static str,
        /// The identifier.
        id: String,
        /// The profile's name.
        profile: String,
        /// The identifiers that it has.
        known: Vec<String>,
    },
    /// A certificate is to last longer than the authority that issues it.
    #[error(
        "the validity {lifetime} of {artifact} is longer than the {authority_lifetime} of its authority {authority}"
    )]
    OutlivesAuthority {
        /// The certificate.
        artifact: ArtifactId,
        /// How long it is to last.
        lifetime: Lifetime,
        /// Its issuer.
        authority: ArtifactId,
        /// How long that lasts.
        authority_lifetime: Lifetime,
    },
}

impl BlueprintFact {
    fn same_lifetimes(&self, other: &Self) -> bool {
        let lifetimes = |fact: &Self| match fact {
            Self::OutlivesAuthority {
                lifetime,
                authority_lifetime,
                ..
            } => Some((*lifetime, *authority_lifetime)),
            Self::Unknown { .. } => None,
        };
        lifetimes(self).is_some() && lifetimes(self) == lifetimes(other)
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { known, .. } => format!("it has {}", known.join(", ")),
            Self::OutlivesAuthority { .. } => {
                "shorten the validity or lengthen the ca-validity".into()
            }
        }
    }
}

/// Whether everything that the spec says of single artifacts is about artifacts of the profile.
pub(super) fn check(spec: &ClusterSpec, profile: &Profile) -> Result<(), BlueprintError> {
    let unknown = |kind, ids: Vec<&str>, known: Vec<&str>| -> Vec<BlueprintFact> {
        ids.into_iter()
            .filter(|id| !known.contains(id))
            .map(|id| BlueprintFact::Unknown {
                kind,
                id: id.to_owned(),
                profile: profile.name().to_owned(),
                known: known.iter().map(|id| (*id).to_owned()).collect(),
            })
            .collect()
    };
    let mut facts = unknown(
        "certificate",
        spec.certificate_overrides().map(|(id, _)| id).collect(),
        profile.certificate_ids().collect(),
    );
    facts.extend(unknown(
        "authority",
        spec.authority_overrides().map(|(id, _)| id).collect(),
        profile.authority_ids().collect(),
    ));
    if facts.is_empty() {
        Ok(())
    } else {
        Err(BlueprintError { facts })
    }
}

/// Whether every certificate ends before its authority (kubeadm only warns: kubernetes#126538).
pub(super) fn check_lifetimes(blueprint: &Blueprint) -> Result<(), BlueprintError> {
    let outlives = |artifact: &super::Artifact| {
        let leaf = artifact.content.leaf()?;
        let Content::Authority(authority) = &blueprint.artifact(&leaf.issuer)?.content else {
            return None;
        };
        let longer = !authority.imported && leaf.request.lifetime > authority.lifetime;
        longer.then(|| BlueprintFact::OutlivesAuthority {
            artifact: artifact.id.clone(),
            lifetime: leaf.request.lifetime,
            authority: leaf.issuer.clone(),
            authority_lifetime: authority.lifetime,
        })
    };
    let mut facts: Vec<BlueprintFact> = Vec::new();
    for fact in blueprint.artifacts().iter().filter_map(outlives) {
        // One wrong lifetime in the spec is one mistake, however many certificates it is for.
        if !facts.iter().any(|known| known.same_lifetimes(&fact)) {
            facts.push(fact);
        }
    }
    if facts.is_empty() {
        Ok(())
    } else {
        Err(BlueprintError { facts })
    }
}
