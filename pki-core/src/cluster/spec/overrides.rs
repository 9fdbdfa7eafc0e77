//! What a spec says about single certificates and authorities of its profile.

use crate::x509::{KeyAlgorithm, Lifetime, SubjectAltName};

/// `[certificate.ID]`: how one certificate differs from what spec and profile say of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateOverride {
    pub(super) key_algorithm: Option<KeyAlgorithm>,
    pub(super) validity: Option<Lifetime>,
    pub(super) sans: Vec<SubjectAltName>,
}

impl CertificateOverride {
    /// Its own kind of key.
    pub fn key_algorithm(&self) -> Option<KeyAlgorithm> {
        self.key_algorithm
    }

    /// Its own lifetime.
    pub fn validity(&self) -> Option<Lifetime> {
        self.validity
    }

    /// Names and addresses it gets besides those of the profile.
    pub fn sans(&self) -> &[SubjectAltName] {
        &self.sans
    }
}

/// `[authority.ID]`: how one authority differs from what spec and profile say of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityOverride {
    pub(super) imported: bool,
    pub(super) key_algorithm: Option<KeyAlgorithm>,
    pub(super) validity: Option<Lifetime>,
    pub(super) common_name: Option<String>,
}

impl AuthorityOverride {
    /// Whether its certificate is given, not made: subject, algorithm and lifetime are then taken
    /// as found, and the three other settings are absent.
    pub fn is_imported(&self) -> bool {
        self.imported
    }

    /// Its own kind of key.
    pub fn key_algorithm(&self) -> Option<KeyAlgorithm> {
        self.key_algorithm
    }

    /// Its own lifetime.
    pub fn validity(&self) -> Option<Lifetime> {
        self.validity
    }

    /// Its own common name.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }
}
