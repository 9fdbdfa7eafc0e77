//! TLS configurations from what was issued: ring's algorithms, TLS 1.2 and 1.3.
//!
//! The provider is always given by hand: a library must neither need nor set the process's default.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::{ClientConfig, DEFAULT_VERSIONS, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{
    Authority, Certificate, DistinguishedName, Issued, PrivateKey, TrustAnchors, TrustAnchorsError,
};

/// Who one is in TLS: a certificate, those between it and the root, and its key, proven to match.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<Certificate>,
    key: Arc<CertifiedKey>,
}

/// Why certificates and a key make no [`Identity`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// No certificate was given.
    #[error("no certificate")]
    Empty,
    /// The key is another certificate's.
    #[error("the key ({key}) does not belong to the certificate of {subject} ({certificate})")]
    KeyMismatch {
        /// The certificate's subject.
        subject: DistinguishedName,
        /// What kind of key the certificate certifies.
        certificate: String,
        /// What kind of key was given.
        key: String,
    },
    /// rustls does not sign with this key.
    #[error("the key cannot sign in TLS: {0}")]
    Unusable(String),
}

impl Identity {
    /// Proves that `key` belongs to the first of `chain`. The key itself stays with the caller.
    ///
    /// # Errors
    /// When `chain` is empty or the key is another's.
    pub fn new(chain: Vec<Certificate>, key: &PrivateKey) -> Result<Self, IdentityError> {
        let leaf = chain.first().ok_or(IdentityError::Empty)?;
        if leaf.public_key != *key.public_key() {
            return Err(IdentityError::KeyMismatch {
                subject: leaf.subject.clone(),
                certificate: leaf.public_key.to_string(),
                key: key.public_key().to_string(),
            });
        }
        let pkcs8 = key.secret_pkcs8();
        // Lent, not given: rustls would not wipe a copy of its own.
        let lent = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(&pkcs8[..]));
        let signing = ring::sign::any_supported_type(&lent)
            .map_err(|error| IdentityError::Unusable(error.to_string()))?;
        let presented = chain
            .iter()
            .map(|certificate| CertificateDer::from(certificate.der().to_vec()))
            .collect();
        Ok(Self {
            key: Arc::new(CertifiedKey::new(presented, signing)),
            chain,
        })
    }

    /// The certificate that the key belongs to.
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// What is presented to a peer: the certificate, then those above it.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// As rustls wants it.
    pub(crate) fn certified_key(&self) -> Arc<CertifiedKey> {
        self.key.clone()
    }

    /// A server that asks no client for a certificate.
    pub fn server_config(&self) -> ServerConfig {
        server(self, None, system_clock())
    }

    /// A server that serves nobody without a certificate from one of `clients`: mutual TLS.
    pub fn server_config_requiring(&self, clients: &TrustAnchors) -> ServerConfig {
        server(self, Some(clients), system_clock())
    }

    /// A client that shows this certificate to whoever asks, and trusts servers under `servers`.
    pub fn client_config(&self, servers: &TrustAnchors) -> ClientConfig {
        client(Some(self), servers, system_clock())
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({:?})", self.chain)
    }
}

impl TrustAnchors {
    /// A client without a certificate of its own that trusts servers under these anchors.
    pub fn client_config(&self) -> ClientConfig {
        client(None, self, system_clock())
    }
}

impl Authority {
    /// A client without a certificate that trusts servers under this authority.
    ///
    /// # Errors
    /// When webpki cannot read the authority's certificate.
    pub fn client_config(&self) -> Result<ClientConfig, TrustAnchorsError> {
        let anchors = TrustAnchors::new(std::slice::from_ref(self.certificate()))?;
        Ok(anchors.client_config())
    }
}

impl Issued {
    /// The certificate with its key and what stands between it and the root, ready for TLS.
    ///
    /// # Errors
    /// When rustls does not sign with the key.
    pub fn identity(&self) -> Result<Identity, IdentityError> {
        Identity::new(self.chain(), &self.key)
    }

    /// A server that asks no client for a certificate; see [`Identity`] for the others.
    ///
    /// # Errors
    /// When rustls does not sign with the key.
    pub fn server_config(&self) -> Result<ServerConfig, IdentityError> {
        Ok(self.identity()?.server_config())
    }

    /// A server that serves nobody without a certificate from one of `clients`: mutual TLS.
    ///
    /// # Errors
    /// When rustls does not sign with the key.
    pub fn server_config_requiring(
        &self,
        clients: &TrustAnchors,
    ) -> Result<ServerConfig, IdentityError> {
        Ok(self.identity()?.server_config_requiring(clients))
    }

