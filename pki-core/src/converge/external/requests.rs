//! Signing requests for what has to be signed elsewhere, and the keys that wait for it.

use ring::rand::SecureRandom;

use super::pending;
use super::waiting;
use crate::cluster::blueprint::ArtifactId;
use crate::cluster::{FileMode, Location};
use crate::converge::apply::Changes;
use crate::converge::plan::Plan;
use crate::x509::{PrivateKey, RandomError, SigningRequest, SigningRequestError};

/// The requests of a plan. Their keys are to be written before the requests are given to anybody.
#[derive(Debug)]
pub struct Requests {
    /// In the order of the plan.
    pub requests: Vec<Request>,
    /// The new keys, mode 0600.
    pub keys: Changes,
}

/// One signing request.
#[derive(Debug)]
pub struct Request {
    /// Whose certificate is asked for.
    pub artifact: ArtifactId,
    /// Who is to sign.
    pub authority: ArtifactId,
    /// Subject, names, usages and key as the blueprint wants them.
    pub request: SigningRequest,
    /// A name for its file, without an ending: `node.cp1.apiserver`.
    pub name: String,
    /// Where its key waits.
    pub key: Location,
    /// Whether that key was made just now: else a request for it was made before, whose certificate does as well.
    pub key_is_new: bool,
}

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub enum RequestsError {
    /// The system has no randomness to give.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A request could not be laid out.
    #[error("{artifact}: {error}")]
    Request {
        /// Whose.
        artifact: ArtifactId,
        /// Why.
        error: SigningRequestError,
    },
}

impl Plan<'_> {
    /// A request for each leaf whose authority's key is nowhere. A key that waits already is used again, so that
    /// a certificate for an earlier request fits.
    ///
    /// # Errors
    /// When there is no randomness, or a name does not fit into a request.
    pub fn requests(&self, rng: &dyn SecureRandom) -> Result<Requests, RequestsError> {
        let mut made = Requests {
            requests: Vec::new(),
            keys: Changes::default(),
        };
        for waiting in waiting(self) {
            let wanted = &waiting.entry.request;
            let id = &waiting.artifact.id;
            let new = match waiting.key {
                Some(_) => None,
                None => Some(PrivateKey::generate(wanted.key_algorithm, rng)?),
            };
            let Some(key) = waiting.key.or(new.as_ref()) else {
                continue;
            };
            let request =
                SigningRequest::generate(&wanted.subject, &wanted.sans, &wanted.usages, key)
                    .map_err(|error| RequestsError::Request {
                        artifact: id.clone(),
                        error,
                    })?;
            let location = pending::at(id);
            if let Some(key) = &new {
                let pem = key.secret_pem();
                let bytes = zeroize::Zeroizing::new(pem.as_bytes().to_vec());
                made.keys
                    .add(location.clone(), bytes, FileMode::PRIVATE_KEY);
            }
            made.requests.push(Request {
                artifact: id.clone(),
                authority: waiting.entry.issuer.clone(),
                request,
                name: pending::name(id),
                key: location,
                key_is_new: new.is_some(),
            });
        }
        Ok(made)
    }
}
