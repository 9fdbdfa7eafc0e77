//! Signed certificates, proven and put into the tree with the keys that waited for them.

use std::collections::{HashMap, HashSet};

use zeroize::Zeroizing;

use super::proof::{Fault, faults};
use super::{Waiting, pending, waiting};
use crate::cluster::blueprint::{ArtifactId, Content, KubeconfigEntry};
use crate::cluster::{Kubeconfig, Material};
use crate::converge::apply::{Changes, Key, State, render};
use crate::converge::plan::{Plan, source};
use crate::x509::{AuthorityFile, Certificate, PrivateKey};

/// A file that came back: its name, and the certificates in it. The first that is no CA's is the one meant; authorities are
/// taken from the cluster and never from there.
#[derive(Clone, Debug)]
pub struct Signed {
    /// For messages.
    pub name: String,
    /// As they stand in the file.
    pub certificates: Vec<Certificate>,
}

/// What is about to be installed.
#[derive(Debug)]
pub struct TakenBack {
    /// The files, and the waiting keys that go.
    pub changes: Changes,
    /// Which certificates still wait, in the order of the plan.
    pub missing: Vec<ArtifactId>,
}

/// Every fault of every file, with its name: then nothing is installed.
#[derive(Debug, thiserror::Error)]
#[error("{}", .faults.iter().map(|(name, fault)| format!("{name}: {fault}")).collect::<Vec<_>>().join("\n"))]
pub struct Refused {
    /// At least one.
    pub faults: Vec<(String, Fault)>,
}

impl Plan<'_> {
    /// Proves each certificate: that a key waits for it, that its authority signed it, that it says what the blueprint
    /// wants and nothing more, that it is valid now and not for longer than wanted.
    ///
    /// # Errors
    /// [`Refused`] with every fault; one bad certificate keeps all from being installed.
    pub fn take_back(&self, files: &[Signed]) -> Result<TakenBack, Refused> {
        let waiting: Vec<_> = waiting(self).collect();
        let mut found: Vec<Option<(&str, &Certificate)>> = vec![None; waiting.len()];
        let keys: HashMap<_, _> = waiting
            .iter()
            .zip(0..)
            .filter_map(|(one, place): (_, usize)| Some((one.key?.public_key(), place)))
            .collect();
        // What an earlier run installed may still be among the files.
        let leaves = self.blueprint.artifacts().iter();
        let installed: HashSet<_> = leaves
            .filter(|artifact| artifact.content.leaf().is_some())
            .filter_map(|artifact| source::certificates(artifact, self.inventory))
            .map(|found| found.chain[0].der())
            .collect();
        let mut wrong = Vec::new();
        for file in files {
            let Some(certificate) = file.certificates.iter().find(|one| !one.is_ca) else {
                continue;
            };
            let fault = |fault| (file.name.clone(), fault);
            let Some(place) = keys.get(&certificate.public_key).copied() else {
                if !installed.contains(certificate.der()) {
                    wrong.push(fault(Fault::NotAsked));
                }
                continue;
            };
            match found[place] {
                Some((_, other)) if other == certificate => {}
                Some((name, _)) => {
                    let id = waiting[place].artifact.id.clone();
                    wrong.push(fault(Fault::Twice(name.to_owned(), id)));
                }
                None => {
                    let all = self.proven(&waiting[place], certificate);
                    wrong.extend(all.into_iter().map(fault));
                    found[place] = Some((&file.name, certificate));
                }
            }
        }
        if !wrong.is_empty() {
            return Err(Refused { faults: wrong });
        }
        let mut changes = Changes::default();
        let mut missing = Vec::new();
        for (waiting, found) in waiting.iter().zip(found) {
            match (waiting.key, found) {
                (Some(key), Some((_, certificate))) => {
                    self.install(waiting, key, certificate, &mut changes);
                }
                _ => missing.push(waiting.artifact.id.clone()),
            }
        }
        Ok(TakenBack { changes, missing })
    }

    fn proven(&self, waiting: &Waiting<'_>, certificate: &Certificate) -> Vec<Fault> {
        let Some(issuer) = self.file(&waiting.entry.issuer).chain().first() else {
            return vec![Fault::NoAuthority(waiting.entry.issuer.clone())];
        };
        let mut all = faults(certificate, waiting.entry, issuer, self.now);
        if let Content::Kubeconfig(entry) = &waiting.artifact.content {
            let absent = entry
                .trusts
                .iter()
                .filter(|id| self.file(id).chain().is_empty());
            all.extend(absent.cloned().map(Fault::NoAuthority));
        }
        all
    }

    fn install(
        &self,
        waiting: &Waiting<'_>,
        key: &PrivateKey,
        certificate: &Certificate,
        changes: &mut Changes,
    ) {
        let above = self.file(&waiting.entry.issuer).chain().iter();
        let between = above
            .filter(|authority| !authority.is_self_issued())
            .cloned();
        let chain: Vec<_> = std::iter::once(certificate.clone())
            .chain(between)
            .collect();
        let whole = match &waiting.artifact.content {
            Content::Kubeconfig(entry) => self.whole(entry, &chain, key),
            _ => None,
        };
        let state = State {
            chain,
            key: Some(Key::Found(key)),
            whole,
            warnings: Vec::new(),
        };
        render(waiting.artifact, waiting.step, &state, changes);
        changes.remove(pending::at(&waiting.artifact.id));
    }

    fn whole(
        &self,
        entry: &KubeconfigEntry,
        chain: &[Certificate],
        key: &PrivateKey,
    ) -> Option<Zeroizing<String>> {
        // The key is lent to the file's text and nothing else; keys are not cloned.
        let key = PrivateKey::from_pem(key.secret_pem().as_bytes()).ok()?;
        let trusts = entry
            .trusts
            .iter()
            .flat_map(|id| self.file(id).trusted().cloned());
        let config = Kubeconfig {
            cluster: entry.cluster.clone(),
            server: entry.server.clone(),
            user: entry.user.clone(),
            trusts: Material::Embedded(trusts.collect()),
            chain: Material::Embedded(chain.to_vec()),
            key: Material::Embedded(key),
        };
        Some(config.secret_yaml())
    }

    /// What an authority's file holds here.
    fn file(&self, authority: &ArtifactId) -> AuthorityFile<'_> {
        let artifact = self.blueprint.artifact(authority);
        let found = artifact.and_then(|artifact| source::certificates(artifact, self.inventory));
        found.map_or(AuthorityFile::of(&[]), |found| found.authority())
    }
}
