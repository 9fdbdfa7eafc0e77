//! Leaf certificates, alone and in kubeconfigs.

use super::authority::same_set;
use super::source;
use super::step::{Action, Step};
use super::{Drift, Planner, Renewal, compare};
use crate::cluster::blueprint::{Artifact, CertificateEntry, KubeconfigEntry, Part};
use crate::cluster::{Kubeconfig, Material};
use crate::converge::inventory::Found;
use crate::x509::{Certificate, signature_valid};

impl Planner<'_> {
    pub(super) fn certificate(
        &self,
        artifact: &Artifact,
        entry: &CertificateEntry,
    ) -> Option<Step> {
        let mut step = Step::new(artifact);
        let mut reasons = Vec::new();
        match source::certificates(artifact, self.inventory) {
            None => self.absent(artifact, &mut reasons),
            Some(found) => {
                let certificate = &found.chain[0];
                if source::key_of(certificate, artifact, self.inventory).is_none() {
                    reasons.extend(self.without_key(artifact));
                }
                reasons.extend(self.leaf(certificate, artifact, entry));
                if reasons.is_empty() {
                    let wanted = self.chain_of(certificate, entry);
                    let chain_is_right = found.chain == wanted;
                    self.copies(artifact, &mut step, |placement, file| {
                        match (placement.part, &file.content) {
                            (Part::Certificate, Found::Certificates(chain)) => *chain == wanted,
                            (Part::PrivateKey, Found::PrivateKey(key)) => {
                                *key.public_key() == certificate.public_key
                            }
                            _ => false,
                        }
                    });
                    if !chain_is_right {
                        step.reasons
                            .retain(|reason| !matches!(reason, Drift::Copy { .. }));
                        step.reasons.push(Drift::Chain {
                            path: self.shown(found.at),
                        });
                    }
                }
            }
        }
        self.issue(artifact, entry, reasons, &mut step);
        self.not_files(artifact, &mut step);
        step.some()
    }

    pub(super) fn kubeconfig(&self, artifact: &Artifact, entry: &KubeconfigEntry) -> Option<Step> {
        let mut step = Step::new(artifact);
        let placement = &artifact.placements[0];
        let mut reasons = Vec::new();
        match self
            .inventory
            .at(&placement.location)
            .map(|file| &file.content)
        {
            Some(Found::Kubeconfig(config)) => {
                reasons.extend(self.embedded(config, artifact, entry));
                if reasons.is_empty() {
                    self.copies(artifact, &mut step, |_, _| true);
                    let around = self.around(config, entry, &self.shown(&placement.location));
                    if !around.is_empty() {
                        step.action = Action::Rewrite;
                        step.reasons.extend(around);
                        step.write_all(artifact);
                    }
                }
            }
            _ => self.absent(artifact, &mut reasons),
        }
        self.issue(artifact, &entry.client, reasons, &mut step);
        self.not_files(artifact, &mut step);
        step.some()
    }

    /// What is wrong with the certificate and key in a kubeconfig.
    fn embedded(
        &self,
        config: &Kubeconfig,
        artifact: &Artifact,
        entry: &KubeconfigEntry,
    ) -> Vec<Drift> {
        let path = &*self.shown(&artifact.placements[0].location);
        let elsewhere = |what, path: &str| Drift::Elsewhere {
            what,
            path: path.to_owned(),
        };
        match (&config.chain, &config.key) {
            (Material::Embedded(chain), Material::Embedded(key)) => {
                let mut reasons = self.leaf(&chain[0], artifact, &entry.client);
                if chain[0].public_key != *key.public_key() {
                    reasons.push(Drift::KeyMismatch {
                        path: path.to_owned(),
                    });
                }
                reasons
            }
            (Material::Path(other), _) => vec![elsewhere("client certificate", other)],
            (_, Material::Path(other)) => vec![elsewhere("client key", other)],
            _ => vec![Drift::Unusable {
                path: path.to_owned(),
                reason: "no client certificate and key in it".into(),
            }],
        }
    }

    /// What is wrong with a kubeconfig around its certificate.
    fn around(&self, config: &Kubeconfig, entry: &KubeconfigEntry, path: &str) -> Vec<Drift> {
        let mut reasons = Vec::new();
        if config.server != entry.server {
            reasons.push(Drift::Server {
                has: config.server.clone(),
                wanted: entry.server.clone(),
            });
        }
        let context = |user: &str, cluster: &str| format!("{user}@{cluster}");
        let (has, wanted) = (
            context(&config.user, &config.cluster),
            context(&entry.user, &entry.cluster),
        );
        if has != wanted {
            reasons.push(Drift::Context { has, wanted });
        }
        let trusted = self.trusted(&entry.trusts);
        let changing = entry.trusts.iter().any(|id| self.changes_certificate(id));
        let right = config
            .trusts
            .embedded()
            .is_some_and(|has| same_set(has, &trusted));
        if changing || !right {
            let wanted = self.trusted_names(&entry.trusts);
            reasons.push(Drift::Trust {
                path: path.to_owned(),
                wanted,
            });
        }
        if let Some(chain) = config.chain.embedded()
            && *chain != self.chain_of(&chain[0], &entry.client)
        {
            reasons.push(Drift::Chain {
                path: path.to_owned(),
            });
        }
        reasons
    }

    /// Why a certificate has to be issued anew.
    fn leaf(
        &self,
        certificate: &Certificate,
        artifact: &Artifact,
        entry: &CertificateEntry,
    ) -> Vec<Drift> {
        let validity = &certificate.validity;
        let time = self.time(artifact, validity);
        if self.renewal.is_some() && time.is_none() {
            return Vec::new();
        }
        let mut reasons = compare::leaf(certificate, &entry.request);
        let not_after = validity.not_after;
        let authority = entry.issuer.to_string();
        if self.changes_key(&entry.issuer) {
            reasons.push(Drift::AuthorityReplaced { authority });
        } else if let Some(issuer) = self.authority_file(&entry.issuer).chain().first() {
            let named = certificate.issuer.der() == issuer.subject.der();
            if !named || !signature_valid(certificate, issuer) {
                reasons.push(Drift::Issuer {
                    has: certificate.issuer.to_string(),
                    wanted: authority,
                });
            } else if !self.changes_certificate(&entry.issuer) {
                if not_after > issuer.validity.not_after {
                    reasons.push(Drift::OutlivesAuthority { authority });
                } else if not_after == issuer.validity.not_after
                    && !validity.is_over(self.now)
                    && !self
                        .renewal
                        .is_some_and(|renewal| renewal.asks_for(artifact))
                {
                    // It ends with its authority: issuing it anew would win nothing.
                    return reasons;
                }
            }
        }
        reasons.extend(time);
        reasons
    }

    /// The certificate, and the authorities above it whose certificates a client that trusts only the
    /// root would lack.
    fn chain_of(&self, certificate: &Certificate, entry: &CertificateEntry) -> Vec<Certificate> {
        let between = self
            .authority_file(&entry.issuer)
            .chain()
            .iter()
            .filter(|authority| !authority.is_self_issued())
            .cloned();
        std::iter::once(certificate.clone())
            .chain(between)
            .collect()
    }

    /// No certificate that can be used.
    fn absent(&self, artifact: &Artifact, reasons: &mut Vec<Drift>) {
        for placement in &artifact.placements {
            let path = self.shown(&placement.location);
            match self.inventory.at(&placement.location) {
                None => reasons.push(Drift::Missing { path }),
                Some(file) => {
                    let expected = match (placement.part, &file.content) {
                        (Part::PrivateKey, Found::PrivateKey(_)) => continue,
                        _ => file.content.describe(),
                    };
                    reasons.push(Drift::Unusable {
                        path,
                        reason: expected,
                    });
                }
            }
        }
    }

    /// A certificate without its key.
    fn without_key(&self, artifact: &Artifact) -> Vec<Drift> {
        let keys = artifact
            .placements
            .iter()
            .filter(|placement| placement.part == Part::PrivateKey);
        keys.map(|placement| {
            let path = self.shown(&placement.location);
            match self
                .inventory
                .at(&placement.location)
                .map(|file| &file.content)
            {
                None => Drift::Missing { path },
                Some(Found::PrivateKey(_)) => Drift::KeyMismatch { path },
                Some(other) => Drift::Unusable {
                    path,
                    reason: other.describe(),
                },
            }
        })
        .collect()
    }

    /// Turns reasons into the step that issues a certificate anew.
    fn issue(
        &self,
        artifact: &Artifact,
        entry: &CertificateEntry,
        reasons: Vec<Drift>,
        step: &mut Step,
    ) {
        if reasons.is_empty() {
            return;
        }
        let nothing = source::files(artifact, self.inventory).next().is_none();
        step.action = if nothing {
            Action::Create
        } else {
            Action::Issue
        };
        step.reasons = reasons;
        step.write_all(artifact);
        if self.renewal.is_some_and(Renewal::keeps_keys)
            && let Some(key) = source::own_key(artifact, entry, self.inventory)
        {
            step.action = Action::Renew;
            // A file that holds the key stays as it is, so that the certificate changes in one stroke.
            step.writes.retain(|index| {
                let placement = &artifact.placements[*index];
                let found = self.inventory.at(&placement.location);
                let holds = found.and_then(|file| file.content.private_key());
                placement.part != Part::PrivateKey
                    || holds.is_none_or(|held| held.public_key() != key.public_key())
            });
        }
        step.obstacle = self.cannot_sign(&entry.issuer);
    }
}
