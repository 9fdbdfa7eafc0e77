//! All that checks may look at.

use std::collections::BTreeSet;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::spec::{ClusterSpec, IpFamily, Node, Role};
use pki_core::converge::inventory::Inventory;
use time::OffsetDateTime;

use crate::desired::{Facts, Network, Programs};
use crate::machine::readings::Readings;

/// All that checks may look at.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What is so on the machine.
    pub facts: &'a Facts,
    /// What else was read of it.
    pub readings: &'a Readings,
    /// The cluster.
    pub spec: &'a ClusterSpec,
    /// Which of its nodes this machine is to be.
    pub node: &'a Node,
    /// How pods of different nodes reach each other.
    pub network: Network,
    /// What spec and profile want.
    pub blueprint: &'a Blueprint,
    /// The cluster's files that are here.
    pub inventory: &'a Inventory,
    /// What was wrong with programs when they were looked for: facts and hints.
    pub programs: &'a [(String, String)],
    /// Those that were found, where all were.
    pub found: &'a Programs,
    /// What kinstall put on the machine before.
    pub ours: &'a Ours,
    /// This moment.
    pub now: OffsetDateTime,
}

/// What kinstall put on the machine before, as its ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ours {
    /// Whether an installation was begun: then our own components may run, and hold their ports.
    pub installed: bool,
    /// The names of our files in the manifest folder.
    pub manifests: BTreeSet<String>,
}

impl Context<'_> {
    /// The families of the cluster's Services, the first service CIDR's first.
    pub(super) fn families(&self) -> Vec<IpFamily> {
        let cidrs = self.spec.service_cidrs().iter();
        cidrs.map(|cidr| IpFamily::from(*cidr)).collect()
    }

    pub(super) fn has_family(&self, family: IpFamily) -> bool {
        self.families().contains(&family)
    }

    pub(super) fn is_control_plane(&self) -> bool {
        self.node.has(Role::ControlPlane)
    }
}
