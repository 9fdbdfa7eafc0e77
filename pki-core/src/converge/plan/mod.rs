//! The plan: every difference between blueprint and inventory, and what mends it. Pure.

mod authority;
pub(in crate::converge) mod compare;
mod drift;
mod leaf;
mod renewal;
mod secrets;
pub(in crate::converge) mod source;
mod step;

use std::collections::HashMap;

use time::OffsetDateTime;

pub(in crate::converge) use compare::time as time_drift;
pub use drift::Drift;
pub use renewal::{ClockError, Renewal, RenewalError, Within, WithinError, check_clock};
pub use step::{Action, Obstacle, Step};

use super::external;
use super::inventory::Inventory;
use crate::cluster::blueprint::{Artifact, ArtifactId, Blueprint, Content};
use crate::cluster::{Location, Root};
use crate::x509::Validity;

/// An ordered list of steps from what is on disk to what is wanted. It borrows both, since applying it
/// signs with the keys that the inventory holds.
#[derive(Debug)]
pub struct Plan<'a> {
    pub(super) blueprint: &'a Blueprint,
    pub(super) inventory: &'a Inventory,
    pub(super) now: OffsetDateTime,
    steps: Vec<Step>,
    unmanaged: Vec<Location>,
    pub(super) consented: Vec<ArtifactId>,
}

impl<'a> Plan<'a> {
    /// Compares. What is within the last third of its life at `now` is renewed.
    pub fn new(blueprint: &'a Blueprint, inventory: &'a Inventory, now: OffsetDateTime) -> Self {
        Self::of(blueprint, inventory, now, None)
    }

    /// A plan that issues certificates anew, writes what has to change with them, and leaves every other difference alone.
    pub fn renewal(
        blueprint: &'a Blueprint,
        inventory: &'a Inventory,
        now: OffsetDateTime,
        renewal: &Renewal,
    ) -> Self {
        Self::of(blueprint, inventory, now, Some(renewal))
    }

    fn of(
        blueprint: &'a Blueprint,
        inventory: &'a Inventory,
        now: OffsetDateTime,
        renewal: Option<&Renewal>,
    ) -> Self {
        let mut planner = Planner {
            blueprint,
            inventory,
            now,
            renewal,
            steps: Vec::new(),
            places: HashMap::new(),
        };
        for artifact in blueprint.artifacts() {
            planner.artifact(artifact);
        }
        let steps = planner.steps;
        let managed: std::collections::HashSet<_> = blueprint
            .artifacts()
            .iter()
            .flat_map(|artifact| {
                artifact
                    .placements
                    .iter()
                    .map(|placement| &placement.location)
            })
            .collect();
        let waiting: std::collections::HashSet<_> = steps
            .iter()
            .filter(|step| matches!(step.obstacle, Some(Obstacle::KeyAbsent { .. })))
            .map(|step| external::pending_at(&step.artifact))
            .collect();
        let unmanaged = inventory
            .files()
            .map(|(location, _)| location)
            .filter(|at| !managed.contains(at) && !waiting.contains(at))
            .cloned()
            .collect();
        Self {
            blueprint,
            inventory,
            now,
            steps,
            unmanaged,
            consented: Vec::new(),
        }
    }

