//! Making the keys and certificates of a plan. Touches no disk.

use std::collections::HashMap;

use rayon::prelude::*;
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

use super::changes::Changes;
use super::error::ApplyError;
use super::render::{Key, State, render};
use crate::cluster::blueprint::{
    Artifact, ArtifactId, AuthorityEntry, CertificateEntry, Content, KubeconfigEntry,
};
use crate::cluster::{Kubeconfig, Material, generate_encryption_configuration};
use crate::converge::external;
use crate::converge::plan::{Action, Obstacle, Plan, Step, source};
use crate::x509::lint;
use crate::x509::{
    Authority, AuthorityFile, CaOptions, Certificate, IssueError, KeyAlgorithm, LocalSigner,
    PrivateKey, RandomError, SignError, renew_self_signed, self_signed,
};

/// Below this many keys the threads cost more than they win, unless the keys are RSA.
const WORTH_THREADS: usize = 64;

impl Plan<'_> {
    /// Makes every key, certificate and file of the plan in memory.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn execute(&self, rng: &(dyn SecureRandom + Sync)) -> Result<Changes, ApplyError> {
        for step in self.steps() {
            let artifact = step.artifact.clone();
            if let Some(obstacle) = step.obstacle.clone() {
                let obstacle = Box::new(obstacle);
                return Err(ApplyError::Obstacle { artifact, obstacle });
            }
            if step.action == Action::Replace && !self.consented.contains(&artifact) {
                return Err(ApplyError::NeedsConsent { artifact });
            }
        }
        let mut keys = self.new_keys(rng)?;
        let authorities = self.authorities(&mut keys, rng)?;
        let rest: Vec<_> = self
            .steps()
            .iter()
            .zip(keys)
            .filter(|(step, _)| !authorities.contains_key(&step.artifact))
            .collect();
        let make = |(step, key)| self.made(step, key, &authorities, rng);
        let made: Vec<_> = if rest.len() >= WORTH_THREADS {
            rest.into_par_iter().map(make).collect::<Result<_, _>>()?
        } else {
            rest.into_iter().map(make).collect::<Result<_, _>>()?
        };
        let mut changes = Changes::default();
        for step in self.steps() {
            if let Some(state) = authorities.get(&step.artifact) {
                render(self.artifact(step), step, &state.state, &mut changes);
            }
        }
        for (step, artifact, state) in &made {
            render(artifact, step, state, &mut changes);
            // Issued here after all: nobody's certificate is waited for any more.
            let pending = external::pending_at(&artifact.id);
            if state.is_new() && self.inventory.at(&pending).is_some() {
                changes.remove(pending);
            }
        }
        Ok(changes)
    }

    fn made<'b>(
        &'b self,
        step: &'b Step,
        key: Option<PrivateKey>,
        authorities: &HashMap<ArtifactId, AuthorityState<'_>>,
        rng: &(dyn SecureRandom + Sync),
    ) -> Result<(&'b Step, &'b Artifact, State<'b>), ApplyError> {
        let artifact = self.artifact(step);
        Ok((
            step,
            artifact,
            self.state(artifact, step, key, authorities, rng)?,
        ))
    }

    /// One new key for each step that needs one, in the order of the steps. RSA keys are searched for on
    /// all cores at once.
    fn new_keys(
        &self,
        rng: &(dyn SecureRandom + Sync),
    ) -> Result<Vec<Option<PrivateKey>>, ApplyError> {
        let algorithms: Vec<_> = self.steps().iter().map(|step| self.new_key(step)).collect();
        let generate = |algorithm: Option<KeyAlgorithm>| {
            algorithm
                .map(|algorithm| PrivateKey::generate(algorithm, rng))
                .transpose()
        };
        let many = algorithms.iter().flatten().count() >= WORTH_THREADS;
        let keys: Result<Vec<_>, RandomError> = if many
            || algorithms
                .iter()
                .flatten()
                .any(|algorithm| algorithm.is_rsa())
        {
            algorithms.into_par_iter().map(generate).collect()
        } else {
            algorithms.into_iter().map(generate).collect()
        };
        Ok(keys?)
    }

    fn new_key(&self, step: &Step) -> Option<KeyAlgorithm> {
        if !matches!(
            step.action,
            Action::Create | Action::Issue | Action::Replace
        ) {
            return None;
        }
        match &self.artifact(step).content {
            Content::Authority(entry) => Some(entry.key_algorithm),
            Content::ServiceAccount(algorithm) => Some(*algorithm),
            Content::TrustBundle(_) | Content::Encryption => None,
            Content::Certificate(entry) => Some(entry.request.key_algorithm),
            Content::Kubeconfig(entry) => Some(entry.client.request.key_algorithm),
        }
    }

    /// Every authority as it is after this plan, with a signer where something is to be issued by it.
    fn authorities<'b>(
        &'b self,
        keys: &mut [Option<PrivateKey>],
        rng: &(dyn SecureRandom + Sync),
    ) -> Result<HashMap<ArtifactId, AuthorityState<'b>>, ApplyError> {
        let mut states = HashMap::new();
        for artifact in self.blueprint.artifacts() {
            let Content::Authority(entry) = &artifact.content else {
                continue;
            };
            let step = self
                .steps()
                .iter()
                .position(|step| step.artifact == artifact.id);
            let new_key = step.and_then(|index| keys[index].take());
            let action = step.map(|index| self.steps()[index].action);
            let state = self.authority(artifact, entry, action, new_key, rng)?;
            states.insert(artifact.id.clone(), state);
        }
        Ok(states)
    }

    fn authority<'b>(
        &'b self,
        artifact: &'b Artifact,
        entry: &AuthorityEntry,
        action: Option<Action>,
        new_key: Option<PrivateKey>,
        rng: &(dyn SecureRandom + Sync),
    ) -> Result<AuthorityState<'b>, ApplyError> {
        let id = || artifact.id.clone();
        let issue = |source: IssueError| ApplyError::Issue {
            artifact: id(),
            source: Box::new(source),
        };
        let sign = |error: SignError| issue(error.into());
        let options = CaOptions {
            lifetime: entry.lifetime,
            key_algorithm: entry.key_algorithm,
            path_length: entry.path_length,
            name_constraints: entry.name_constraints.clone(),
        };
        let found = source::certificates(artifact, self.inventory);
        if let Some(key) = new_key {
            let signer = LocalSigner::new(&key).map_err(sign)?;
            let certificate =
                self_signed(&entry.subject, &options, &signer, self.now, rng).map_err(issue)?;
            let authority = Authority::from_own(certificate.clone(), signer);
            // Who follows the one that is replaced follows the new one.
            let successors = found
                .iter()
                .flat_map(|found| found.authority().successors());
            let state = State {
                chain: std::iter::once(certificate)
                    .chain(successors.cloned())
                    .collect(),
                key: Some(Key::New(key)),
                ..State::default()
            };
            return Ok(AuthorityState {
                state,
                authority: Some(authority),
            });
        }
        let Some(found) = found else {
            return Ok(AuthorityState::default());
        };
        let key = source::key_of(&found.chain[0], artifact, self.inventory);
        let mut chain = found.chain.to_vec();
        if let (Some(Action::Renew), Some(key)) = (action, key) {
            let signer = LocalSigner::new(key).map_err(sign)?;
            chain[0] =
                renew_self_signed(&chain[0], &options, &signer, self.now, rng).map_err(issue)?;
        }
        let wanted = self
            .steps()
            .iter()
            .any(|step| self.issues_from(step, &artifact.id));
        let authority = match key {
            Some(key) if wanted => {
                let signer = LocalSigner::new(key).map_err(sign)?;
                let own = AuthorityFile::of(&chain).chain().to_vec();
                let loaded = Authority::load(own, signer, self.now);
                Some(loaded.map_err(|source| ApplyError::Authority {
                    artifact: id(),
                    source: Box::new(source),
                })?)
            }
            _ => None,
        };
        let state = State {
            chain,
            key: key.map(Key::Found),
            ..State::default()
        };
        Ok(AuthorityState { state, authority })
    }

    /// Whether the step has a certificate issued by that authority.
    fn issues_from(&self, step: &Step, authority: &ArtifactId) -> bool {
        step.action.issues()
            && self
                .artifact(step)
                .content
                .leaf()
                .is_some_and(|leaf| leaf.issuer == *authority)
    }

    /// An artifact that is no authority, as it is after its step.
    fn state<'b>(
        &'b self,
        artifact: &'b Artifact,
        step: &Step,
        key: Option<PrivateKey>,
        authorities: &HashMap<ArtifactId, AuthorityState<'_>>,
        rng: &(dyn SecureRandom + Sync),
    ) -> Result<State<'b>, ApplyError> {
        match &artifact.content {
            Content::Certificate(entry) => self.leaf(artifact, step, entry, key, authorities, rng),
            Content::Kubeconfig(entry) => {
                let mut state = self.leaf(artifact, step, &entry.client, key, authorities, rng)?;
                state.whole = Some(self.kubeconfig(artifact, entry, &mut state, authorities));
                Ok(state)
            }
            Content::TrustBundle(ids) => {
                let chain = trusted(ids, authorities);
                Ok(State {
                    chain,
                    ..State::default()
                })
            }
            Content::ServiceAccount(_) => {
                let found = source::keys(artifact, self.inventory)
                    .next()
                    .map(|(_, key)| Key::Found(key));
                Ok(State {
                    key: key.map(Key::New).or(found),
                    ..State::default()
                })
            }
            Content::Encryption => {
                let text = match source::encryption(artifact, self.inventory) {
                    Some((_, text)) => Zeroizing::new(text.to_owned()),
                    None => generate_encryption_configuration(rng)?,
                };
                Ok(State {
                    whole: Some(text),
                    ..State::default()
                })
            }
            Content::Authority(_) => Ok(State::default()),
        }
    }

    /// A leaf: issued for the new key if there is one, or for its own, else as it is found.
    fn leaf<'b>(
        &'b self,
        artifact: &'b Artifact,
        step: &Step,
        entry: &CertificateEntry,
        key: Option<PrivateKey>,
        authorities: &HashMap<ArtifactId, AuthorityState<'_>>,
        rng: &(dyn SecureRandom + Sync),
    ) -> Result<State<'b>, ApplyError> {
        let issuer = &authorities[&entry.issuer];
        let between = AuthorityFile::of(&issuer.state.chain)
            .chain()
            .iter()
            .filter(|above| !above.is_self_issued())
            .cloned();
        // Renewed: the key that it has.
        let own = (step.action == Action::Renew)
            .then(|| source::own_key(artifact, entry, self.inventory))
            .flatten();
        let Some(key) = key.map(Key::New).or(own.map(Key::Found)) else {
            let found = source::certificates(artifact, self.inventory);
            let Some(found) = found else {
                return Ok(State::default());
            };
            let key = source::key_of(&found.chain[0], artifact, self.inventory).map(Key::Found);
            let chain = std::iter::once(found.chain[0].clone())
                .chain(between)
                .collect();
            return Ok(State {
                chain,
                key,
                ..State::default()
            });
        };
        let failed = |source: IssueError| ApplyError::Issue {
            artifact: step.artifact.clone(),
            source: Box::new(source),
        };
        let authority = issuer
            .authority
            .as_ref()
            .ok_or_else(|| ApplyError::Obstacle {
                artifact: step.artifact.clone(),
                obstacle: Box::new(Obstacle::AuthorityObstructed {
                    authority: entry.issuer.clone(),
                }),
            })?;
        let linted = authority
            .prepare(&entry.request, key.get().public_key(), self.now, rng)
            .and_then(|prepared| prepared.lint(&[lint::RULES, crate::cluster::lint::RULES]))
            .map_err(failed)?;
        let warnings = linted.warnings.clone();
        let certificate = linted.issue().map_err(failed)?;
        let chain = std::iter::once(certificate).chain(between).collect();
        Ok(State {
            chain,
            key: Some(key),
            warnings,
            whole: None,
        })
    }

    fn kubeconfig(
        &self,
        artifact: &Artifact,
        entry: &KubeconfigEntry,
        state: &mut State<'_>,
        authorities: &HashMap<ArtifactId, AuthorityState<'_>>,
    ) -> Zeroizing<String> {
        let mut config = Kubeconfig {
            cluster: entry.cluster.clone(),
            server: entry.server.clone(),
            user: entry.user.clone(),
            trusts: Material::Embedded(trusted(&entry.trusts, authorities)),
            chain: Material::Embedded(state.chain.clone()),
            key: Material::Absent,
        };
        // The key is lent to the file's text and nothing else; keys are not cloned.
        match state.key.take() {
            Some(Key::New(key)) => config.key = Material::Embedded(key),
            Some(Key::Found(_)) => {
                let found = self.inventory.at(&artifact.placements[0].location);
                if let Some(pem) = found
                    .and_then(|file| file.content.private_key())
                    .map(PrivateKey::secret_pem)
                    && let Ok(key) = PrivateKey::from_pem(pem.as_bytes())
                {
                    config.key = Material::Embedded(key);
                }
            }
            None => {}
        }
        config.secret_yaml()
    }

    fn artifact(&self, step: &Step) -> &Artifact {
        self.blueprint
            .artifact(&step.artifact)
            .expect("every step is about an artifact of the blueprint")
    }
}

#[derive(Default)]
struct AuthorityState<'a> {
    state: State<'a>,
    authority: Option<Authority>,
}

/// The certificates to trust for these authorities: each one's own, and those of its successors.
fn trusted(
    ids: &[ArtifactId],
    authorities: &HashMap<ArtifactId, AuthorityState<'_>>,
) -> Vec<Certificate> {
    let states = ids.iter().filter_map(|id| authorities.get(id));
    states
        .flat_map(|found| AuthorityFile::of(&found.state.chain).trusted())
        .cloned()
        .collect()
}
