//! What a caller asks an authority to issue.

use std::net::IpAddr;

use super::{
    DistinguishedName, DnsName, DnsNameError, KeyAlgorithm, Lifetime, SubjectAltName, Usage,
};

/// The wish for a leaf certificate: whom it is for, which names it covers, what for, how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafRequest {
    /// The subject.
    pub subject: DistinguishedName,
    /// The alternative names, in the order in which they are to stand.
    pub sans: Vec<SubjectAltName>,
    /// The extended key usages; at least one.
    pub usages: Vec<Usage>,
    /// How long it is to last; the authority's own end may cut it short.
    pub lifetime: Lifetime,
    /// The kind of key to make, where the authority makes it.
    pub key_algorithm: KeyAlgorithm,
}

impl LeafRequest {
    /// A server under a DNS name, which becomes its common name and its first alternative name.
    ///
    /// # Errors
    /// When `name` is no DNS name.
    pub fn server(name: &str) -> Result<Self, DnsNameError> {
        Ok(Self::client(name)
            .for_usages(&[Usage::Server])
            .with_dns(DnsName::new(name)?))
    }

    /// A client with a common name, without alternative names.
    pub fn client(common_name: &str) -> Self {
        Self {
            subject: DistinguishedName::new(common_name, &[] as &[&str]),
            sans: Vec::new(),
            usages: vec![Usage::Client],
            lifetime: Lifetime::years(1),
            key_algorithm: KeyAlgorithm::default(),
        }
    }

    /// A server that also dials out with the same certificate, as etcd members do.
    ///
    /// # Errors
    /// When `name` is no DNS name.
    pub fn peer(name: &str) -> Result<Self, DnsNameError> {
        Ok(Self::server(name)?.for_usages(&[Usage::Server, Usage::Client]))
    }

    /// With this subject in place of the common name alone.
    #[must_use]
    pub fn with_subject(mut self, subject: DistinguishedName) -> Self {
        self.subject = subject;
        self
    }

    /// With one more address.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<IpAddr>) -> Self {
        self.sans.push(SubjectAltName::Ip(address.into()));
        self
    }

    /// With one more DNS name.
    #[must_use]
    pub fn with_dns(mut self, name: DnsName) -> Self {
        self.sans.push(SubjectAltName::Dns(name));
        self
    }

    /// For these usages and no others.
    #[must_use]
    pub fn for_usages(mut self, usages: &[Usage]) -> Self {
        self.usages = usages.to_vec();
        self
    }

    /// With another lifetime than a year.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// With another kind of key than P-256.
    #[must_use]
    pub fn with_key_algorithm(mut self, algorithm: KeyAlgorithm) -> Self {
        self.key_algorithm = algorithm;
        self
    }
}
