//! For programs that use other crates beside this one: the crates whose types are in this library's signatures, in the versions that
//! it uses, and an authority as rcgen's issuer. Besides `layout` this is the only place that knows rcgen.

pub use {rcgen, ring, rustls, time};

use rcgen::{CertificateParams, Issuer, PublicKeyData, SigningKey};
use rustls_pki_types::CertificateDer;

use super::layout::{Key, Recorder, signature_algorithm};
use super::{Authority, LayoutError, Signer, asn1};

/// A [`Signer`] as rcgen wants it: it signs, and its key is seen by nobody.
pub struct SignsForRcgen<'a> {
    signer: &'a dyn Signer,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl Authority {
    /// This authority as an issuer of rcgen's, for code that lays out its certificates with rcgen. What rcgen issues under it is
    /// neither checked against this library's rules nor laid out by it; [`Authority::issue`] does both.
    ///
    /// ```
    /// use pki_core::x509::interop::rcgen::{CertificateParams, KeyPair};
    /// use pki_core::x509::{Authority, CaOptions};
    /// # use ring::rand::SystemRandom;
    /// # use time::OffsetDateTime;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    /// let (ca, _its_key) = Authority::generate("test-ca", &CaOptions::default(), now, &rng)?;
    /// let params = CertificateParams::new(["db.test".to_owned()])?;
    /// let certificate = params.signed_by(&KeyPair::generate()?, &ca.rcgen_issuer()?)?;
    /// # drop(certificate);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When rcgen 0.14 would write the authority's name otherwise than it is, so that no chain would be found: it keeps one value of
    /// each attribute type.
    pub fn rcgen_issuer(&self) -> Result<Issuer<'static, SignsForRcgen<'_>>, LayoutError> {
        let algorithm = signature_algorithm(Some(self.signer().algorithm()))?;
        self.survives_rcgen(algorithm)?;
        let signer = SignsForRcgen {
            signer: self.signer(),
            algorithm,
        };
        Issuer::from_ca_cert_der(&self.der(), signer).map_err(refused)
    }

    /// Lets rcgen lay out a certificate under this authority, and looks for its name there.
    fn survives_rcgen(
        &self,
        algorithm: &'static rcgen::SignatureAlgorithm,
    ) -> Result<(), LayoutError> {
        let key = || Key {
            algorithm,
            bytes: self.signer().public_key().key_bytes(),
        };
        let recorder = Recorder {
            key: key(),
            message: Default::default(),
        };
        let issuer = Issuer::from_ca_cert_der(&self.der(), &recorder).map_err(refused)?;
        CertificateParams::default()
            .signed_by(&key(), &issuer)
            .map_err(refused)?;
        let message = recorder.message.borrow();
        let elements = asn1::elements(&message).map_err(|error| LayoutError(error.to_string()))?;
        let subject = &self.certificate().subject;
        if elements.get(3).copied() == Some(subject.der()) {
            Ok(())
        } else {
            Err(LayoutError(format!(
                "rcgen cannot write the name {subject}: it keeps one value of each attribute type"
            )))
        }
    }

    fn der(&self) -> CertificateDer<'_> {
        CertificateDer::from(self.certificate().der())
    }
}

fn refused(error: rcgen::Error) -> LayoutError {
    LayoutError(error.to_string())
}

impl PublicKeyData for SignsForRcgen<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.signer.public_key().key_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for SignsForRcgen<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let failed = |_| rcgen::Error::RemoteKeyError;
        self.signer.sign(message).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::{
        CaOptions, Certificate, DistinguishedName, KeyAlgorithm, LocalSigner, PrivateKey,
        self_signed, signature_valid,
    };

    const NOW: time::OffsetDateTime = time::macros::datetime!(2026-11-27 12:00 UTC);

    fn issued(ca: &Authority) -> Certificate {
        let mut params = CertificateParams::new(["db.test".to_owned()]).unwrap();
        params.not_before = NOW;
        params.not_after = NOW + time::Duration::days(1);
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &ca.rcgen_issuer().unwrap()).unwrap();
        Certificate::from_der(certificate.der()).unwrap()
    }

    #[test]
    fn what_rcgen_issues_is_trusted_under_any_kind_of_key() {
        let rng = ring::rand::SystemRandom::new();
        for key_algorithm in [
            KeyAlgorithm::EcdsaP256,
            KeyAlgorithm::EcdsaP384,
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::Rsa2048,
        ] {
            let options = CaOptions {
                key_algorithm,
                ..CaOptions::default()
            };
            let (ca, _key) = Authority::generate("ca", &options, NOW, &rng).unwrap();
            let leaf = issued(&ca);
            assert!(signature_valid(&leaf, ca.certificate()), "{key_algorithm}");
            assert_eq!(
                leaf.authority_key_identifier,
                ca.certificate().subject_key_identifier
            );
        }
    }

    #[test]
    fn a_name_that_rcgen_would_lose_is_refused() {
        let rng = ring::rand::SystemRandom::new();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256, &rng).unwrap();
        let subject = DistinguishedName::new("ca", &["one", "two"]);
        let signer = LocalSigner::new(&key).unwrap();
        let root = self_signed(&subject, &CaOptions::default(), &signer, NOW, &rng).unwrap();
        let ca = Authority::load(vec![root], signer, NOW).unwrap();
        let error = ca.rcgen_issuer().err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "rcgen cannot write the name {subject}: it keeps one value of each attribute type"
            )
        );
    }
}
