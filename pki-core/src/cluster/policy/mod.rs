//! Signing policies: which names, groups, usages, validity and keys a requester may have.
//!
//! ```
//! use pki_core::cluster::policy::{Ground, SigningPolicy, Wish};
//! # use pki_core::cluster::{blueprint::Blueprint, profile::Profile};
//! # use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
//! # use pki_core::x509::*;
//! # use ring::rand::SystemRandom;
//! # use time::OffsetDateTime;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
//! # let (ca, _) = Authority::generate("kubernetes-ca", &CaOptions::default(), now, &rng)?;
//! # let spec = ClusterSpec::builder()
//! #     .service_cidrs(["10.3.0.0/24"])
//! #     .node(NodeDocument::new("cp1").addresses(["192.0.2.11"]))
//! #     .build()?;
//! # let blueprint = Blueprint::new(&spec, &Profile::kubeadm())?;
//! # let key = PrivateKey::generate(KeyAlgorithm::default(), &rng)?;
//! # let kubelet = DistinguishedName::new("system:node:cp1", &["system:nodes"]);
//! # let csr = SigningRequest::generate(&kubelet, &[], &[Usage::Client], &key)?.pem();
//! let request = SigningRequest::from_pem(csr.as_bytes())?;
//! let ground = Ground { spec: &spec, blueprint: &blueprint };
//! let policy = SigningPolicy::shipped("kubelet-client").unwrap();
//! let allowed = policy.check(&Wish::new(&request), Some(&ground))?; // or every reason against it
//! let certificate = allowed.sign(&ca, now, &rng)?;
//! assert_eq!(certificate.subject.common_name(), Some("system:node:cp1"));
//! # Ok(())
//! # }
//! ```
//!
//! Nothing of a request but its key reaches a certificate as it is: an [`Allowed`] is laid out from
//! what the policy let through.

mod allowed;
mod check;
mod document;
mod issuer;
mod mistake;
mod object;
mod pattern;
mod read;
mod refusal;
mod reserved;
mod shipped;
#[cfg(test)]
mod tests;
mod usages;

pub use allowed::{Allowed, Note};
pub use check::{Ground, Wish};
pub use issuer::issuer_for;
pub use mistake::{PolicyError, PolicyFact, PolicyMistake};
pub use object::{ObjectError, RequestObject};
pub use refusal::{Refusal, Refused};

use crate::x509::{
    ExtendedKeyUsage, KeyAlgorithm, Lifetime, SigningRequest, SubjectAltName, Usage,
};
use pattern::{AddressPattern, DnsPattern, TextPattern};

/// A checked policy: [`SigningPolicy::check`] holds a request against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningPolicy {
    name: String,
    description: String,
    signer: Option<String>,
    common_names: Vec<TextPattern>,
    common_name_required: bool,
    groups: Vec<TextPattern>,
    groups_required: bool,
    usages: Vec<Usage>,
    dns: Vec<DnsPattern>,
    addresses: Vec<AddressPattern>,
    emails: Vec<TextPattern>,
    uris: Vec<TextPattern>,
    wildcards: bool,
    names_required: bool,
    lifetime: Lifetime,
    key_algorithms: Vec<KeyAlgorithm>,
}

impl SigningPolicy {
    /// Reads and checks a policy.
    ///
    /// # Errors
    /// [`PolicyError`] with the line of every mistake.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        read::read(text)
    }

    /// The shipped policy of that name, see [`Self::shipped_names`].
    pub fn shipped(name: &str) -> Option<Self> {
        shipped::text(name)
            .map(|text| Self::from_toml(text).expect("a test reads every shipped policy"))
    }

    /// The TOML of the shipped policy of that name, to start one's own from.
    pub fn shipped_text(name: &str) -> Option<&'static str> {
        shipped::text(name)
    }

    /// The names of the shipped policies.
    pub fn shipped_names() -> impl Iterator<Item = &'static str> {
        shipped::POLICIES.iter().map(|(name, _)| *name)
    }

    /// The shipped policy for CertificateSigningRequest objects of this signer.
    pub fn for_signer(signer: &str) -> Option<Self> {
        Self::shipped_names()
            .filter_map(Self::shipped)
            .find(|policy| policy.signer.as_deref() == Some(signer))
    }

    /// The name of the shipped policy that is for such a request, by what it asks for: the common name
    /// of a kubelet, an alternative name or the use in a server. The policy then checks all of it.
    pub fn meant_by(request: &SigningRequest) -> &'static str {
        let kubelet = request.subject.common_name().unwrap_or_default();
        let is_name =
            |san: &SubjectAltName| matches!(san, SubjectAltName::Dns(_) | SubjectAltName::Ip(_));
        let server = request.asks_for(Usage::Server) || request.sans.iter().any(is_name);
        match (kubelet.starts_with("system:node:"), server) {
            (true, true) => "kubelet-serving",
            (true, false) => "kubelet-client",
            (false, true) => "server",
            (false, false) => "people",
        }
    }

    /// Its own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in a sentence.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The `signerName` of the objects that it is for.
    pub fn signer(&self) -> Option<&str> {
        self.signer.as_deref()
    }

    /// What it lets certificates be used for.
    pub fn usages(&self) -> &[Usage] {
        &self.usages
    }

    fn allows_usage(&self, usage: &ExtendedKeyUsage) -> Option<Usage> {
        let known = self.usages.iter().copied();
        known
            .into_iter()
            .find(|known| *usage == ExtendedKeyUsage::Known(*known))
    }
}
