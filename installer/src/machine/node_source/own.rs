//! What of a cluster's PKI is one machine's business.
//!
//! Where the directory of CA certificates is, all of it is. A machine that was given its own tree and nothing else is asked
//! for nothing else: a control-plane node of the profile `kubeadm` has the CAs' keys in its tree, and would otherwise issue
//! other certificates for every other node than those that they have.

use std::borrow::Cow;

use pki_core::cluster::Root;
use pki_core::cluster::blueprint::{ArtifactId, Blueprint};
use pki_core::cluster::spec::NodeName;
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::{Action, Plan, Step};

/// The part of `blueprint` that the machine of `node` has to have.
pub(crate) fn blueprint<'a>(
    blueprint: &'a Blueprint,
    inventory: &Inventory,
    node: &NodeName,
) -> Cow<'a, Blueprint> {
    if has_authorities(inventory) {
        Cow::Borrowed(blueprint)
    } else {
        Cow::Owned(blueprint.of_node(node))
    }
}

/// Which artifacts of a plan can be mended here. Where the directory of CA certificates is, all or none. Elsewhere, what is
/// this node's alone, and files of others' that only have to be written again: one node makes no authority, no key of
/// service accounts, and no certificate that it shares with another.
pub(super) fn mendable(plan: &Plan<'_>, inventory: &Inventory, node: &NodeName) -> Vec<ArtifactId> {
    let is_whole = has_authorities(inventory);
    if is_whole && plan.obstacles().next().is_some() {
        return Vec::new();
    }
    let can = |step: &&Step| {
        let makes_nothing = matches!(step.action, Action::Rewrite | Action::Protect);
        let is_own = step.artifact.on_node() == Some(node);
        step.obstacle.is_none() && (is_whole || is_own || makes_nothing)
    };
    let steps = plan.steps().iter();
    steps
        .filter(can)
        .map(|step| step.artifact.clone())
        .collect()
}

fn has_authorities(inventory: &Inventory) -> bool {
    let mut files = inventory.files();
    files.any(|(location, _)| location.root == Root::Authorities)
}
