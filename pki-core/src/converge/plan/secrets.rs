//! What is no certificate: the service-account key pair and the encryption configuration.

use super::source;
use super::step::{Action, Obstacle, Step};
use super::{Drift, Planner};
use crate::cluster::blueprint::{Artifact, Part};
use crate::converge::inventory::Found;
use crate::x509::KeyAlgorithm;

impl Planner<'_> {
    pub(super) fn service_account(
        &self,
        artifact: &Artifact,
        wanted: KeyAlgorithm,
    ) -> Option<Step> {
        let mut step = Step::new(artifact);
        match source::keys(artifact, self.inventory).next() {
            Some((_, key)) => {
                self.copies(artifact, &mut step, |placement, file| {
                    match (placement.part, &file.content) {
                        (Part::PrivateKey, Found::PrivateKey(other)) => {
                            other.public_key() == key.public_key()
                        }
                        (Part::PublicKey, Found::PublicKey(public)) => public == key.public_key(),
                        _ => false,
                    }
                });
                if key.algorithm() != wanted {
                    // Every token that is out there is signed with the key that is there.
                    step.action = Action::Replace;
                    step.reasons.push(Drift::Algorithm {
                        has: key.algorithm().to_string(),
                        wanted,
                    });
                    step.write_all(artifact);
                }
            }
            None => self.make(artifact, &mut step),
        }
        self.not_files(artifact, &mut step);
        step.some()
    }

    pub(super) fn encryption(&self, artifact: &Artifact) -> Option<Step> {
        let mut step = Step::new(artifact);
        match source::encryption(artifact, self.inventory) {
            Some((_, text)) => self.copies(artifact, &mut step, |_, file| {
                matches!(&file.content, Found::Encryption(other) if other.as_str() == text)
            }),
            None => self.make(artifact, &mut step),
        }
        self.not_files(artifact, &mut step);
        step.some()
    }

    /// A secret that is nowhere. Where something is in its place it may be the damaged original, without
    /// which tokens or data are lost, so it is not written over.
    fn make(&self, artifact: &Artifact, step: &mut Step) {
        step.action = Action::Create;
        step.write_all(artifact);
        for placement in &artifact.placements {
            let path = self.shown(&placement.location);
            match self.inventory.at(&placement.location) {
                None => step.reasons.push(Drift::Missing { path }),
                Some(file) => {
                    let reason = match &file.content {
                        Found::PublicKey(_) => {
                            "the public half of a key pair whose private half is nowhere".into()
                        }
                        other => other.describe(),
                    };
                    step.reasons.push(Drift::Unusable {
                        path: path.clone(),
                        reason: reason.clone(),
                    });
                    step.obstacle = Some(Obstacle::Damaged { path, reason });
                }
            }
        }
    }
}
