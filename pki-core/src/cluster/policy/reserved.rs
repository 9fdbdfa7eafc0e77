//! What the cluster's own certificates have, and nobody else gets by a pattern: names, groups, servers' names.

use super::Ground;
use crate::cluster::blueprint::{Artifact, CertificateEntry, Owner};
use crate::x509::{DnsName, SubjectAltName, Usage};

impl Ground<'_> {
    /// The artifact whose certificate has this common name.
    pub fn owner_of(&self, name: &str) -> Option<String> {
        let same = |text: &str| text.eq_ignore_ascii_case(name);
        let mut leaves = leaves(self);
        let owner = leaves.find(|(_, leaf)| leaf.request.subject.common_name().is_some_and(same));
        owner.map(|(artifact, _)| artifact.id.to_string())
    }
}

/// The artifact of the cluster itself whose certificate is in this group.
pub(super) fn owner_of_group(ground: &Ground<'_>, group: &str) -> Option<String> {
    let same = |text: &str| text.eq_ignore_ascii_case(group);
    let mut own =
        leaves(ground).filter(|(artifact, _)| !matches!(artifact.id.owner, Owner::User(_)));
    own.find(|(_, leaf)| leaf.request.subject.organizations().any(same))
        .map(|(artifact, _)| artifact.id.to_string())
}

/// The artifact whose server answers to this name or address, or to one that this wildcard covers.
pub(super) fn owner_of_server(ground: &Ground<'_>, name: &SubjectAltName) -> Option<String> {
    let mut servers =
        leaves(ground).filter(|(_, leaf)| leaf.request.usages.contains(&Usage::Server));
    servers
        .find(|(_, leaf)| leaf.request.sans.iter().any(|own| overlap(own, name)))
        .map(|(artifact, _)| artifact.id.to_string())
}

fn overlap(own: &SubjectAltName, name: &SubjectAltName) -> bool {
    match (own, name) {
        (SubjectAltName::Dns(own), SubjectAltName::Dns(name)) => {
            own == name || covers(own, name) || covers(name, own)
        }
        (own, name) => own == name,
    }
}

/// Whether `wildcard` is one and stands for `name` too: for exactly one label (RFC 6125 section 6.4.3).
fn covers(wildcard: &DnsName, name: &DnsName) -> bool {
    let parent = wildcard.as_str().strip_prefix("*.");
    parent.is_some_and(|parent| {
        name.as_str()
            .split_once('.')
            .is_some_and(|(_, rest)| rest == parent)
    })
}

fn leaves<'a>(ground: &Ground<'a>) -> impl Iterator<Item = (&'a Artifact, &'a CertificateEntry)> {
    let artifacts = ground.blueprint.artifacts().iter();
    artifacts.filter_map(|artifact| Some((artifact, artifact.content.leaf()?)))
}
