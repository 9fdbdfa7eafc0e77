//! Profiles: PKI topologies as data. Which authorities there are, which certificates each kind of node
//! gets, with which subject, usages and names, in which files.

mod check;
mod document;
mod mistake;
mod san_source;
mod shipped;

pub use mistake::{ProfileError, ProfileFact, ProfileMistake};
pub use san_source::SanSource;

use super::location::RelativePath;
use super::spec::Role;
use crate::x509::{KeyAlgorithm, Lifetime, Usage};

/// A checked profile: every identifier in it is defined, every word known, no two files on one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) validity: Lifetime,
    pub(super) ca_validity: Lifetime,
    pub(super) authorities: Vec<AuthorityRule>,
    pub(super) certificates: Vec<CertificateRule>,
    pub(super) kubeconfigs: Vec<KubeconfigRule>,
    pub(super) bundles: Vec<BundleRule>,
    pub(super) service_accounts: Vec<SecretRule>,
    pub(super) encryptions: Vec<SecretRule>,
    pub(super) user: Option<UserRule>,
    pub(super) edges: Vec<EdgeRule>,
}

/// `[authority.ID]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityRule {
    pub(super) id: String,
    pub(super) common_name: String,
    /// Without `.crt` and `.key`.
    pub(super) file: RelativePath,
    pub(super) certificate_on: Vec<Role>,
    pub(super) key_on: Vec<Role>,
    pub(super) path_length: Option<u8>,
    pub(super) name_constraints: bool,
    pub(super) validity: Option<Lifetime>,
    pub(super) key_algorithm: Option<KeyAlgorithm>,
}

/// `[certificate.ID]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRule {
    pub(super) id: String,
    pub(super) on: Vec<Role>,
    /// One for each node, or one for the whole cluster.
    pub(super) per_node: bool,
    /// Without `.crt` and `.key`.
    pub(super) file: RelativePath,
    pub(super) issuer: String,
    pub(super) common_name: String,
    pub(super) organizations: Vec<String>,
    pub(super) usages: Vec<Usage>,
    pub(super) sans: Vec<SanSource>,
    pub(super) validity: Option<Lifetime>,
    pub(super) key_algorithm: Option<KeyAlgorithm>,
}

/// `[kubeconfig.ID]`: a client certificate inside a kubeconfig, one for each node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeconfigRule {
    pub(super) id: String,
    pub(super) on: Vec<Role>,
    pub(super) file: RelativePath,
    pub(super) issuer: String,
    pub(super) trusts: Vec<String>,
    pub(super) common_name: String,
    pub(super) organizations: Vec<String>,
    pub(super) server: ServerChoice,
    pub(super) validity: Option<Lifetime>,
    pub(super) key_algorithm: Option<KeyAlgorithm>,
}

/// Which API server a kubeconfig names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerChoice {
    /// The spec's endpoint.
    Endpoint,
    /// The one on the same node, on its first address.
    Node,
    /// The one on the same node where there is one, else the spec's endpoint.
    Nearest,
}

/// `[user]`: what people get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRule {
    pub(super) issuer: String,
    pub(super) trusts: Vec<String>,
}

/// `[bundle.ID]`: several authorities' certificates in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleRule {
    pub(super) id: String,
    pub(super) on: Vec<Role>,
    pub(super) file: RelativePath,
    pub(super) authorities: Vec<String>,
}

/// `[service-account.ID]` and `[encryption.ID]`: one secret for the whole cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRule {
    pub(super) id: String,
    pub(super) on: Vec<Role>,
    pub(super) file: RelativePath,
}

/// `[[edge]]`: one client -> server TLS relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeRule {
    pub(super) name: String,
    /// A certificate or kubeconfig, `user` for people; `None` for a client without a certificate.
    pub(super) client: Option<String>,
    pub(super) server: String,
    /// Empty for a kubeconfig client, which brings its own.
    pub(super) client_trusts: Vec<String>,
    /// Empty for a server that asks for no client certificate.
    pub(super) server_trusts: Vec<String>,
    pub(super) dials: Vec<SanSource>,
    pub(super) same_node: bool,
}

/// How `[[edge]]` names the kubeconfigs of people.
pub(super) const USER: &str = "user";

impl Profile {
    /// Reads and checks a profile.
    ///
    /// # Errors
    /// [`ProfileError`] with the line of every mistake.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        check::read(text)
    }

    /// The shipped profile of that name, see [`Self::shipped_names`].
    pub fn shipped(name: &str) -> Option<Self> {
        shipped::text(name)
            .map(|text| Self::from_toml(text).expect("a test reads every shipped profile"))
    }

    /// The TOML of the shipped profile of that name, to start one's own from.
    pub fn shipped_text(name: &str) -> Option<&'static str> {
        shipped::text(name)
    }

    /// The names of the shipped profiles, the default first.
    pub fn shipped_names() -> impl Iterator<Item = &'static str> {
        shipped::PROFILES.iter().map(|(name, _)| *name)
    }

    /// kubeadm's layout and names: the default.
    pub fn kubeadm() -> Self {
        Self::shipped("kubeadm").expect("kubeadm is shipped")
    }

    /// Its own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in a sentence.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The identifiers that a spec's `[authority.ID]` may name.
    pub fn authority_ids(&self) -> impl Iterator<Item = &str> {
        self.authorities.iter().map(|rule| rule.id.as_str())
    }

    /// The common name of an authority where the spec says no other.
    pub fn authority_common_name(&self, id: &str) -> Option<&str> {
        let rule = self.authorities.iter().find(|rule| rule.id == id);
        rule.map(|rule| rule.common_name.as_str())
    }

    /// The identifiers that a spec's `[certificate.ID]` may name: certificates, kubeconfigs and
    /// service-account key pairs.
    pub fn certificate_ids(&self) -> impl Iterator<Item = &str> {
        let certificates = self.certificates.iter().map(|rule| rule.id.as_str());
        let kubeconfigs = self.kubeconfigs.iter().map(|rule| rule.id.as_str());
        let accounts = self.service_accounts.iter().map(|rule| rule.id.as_str());
        certificates.chain(kubeconfigs).chain(accounts)
    }
}
