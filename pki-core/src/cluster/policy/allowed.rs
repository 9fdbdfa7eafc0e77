//! What a policy let through: the only thing that is signed.

use std::fmt;

use ring::rand::SecureRandom;
use time::OffsetDateTime;

use crate::x509::{Authority, Certificate, IssueError, LeafRequest, Lifetime, PublicKey, lint};

/// A certificate that a policy lets the requester have. It is made of what the policy allowed and of the
/// request's key, and only [`SigningPolicy::check`](super::SigningPolicy::check) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    pub(super) policy: String,
    pub(super) request: LeafRequest,
    pub(super) public_key: PublicKey,
    pub(super) notes: Vec<Note>,
}

/// How the certificate will differ from what was asked for, without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It will not last as long.
    Shortened {
        /// What was asked for.
        wanted: Lifetime,
        /// What it gets.
        gets: Lifetime,
    },
    /// An extension that is not known here is left out.
    Extension(String),
}

impl Allowed {
    /// What the certificate will say.
    pub fn certificate(&self) -> &LeafRequest {
        &self.request
    }

    /// The policy that allows it.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// How it differs from what was asked for.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// With no longer a life than this.
    #[must_use]
    pub fn at_most(mut self, lifetime: Lifetime) -> Self {
        self.request.lifetime = self.request.lifetime.min(lifetime);
        self
    }

    /// Signs, once.
    ///
    /// # Errors
    /// [`IssueError`]; a certificate that would break a rule is not signed, nor one that this authority
    /// may not issue.
    pub fn sign(
        self,
        authority: &Authority,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Certificate, IssueError> {
        authority
            .prepare(&self.request, &self.public_key, now, rng)?
            .lint(&[lint::RULES, crate::cluster::lint::RULES])?
            .issue()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shortened { wanted, gets } => write!(f, "it asks for {wanted} and gets {gets}"),
            Self::Extension(oid) => write!(f, "extension {oid} is left out"),
        }
    }
}
