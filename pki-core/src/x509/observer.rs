//! A TLS client that accepts every certificate and remembers it: for looking at a server, never for talking to one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, DEFAULT_VERSIONS, DigitallySignedStruct, Error, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{DialedName, Identity, tls};

/// What a server showed during a handshake, also one that failed after it.
#[derive(Debug)]
pub(crate) struct Observer {
    chain: Mutex<Vec<Vec<u8>>>,
    asked: AtomicBool,
    identity: Option<Arc<CertifiedKey>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Observer {
    /// A connection that is about to shake hands, and who watches it. `identity` is shown to a server that
    /// asks. `None` where `name` is a wildcard, which cannot be dialled.
    pub(crate) fn connection(
        name: &DialedName,
        identity: Option<&Identity>,
    ) -> Result<Option<(ClientConnection, Arc<Self>)>, Error> {
        let Some(name) = name.server_name() else {
            return Ok(None);
        };
        let provider = tls::provider();
        let observer = Arc::new(Self {
            chain: Mutex::default(),
            asked: AtomicBool::new(false),
            identity: identity.map(Identity::certified_key),
            algorithms: provider.signature_verification_algorithms,
        });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(DEFAULT_VERSIONS)?
            .dangerous()
            .with_custom_certificate_verifier(observer.clone())
            .with_client_cert_resolver(observer.clone());
        // A resumed session shows no certificate.
        config.resumption = Resumption::disabled();
        let connection = ClientConnection::new(Arc::new(config), name)?;
        Ok(Some((connection, observer)))
    }

    /// The certificates in the order in which the server sent them, the leaf first; empty as long as it sent none.
    pub(crate) fn chain(&self) -> Vec<Vec<u8>> {
        let chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        chain.clone()
    }

    /// Whether the server asked for a certificate.
    pub(crate) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ServerCertVerifier for Observer {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = std::iter::once(leaf).chain(above);
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        *chain = all.map(|certificate| certificate.to_vec()).collect();
        Ok(ServerCertVerified::assertion())
    }

    // That the server holds the key is proven all the same.

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for Observer {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.identity.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}