    /// The steps, authorities first. Empty when everything is as it is wanted.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The files that a step writes, or whose mode it changes.
    pub fn files(&self, step: &Step) -> impl Iterator<Item = &'a Location> {
        let artifact = self.blueprint.artifact(&step.artifact);
        let indices = step.writes.iter().chain(&step.modes).copied();
        let placements = artifact.map_or(&[][..], |artifact| &artifact.placements);
        indices
            .filter_map(|index| placements.get(index))
            .map(|placement| &placement.location)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The same plan without the steps for other artifacts than these. What those would mend stays as it is.
    #[must_use]
    pub fn only(mut self, ids: &[ArtifactId]) -> Self {
        self.steps.retain(|step| ids.contains(&step.artifact));
        self
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// What stands in the way of applying, if anything does.
    pub fn obstacles(&self) -> impl Iterator<Item = (&Step, &Obstacle)> {
        self.steps
            .iter()
            .filter_map(|step| step.obstacle.as_ref().map(|obstacle| (step, obstacle)))
    }

    /// Takes out every step that cannot be done, and gives them back: the others do not wait for them.
    pub fn take_obstructed(&mut self) -> Vec<Step> {
        let steps = std::mem::take(&mut self.steps);
        let (obstructed, steps) = steps.into_iter().partition(|step| step.obstacle.is_some());
        self.steps = steps;
        obstructed
    }

    /// What is over, or has not begun, and stays so when this plan is carried out.
    pub fn stays_invalid(&self) -> Vec<(&'a Artifact, Drift)> {
        let issued = |artifact: &Artifact| {
            let step = self.steps.iter().find(|step| step.artifact == artifact.id);
            step.is_some_and(|step| step.action.issues())
        };
        let artifacts = self.blueprint.artifacts().iter();
        let is_bundle = |artifact: &Artifact| matches!(artifact.content, Content::TrustBundle(_));
        let stays = artifacts.filter(|artifact| !issued(artifact) && !is_bundle(artifact));
        stays
            .filter_map(|artifact| {
                let found = source::certificates(artifact, self.inventory)?;
                let drift = compare::time(&found.chain[0].validity, self.now)?;
                let invalid = matches!(drift, Drift::Expired { .. } | Drift::NotYetValid { .. });
                invalid.then_some((artifact, drift))
            })
            .collect()
    }

    /// The steps that need a word of consent: they replace what others still rely on.
    pub fn replacements(&self) -> impl Iterator<Item = &Step> {
        self.steps
            .iter()
            .filter(|step| step.action == Action::Replace)
    }

    /// Agrees to the replacement of an authority or a service-account key pair.
    pub fn consent_to(&mut self, artifact: ArtifactId) {
        self.consented.push(artifact);
    }

    /// Files in the tree that no artifact of the blueprint has: they are left alone.
    pub fn unmanaged(&self) -> &[Location] {
        &self.unmanaged
    }

    /// The moment that the plan was made for.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }
}

/// Collects the steps. What a leaf needs depends on what happens to its authority, which comes first.
struct Planner<'a> {
    blueprint: &'a Blueprint,
    inventory: &'a Inventory,
    now: OffsetDateTime,
    /// What is to be renewed, where that is all that the plan is about.
    renewal: Option<&'a Renewal>,
    steps: Vec<Step>,
    /// Where each artifact's step is in the list.
    places: HashMap<ArtifactId, usize>,
}

impl Planner<'_> {
    fn artifact(&mut self, artifact: &Artifact) {
        let step = match &artifact.content {
            Content::Authority(entry) => self.authority(artifact, entry),
            Content::Certificate(entry) => self.certificate(artifact, entry),
            Content::Kubeconfig(entry) => self.kubeconfig(artifact, entry),
            Content::TrustBundle(authorities) => self.bundle(artifact, authorities),
            Content::ServiceAccount(algorithm) => self.service_account(artifact, *algorithm),
            Content::Encryption => self.encryption(artifact),
        };
        if let Some(step) = step.filter(|step| self.is_wanted(artifact, step)) {
            self.places.insert(step.artifact.clone(), self.steps.len());
            self.steps.push(step);
        }
    }

    /// Whether a step is what the plan is about: in a renewal only what is renewed, and what trusts an authority that is.
    fn is_wanted(&self, artifact: &Artifact, step: &Step) -> bool {
        let Some(renewal) = self.renewal else {
            return true;
        };
        let trusts = match &artifact.content {
            Content::Kubeconfig(entry) => &entry.trusts[..],
            Content::TrustBundle(authorities) => authorities,
            _ => &[],
        };
        renewal.asks_for(artifact)
            || step.reasons.iter().any(Drift::is_renewal)
            || trusts.iter().any(|id| self.changes_certificate(id))
    }

    /// What time has done to an artifact's certificate, or who asked for another one.
    fn time(&self, artifact: &Artifact, validity: &Validity) -> Option<Drift> {
        match self.renewal {
            None => compare::time(validity, self.now),
            Some(renewal) => renewal.reason(artifact, validity, self.now),
        }
    }

    /// Whether the directory of CA certificates and keys is away as a whole, offline or in a safe, while the
    /// cluster it belongs to is here.
    fn authorities_are_away(&self) -> bool {
        let at = |root| {
            self.inventory
                .files()
                .any(|(location, _)| location.root == root)
        };
        at(Root::Tree) && !at(Root::Authorities)
    }

    fn shown(&self, location: &Location) -> String {
        self.inventory.shown(location)
    }

    /// What is to happen to the artifact of that name, as far as it is planned yet.
    fn planned(&self, id: &ArtifactId) -> Option<&Step> {
        self.places.get(id).map(|place| &self.steps[*place])
    }
}
