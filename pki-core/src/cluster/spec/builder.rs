//! Putting a spec together: from a file, from flags, from a program, or from all of them.

use super::document::{self, Document};
use super::{
    AuthorityDocument, CertificateDocument, ClusterSpec, Mistake, Node, NodeDocument, SpecError,
    User, UserDocument, Written, check, read,
};

/// Collects what is wanted, checks nothing before [`SpecBuilder::build`], and then reports every
/// mistake at once. Each setter replaces what was there, so that a flag overrides the file:
///
/// ```
/// use pki_core::cluster::spec::{ClusterSpec, NodeDocument, SpecBuilder, Written};
///
/// let file = "service-cidr = '10.3.0.0/24'\n[[node]]\nname = 'cp1'\naddresses = '192.0.2.1'\n";
/// let spec = SpecBuilder::from_toml(file)
///     .domain(Written::flag("--domain", "corp.example"))
///     .build()
///     .unwrap();
/// assert_eq!(spec.domain().as_str(), "corp.example");
///
/// let same = ClusterSpec::builder()
///     .service_cidrs(["10.3.0.0/24"])
///     .domain("corp.example")
///     .node(NodeDocument::new("cp1").addresses(["192.0.2.1"]))
///     .build()
///     .unwrap();
/// assert_eq!(spec, same);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SpecBuilder {
    pub(super) document: Document,
    pub(super) mistakes: Vec<Mistake>,
    /// Set when the text is no TOML: what it lacks is then no news.
    pub(super) unreadable: bool,
}

impl SpecBuilder {
    /// Begins with what is in a `cluster.toml`. Mistakes in it are kept for
    /// [`SpecBuilder::build`].
    pub fn from_toml(text: &str) -> Self {
        read::read(text)
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`SpecError`] lists every mistake.
    pub fn build(self) -> Result<ClusterSpec, SpecError> {
        if self.unreadable {
            return Err(SpecError {
                mistakes: self.mistakes,
            });
        }
        check::check(&self.document, self.mistakes)
    }

    /// Reports these mistakes together with those found.
    pub fn mistakes(mut self, found: SpecError) -> Self {
        self.mistakes.extend(found.mistakes);
        self
    }

    /// The cluster's name.
    pub fn name(mut self, name: impl Into<Written>) -> Self {
        self.document.name = Some(name.into());
        self
    }

    /// The DNS domain.
    pub fn domain(mut self, domain: impl Into<Written>) -> Self {
        self.document.domain = Some(domain.into());
        self
    }

    /// The service CIDRs.
    pub fn service_cidrs<T: Into<Written>>(mut self, cidrs: impl IntoIterator<Item = T>) -> Self {
        self.document.service_cidr = document::written(cidrs);
        self
    }

    /// The addresses of the cluster DNS.
    pub fn cluster_dns<T: Into<Written>>(mut self, dns: impl IntoIterator<Item = T>) -> Self {
        self.document.cluster_dns = document::written(dns);
        self
    }

    /// The pod CIDRs.
    pub fn pod_cidrs<T: Into<Written>>(mut self, cidrs: impl IntoIterator<Item = T>) -> Self {
        self.document.pod_cidr = document::written(cidrs);
        self
    }

    /// Where clients reach the API server.
    pub fn endpoint(mut self, endpoint: impl Into<Written>) -> Self {
        self.document.endpoint = Some(endpoint.into());
        self
    }

    /// Further names and addresses of the API server.
    pub fn sans<T: Into<Written>>(mut self, sans: impl IntoIterator<Item = T>) -> Self {
        self.document.san = document::written(sans);
        self
    }

    /// The profile.
    pub fn profile(mut self, profile: impl Into<Written>) -> Self {
        self.document.profile = Some(profile.into());
        self
    }

    /// The kind of keys.
    pub fn key_algorithm(mut self, algorithm: impl Into<Written>) -> Self {
        self.document.key_algorithm = Some(algorithm.into());
        self
    }

    /// How long certificates last.
    pub fn validity(mut self, validity: impl Into<Written>) -> Self {
        self.document.validity = Some(validity.into());
        self
    }

    /// How long authorities last.
    pub fn ca_validity(mut self, validity: impl Into<Written>) -> Self {
        self.document.ca_validity = Some(validity.into());
        self
    }

    /// Where the authorities are kept.
    pub fn ca_dir(mut self, directory: impl Into<Written>) -> Self {
        self.document.ca_dir = Some(directory.into());
        self
    }

    /// The nodes, in place of any there were.
    pub fn nodes(mut self, nodes: impl IntoIterator<Item = NodeDocument>) -> Self {
        self.document.node = nodes.into_iter().collect();
        self
    }

    /// One more node.
    pub fn node(mut self, node: NodeDocument) -> Self {
        self.document.node.push(node);
        self
    }

    /// One more node, as [`Node::from_flag`] reads it.
    pub fn node_flag(self, text: &str) -> Self {
        match Node::from_flag(text) {
            Ok(node) => self.node(node),
            Err(found) => self.mistakes(found),
        }
    }

    /// The users, in place of any there were.
    pub fn users(mut self, users: impl IntoIterator<Item = UserDocument>) -> Self {
        self.document.user = users.into_iter().collect();
        self
    }

    /// One more user.
    pub fn user(mut self, user: UserDocument) -> Self {
        self.document.user.push(user);
        self
    }

    /// One more user, as [`User::from_flag`] reads them.
    pub fn user_flag(self, text: &str) -> Self {
        self.user(User::from_flag(text))
    }

    /// How the certificate with that id in the profile differs.
    pub fn certificate(mut self, id: impl Into<String>, differs: CertificateDocument) -> Self {
        self.document.certificate.insert(id.into(), differs);
        self
    }

    /// How the authority with that id in the profile differs.
    pub fn authority(mut self, id: impl Into<String>, differs: AuthorityDocument) -> Self {
        self.document.authority.insert(id.into(), differs);
        self
    }

    /// The service CIDRs as far as they are given yet, unchecked.
    pub fn given_service_cidrs(&self) -> impl Iterator<Item = &str> {
        self.document.service_cidr.iter().map(Written::text)
    }

    /// The profile, if it was given yet, unchecked.
    pub fn given_profile(&self) -> Option<&str> {
        self.document.profile.as_ref().map(Written::text)
    }

    /// The directory of authorities, if it was given yet.
    pub fn given_ca_dir(&self) -> Option<&str> {
        self.document.ca_dir.as_ref().map(Written::text)
    }

    /// Whether any node was given yet, so that a caller can add the machine it runs on.
    pub fn has_nodes(&self) -> bool {
        !self.document.node.is_empty()
    }
}
