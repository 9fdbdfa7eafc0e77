//! Authorities and trust bundles.

use super::source;
use super::step::{Action, Obstacle, Step};
use super::{Drift, Planner, compare};
use crate::cluster::Root;
use crate::cluster::blueprint::{Artifact, ArtifactId, AuthorityEntry, Content, Part, Placement};
use crate::converge::inventory::{Found, FoundFile};
use crate::x509::{Authority, AuthorityError, AuthorityFile, Certificate};

impl Planner<'_> {
    pub(super) fn authority(&self, artifact: &Artifact, entry: &AuthorityEntry) -> Option<Step> {
        let mut step = Step::new(artifact);
        let found = source::certificates(artifact, self.inventory);
        let Some(found) = found else {
            self.not_found(artifact, entry, &mut step);
            return Some(step);
        };
        let certificate = &found.chain[0];
        let key = source::key_of(certificate, artifact, self.inventory);
        let home = &artifact.placements[0].location;
        self.judge(certificate, artifact, entry, &mut step);
        if step.action.signs_authority() {
            // Everything is written anew: certificate and key to their home and to every copy.
            // A copy of the key on a node could renew it too, but then the one in the safe would be another.
            let away = key.is_none() && step.action == Action::Renew || self.authorities_are_away();
            if away && step.obstacle.is_none() {
                step.obstacle = Some(self.no_key(artifact));
            }
            step.write_all(artifact);
        } else {
            self.copies(artifact, &mut step, |placement, file| {
                match (placement.part, &file.content) {
                    (Part::Certificate, Found::Certificates(chain)) => {
                        *chain == source::kept_at(&placement.location, found.chain)
                    }
                    (Part::PrivateKey, Found::PrivateKey(key)) => {
                        *key.public_key() == certificate.public_key
                    }
                    _ => false,
                }
            });
            // A key at home that belongs to another certificate is never overwritten, even where a copy on a node
            // has the right one: it may be the only one of its own.
            let foreign = source::keys(artifact, self.inventory).find(|(at, other)| {
                *other.public_key() != certificate.public_key
                    && (key.is_none() || at.root == Root::Authorities)
            });
            match (key, foreign) {
                (_, Some((at, _))) => {
                    let authority = artifact.id.clone();
                    step.reasons.push(Drift::KeyMismatch {
                        path: self.shown(at),
                    });
                    step.obstacle = Some(Obstacle::KeyMismatch {
                        authority,
                        path: self.shown(at),
                    });
                }
                // A CA whose key is kept elsewhere: its copies cannot be made, and that is no difference.
                (None, None) => step.forget_keys(artifact, self.inventory),
                (Some(_), None) => {}
            }
        }
        self.not_files(artifact, &mut step);
        let damaged = self
            .inventory
            .at(home)
            .is_some_and(|file| matches!(file.content, Found::Unreadable(_)));
        if damaged && found.at == home {
            step.obstacle.get_or_insert(Obstacle::Damaged {
                path: self.shown(home),
                reason: "unreadable".into(),
            });
        }
        step.some()
    }

    /// Nowhere a certificate of this authority.
    fn not_found(&self, artifact: &Artifact, entry: &AuthorityEntry, step: &mut Step) {
        let home = &artifact.placements[0].location;
        step.action = Action::Create;
        step.write_all(artifact);
        step.reasons
            .push(match self.inventory.at(home).map(|file| &file.content) {
                Some(content) => Drift::Unusable {
                    path: self.shown(home),
                    reason: content.describe(),
                },
                None => Drift::Missing {
                    path: self.shown(home),
                },
            });
        if self.renewal.is_some() {
            step.obstacle = Some(Obstacle::Damaged {
                path: self.shown(home),
                reason: "the authority's certificate is nowhere, and a new authority is no renewal"
                    .into(),
            });
        } else if entry.imported {
            let authority = artifact.id.clone();
            step.obstacle = Some(Obstacle::NotImported {
                authority,
                path: self.shown(home),
            });
        } else if let Some((placement, file)) = source::files(artifact, self.inventory).next() {
            // A key without its certificate, or a damaged certificate: the CA existed, and a new one would
            // silently end the trust in everything that it issued.
            let path = self.shown(&placement.location);
            let reason = match &file.content {
                Found::PrivateKey(_) => {
                    "the CA's key is here, but its certificate is nowhere".into()
                }
                other => other.describe(),
            };
            step.obstacle = Some(Obstacle::Damaged { path, reason });
        }
        self.not_files(artifact, step);
    }

    /// Whether the certificate can stay, must be renewed under its key, or is another than wanted.
    fn judge(
        &self,
        certificate: &Certificate,
        artifact: &Artifact,
        entry: &AuthorityEntry,
        step: &mut Step,
    ) {
        let home = || self.shown(&artifact.placements[0].location);
        if entry.imported {
            if self
                .renewal
                .is_some_and(|renewal| renewal.asks_for(artifact))
            {
                let reason = "imported: only who issued it can renew it".into();
                step.reasons.push(Drift::Asked);
                step.obstacle = Some(Obstacle::UnusableAuthority {
                    path: home(),
                    reason,
                });
            } else if let Err(error) = Authority::check(certificate, self.now) {
                let reason = error.to_string();
                step.reasons.push(Drift::Unusable {
                    path: home(),
                    reason: reason.clone(),
                });
                step.obstacle = Some(Obstacle::UnusableAuthority {
                    path: home(),
                    reason,
                });
            }
            return;
        }
        let identity = compare::authority_identity(certificate, entry);
        // Another name or key is no renewal.
        if !identity.is_empty() && self.renewal.is_none() {
            step.action = Action::Replace;
            step.reasons.extend(identity);
            return;
        }
        let mut reasons = compare::authority_constraints(certificate, entry);
        reasons.extend(self.time(artifact, &certificate.validity));
        if reasons.is_empty() {
            return;
        }
        step.action = Action::Renew;
        step.reasons.extend(reasons);
        if !certificate.is_self_issued() {
            let reason = format!(
                "issued by {}, whose key is not here: it cannot be renewed",
                certificate.issuer
            );
            step.obstacle = Some(Obstacle::UnusableAuthority {
                path: home(),
                reason,
            });
        }
    }

    /// What stands in the way of signing with an authority, if anything does.
    pub(super) fn cannot_sign(&self, id: &ArtifactId) -> Option<Obstacle> {
        // Of a blueprint of one node, which has what it issues and not its certificate.
        let Some(artifact) = self.blueprint.artifact(id) else {
            return Some(Obstacle::AuthorityObstructed {
                authority: id.clone(),
            });
        };
        if let Some(step) = self.planned(id) {
            if step.obstacle.is_some() {
                return Some(Obstacle::AuthorityObstructed {
                    authority: id.clone(),
                });
            }
            if step.action == Action::Create || step.action.signs_authority() {
                return None;
            }
        }
        // Where there is none, a plan that is no renewal makes it.
        let Some(found) = source::certificates(artifact, self.inventory) else {
            return Some(self.no_key(artifact));
        };
        if source::key_of(&found.chain[0], artifact, self.inventory).is_none() {
            return Some(self.no_key(artifact));
        }
        let Err(error) = Authority::check(&found.chain[0], self.now) else {
            return None;
        };
        let (path, reason) = (self.shown(found.at), error.to_string());
        let renewable = matches!(
            error,
            AuthorityError::Expired { .. } | AuthorityError::NotYetValid { .. }
        ) && !is_imported(artifact)
            && found.chain[0].is_self_issued();
        Some(if renewable {
            Obstacle::NotValid {
                authority: id.clone(),
                path,
                reason,
            }
        } else {
            Obstacle::UnusableAuthority { path, reason }
        })
    }

    fn no_key(&self, artifact: &Artifact) -> Obstacle {
        let mut keys = artifact
            .placements
            .iter()
            .filter(|placement| placement.part == Part::PrivateKey);
        let path = keys
            .next()
            .map_or_else(String::new, |placement| self.shown(&placement.location));
        Obstacle::KeyAbsent {
            authority: artifact.id.clone(),
            path,
        }
    }

    pub(super) fn bundle(&self, artifact: &Artifact, authorities: &[ArtifactId]) -> Option<Step> {
        let mut step = Step::new(artifact);
        let changing = authorities.iter().find(|id| self.changes_certificate(id));
        let nothing = source::files(artifact, self.inventory).next().is_none();
        if let Some(id) = changing.filter(|_| !nothing) {
            step.action = Action::Rewrite;
            step.reasons.push(Drift::AuthorityReplaced {
                authority: id.to_string(),
            });
            step.write_all(artifact);
        } else {
            let trusted = self.trusted(authorities);
            self.copies(artifact, &mut step, |_, file| {
                file.content
                    .certificates()
                    .is_some_and(|has| same_set(has, &trusted))
            });
            if nothing {
                step.action = Action::Create;
            }
            let wanted = self.trusted_names(authorities);
            for reason in &mut step.reasons {
                if let Drift::Copy { path, .. } = reason {
                    *reason = Drift::Trust {
                        path: path.clone(),
                        wanted: wanted.clone(),
                    };
                }
            }
        }
        self.not_files(artifact, &mut step);
        step.some()
    }

    /// Whether the authority's certificate is about to be another.
    pub(super) fn changes_certificate(&self, id: &ArtifactId) -> bool {
        self.will(id, |action| action.issues())
    }

    /// Whether the authority's key is about to be another.
    pub(super) fn changes_key(&self, id: &ArtifactId) -> bool {
        self.will(id, |action| {
            matches!(action, Action::Create | Action::Replace)
        })
    }

    /// Whether such a thing is planned for the authority. A renewal goes on without what it cannot do.
    fn will(&self, id: &ArtifactId, such: impl Fn(Action) -> bool) -> bool {
        self.planned(id)
            .filter(|step| self.renewal.is_none() || step.obstacle.is_none())
            .is_some_and(|step| such(step.action))
    }

    /// The certificates to trust for these authorities: each one's own, and those of its successors.
    pub(super) fn trusted(&self, authorities: &[ArtifactId]) -> Vec<Certificate> {
        let trusted = |id: &ArtifactId| self.authority_file(id).trusted();
        authorities.iter().flat_map(trusted).cloned().collect()
    }

    /// The same in words: `ca, its successor CN=ca-2`.
    pub(super) fn trusted_names(&self, authorities: &[ArtifactId]) -> String {
        let names = |id: &ArtifactId| {
            let successors = self.authority_file(id).successors();
            let successors = successors.map(|one| format!("its successor {}", one.subject));
            std::iter::once(id.to_string())
                .chain(successors)
                .collect::<Vec<_>>()
        };
        authorities
            .iter()
            .flat_map(names)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What an authority's file holds now; nothing where there is none.
    pub(super) fn authority_file(&self, authority: &ArtifactId) -> AuthorityFile<'_> {
        let found = self.blueprint.artifact(authority).and_then(|artifact| {
            debug_assert!(matches!(artifact.content, Content::Authority(_)));
            source::certificates(artifact, self.inventory)
        });
        found.map_or(AuthorityFile::of(&[]), |found| found.authority())
    }

    /// Compares every placement with what it should hold, and its mode.
    pub(super) fn copies(
        &self,
        artifact: &Artifact,
        step: &mut Step,
        is_right: impl Fn(&Placement, &FoundFile) -> bool,
    ) {
        let original = |placement: &Placement| {
            let same = |other: &&Placement| other.part == placement.part;
            artifact
                .placements
                .iter()
                .find(same)
                .map_or_else(String::new, |first| self.shown(&first.location))
        };
        for (index, placement) in artifact.placements.iter().enumerate() {
            let path = self.shown(&placement.location);
            let home = placement.location.root == Root::Authorities;
            let reason = match self.inventory.at(&placement.location) {
                None if home && self.authorities_are_away() => continue,
                None => Drift::Missing { path },
                Some(file) if matches!(file.content, Found::Unreadable(_)) => Drift::Unusable {
                    path,
                    reason: file.content.describe(),
                },
                Some(file) if !is_right(placement, file) => Drift::Copy {
                    path,
                    original: original(placement),
                },
                Some(file) if file.mode != placement.mode => {
                    step.modes.push(index);
                    step.reasons.push(Drift::Mode {
                        path,
                        has: file.mode,
                        wanted: placement.mode,
                    });
                    continue;
                }
                Some(_) => continue,
            };
            step.writes.push(index);
            step.reasons.push(reason);
        }
        if step.action == Action::Protect && !step.writes.is_empty() {
            step.action = Action::Rewrite;
        }
    }

    /// A link or a directory in the place of a file is never written over.
    pub(super) fn not_files(&self, artifact: &Artifact, step: &mut Step) {
        for (placement, file) in source::files(artifact, self.inventory) {
            if let Found::NotAFile(kind) = file.content {
                step.obstacle = Some(Obstacle::NotAFile {
                    path: self.shown(&placement.location),
                    kind,
                });
            }
        }
    }
}

fn is_imported(artifact: &Artifact) -> bool {
    matches!(&artifact.content, Content::Authority(entry) if entry.imported)
}

/// Whether both hold the same certificates, in whatever order.
pub(super) fn same_set(one: &[Certificate], other: &[Certificate]) -> bool {
    one.len() == other.len() && one.iter().all(|certificate| other.contains(certificate))
}