    /// A client that shows this certificate to whoever asks, and trusts servers under `servers`.
    ///
    /// # Errors
    /// When rustls does not sign with the key.
    pub fn client_config(&self, servers: &TrustAnchors) -> Result<ClientConfig, IdentityError> {
        Ok(self.identity()?.client_config(servers))
    }
}

impl TryFrom<&Issued> for Identity {
    type Error = IdentityError;

    fn try_from(issued: &Issued) -> Result<Self, Self::Error> {
        issued.identity()
    }
}

/// A server's configuration under a clock of the caller's.
pub(super) fn server(
    identity: &Identity,
    clients: Option<&TrustAnchors>,
    clock: Arc<dyn TimeProvider>,
) -> ServerConfig {
    let builder = ServerConfig::builder_with_details(provider(), clock)
        .with_protocol_versions(DEFAULT_VERSIONS)
        .expect("ring has cipher suites for TLS 1.2 and 1.3");
    match clients {
        Some(clients) => builder.with_client_cert_verifier(client_verifier(clients)),
        None => builder.with_no_client_auth(),
    }
    .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.key.clone())))
}

/// A client's configuration under a clock of the caller's.
pub(super) fn client(
    identity: Option<&Identity>,
    servers: &TrustAnchors,
    clock: Arc<dyn TimeProvider>,
) -> ClientConfig {
    let builder = ClientConfig::builder_with_details(provider(), clock)
        .with_protocol_versions(DEFAULT_VERSIONS)
        .expect("ring has cipher suites for TLS 1.2 and 1.3")
        .with_webpki_verifier(server_verifier(servers));
    match identity {
        Some(identity) => builder
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.key.clone()))),
        None => builder.with_no_client_auth(),
    }
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn system_clock() -> Arc<dyn TimeProvider> {
    Arc::new(DefaultTimeProvider)
}

fn roots(anchors: &TrustAnchors) -> Arc<RootCertStore> {
    let roots = anchors.anchors().to_vec();
    Arc::new(RootCertStore { roots })
}

fn client_verifier(clients: &TrustAnchors) -> Arc<dyn ClientCertVerifier> {
    WebPkiClientVerifier::builder_with_provider(roots(clients), provider())
        .build()
        .expect("anchors are never empty, and there are no CRLs to be wrong")
}

fn server_verifier(servers: &TrustAnchors) -> Arc<WebPkiServerVerifier> {
    WebPkiServerVerifier::builder_with_provider(roots(servers), provider())
        .build()
        .expect("anchors are never empty, and there are no CRLs to be wrong")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{chain, client, fixture, root, server};
    use super::*;

    #[test]
    fn a_key_and_a_certificate_must_belong_together() {
        let (ca, _) = root("ca");
        let (one, other) = (server(&ca, "a.test"), server(&ca, "b.test"));
        assert!(Identity::new(one.chain(), &one.key).is_ok());
        assert!(matches!(
            Identity::new(one.chain(), &other.key),
            Err(IdentityError::KeyMismatch { .. })
        ));
        assert_eq!(
            Identity::new(vec![], &one.key).err(),
            Some(IdentityError::Empty)
        );
    }

    #[test]
    fn foreign_keys_in_every_form_make_identities() {
        let leaf = chain(fixture!("chain.pem"));
        let root = chain(fixture!("corporate-root.crt"));
        for (certificates, key) in [
            (leaf.clone(), fixture!("ec-sec1.key")),
            (leaf, fixture!("ec-pkcs8.key")),
            (chain(fixture!("client-ca.crt")), fixture!("p384-sec1.key")),
            (chain(fixture!("no-usage.crt")), fixture!("ed25519.key")),
            (root.clone(), fixture!("rsa-pkcs1.key")),
            (root, fixture!("rsa-pkcs8.key")),
        ] {
            let key = PrivateKey::from_pem(key).unwrap();
            let identity = Identity::new(certificates, &key).unwrap();
            assert!(!identity.chain().is_empty());
        }
    }

    #[test]
    fn configurations_need_no_provider_of_the_process() {
        let (ca, _) = root("ca");
        let trusted = TrustAnchors::new(ca.chain()).unwrap();
        let issued = server(&ca, "a.test");
        let _: ServerConfig = issued.server_config().unwrap();
        let identity = Identity::try_from(&issued).unwrap();
        let _: ServerConfig = identity.server_config_requiring(&trusted);
        let _: ClientConfig = client(&ca, "a").identity().unwrap().client_config(&trusted);
        let _: ClientConfig = trusted.client_config();
        assert!(CryptoProvider::get_default().is_none());
    }

    #[test]
    fn debug_shows_no_key() {
        let (ca, _) = root("ca");
        let identity = server(&ca, "a.test").identity().unwrap();
        assert!(format!("{identity:?}").starts_with("Identity([Certificate(CN=a.test "));
    }
}
