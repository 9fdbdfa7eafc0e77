//! The part of a cluster's blueprint that one node needs.

use pki_core::cluster::Root;
use pki_core::cluster::blueprint::{Artifact, Blueprint, Placement, TrustEdge};
use pki_core::cluster::spec::NodeName;

/// What one node needs of its cluster's PKI.
#[derive(Clone, Debug)]
pub struct NodeNeeds<'a> {
    node: &'a NodeName,
    blueprint: &'a Blueprint,
}

/// One file of a node's tree.
#[derive(Clone, Copy, Debug)]
pub struct NeededFile<'a> {
    /// What it is a file of.
    pub artifact: &'a Artifact,
    /// Which of its files, where, and with which mode.
    pub placement: &'a Placement,
}

impl<'a> NodeNeeds<'a> {
    /// What `node` needs.
    pub fn new(blueprint: &'a Blueprint, node: &'a NodeName) -> Self {
        Self { node, blueprint }
    }

    /// The files of its tree, those of one artifact after one another.
    pub fn files(&self) -> impl Iterator<Item = NeededFile<'a>> {
        let prefix = format!("nodes/{}/", self.node);
        let artifacts = self.blueprint.artifacts().iter();
        artifacts
            .flat_map(|artifact| {
                artifact.placements.iter().map(move |placement| NeededFile {
                    artifact,
                    placement,
                })
            })
            .filter(move |file| {
                let location = &file.placement.location;
                location.root == Root::Tree && location.path.as_str().starts_with(&prefix)
            })
    }

    /// Whether one end of a TLS relation is on this node.
    pub fn is_end_of(&self, edge: &TrustEdge) -> bool {
        [&edge.client_node, &edge.server_node]
            .into_iter()
            .flatten()
            .any(|node| node == self.node)
    }
}
