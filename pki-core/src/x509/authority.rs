//! A CA that can sign: a certificate and a signer, proven to match.

mod error;

use ring::rand::SecureRandom;
use time::OffsetDateTime;
use x509_parser::certificate::TbsCertificate;
use x509_parser::prelude::FromDer;

use super::certificate::{Details, Known};
use super::layout::{self, Kind, Layout, LayoutError};
use super::lint::{self, Finding, Rule, Severity, Subject};
use super::{
    Certificate, DistinguishedName, Extensions, KeyAlgorithm, KeyUsage, LeafRequest, Lifetime,
    LocalSigner, NameConstraints, PrivateKey, PublicKey, SerialNumber, Signer, Validity,
};
pub use error::{AuthorityError, IssueError};

/// A CA certificate together with the signer that holds its key. Whoever has one has proof that it
/// is a CA, may sign, is valid at the moment it was loaded, and that the key belongs to it.
pub struct Authority {
    /// The CA's own certificate first, then those above it, if they were given.
    chain: Vec<Certificate>,
    signer: Box<dyn Signer>,
    /// The signer's place in issued certificates: its own subjectKeyIdentifier, byte for byte.
    key_identifier: Vec<u8>,
}

/// How to make a CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaOptions {
    /// How long it is to last.
    pub lifetime: Lifetime,
    /// The kind of key.
    pub key_algorithm: KeyAlgorithm,
    /// How many CAs may stand between it and a leaf; `Some(0)`: it issues leaves only.
    pub path_length: Option<u8>,
    /// What it may issue for.
    pub name_constraints: NameConstraints,
}

/// Ten years, P-256, leaves only, unconstrained names.
impl Default for CaOptions {
    fn default() -> Self {
        Self {
            lifetime: Lifetime::years(10),
            key_algorithm: KeyAlgorithm::default(),
            path_length: Some(0),
            name_constraints: NameConstraints::default(),
        }
    }
}

/// A certificate with the key that was made for it.
#[derive(Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: Certificate,
    /// Its key.
    pub key: PrivateKey,
    /// What a TLS peer needs besides to reach a root: the authority's own certificate and those above
    /// it, without roots. Empty where a root issued.
    pub intermediates: Vec<Certificate>,
}

impl Issued {
    /// What is presented in TLS: the certificate, then [`Self::intermediates`].
    pub fn chain(&self) -> Vec<Certificate> {
        let mut chain = Vec::with_capacity(1 + self.intermediates.len());
        chain.push(self.certificate.clone());
        chain.extend_from_slice(&self.intermediates);
        chain
    }
}

/// A certificate laid out but not signed; [`Self::lint`] is the only way on.
pub struct Prepared<'a> {
    signer: &'a dyn Signer,
    issuer: Option<&'a Certificate>,
    subject: DistinguishedName,
    public_key: PublicKey,
    to_be_signed: Vec<u8>,
}

/// A certificate that passed lint; [`Self::issue`] signs it, once.
pub struct Linted<'a> {
    signer: &'a dyn Signer,
    to_be_signed: Vec<u8>,
    details: Details,
    /// What lint noticed without refusing.
    pub warnings: Vec<Finding>,
}

impl Authority {
    /// Proves that the first of `chain` is a CA which may sign and is valid at `now`, that `signer`
    /// holds its key, and that each further certificate issued the one before it.
    ///
    /// # Errors
    /// [`AuthorityError`] says which proof failed.
    pub fn load(
        chain: Vec<Certificate>,
        signer: impl Signer + 'static,
        now: OffsetDateTime,
    ) -> Result<Self, AuthorityError> {
        let certificate = chain.first().ok_or(AuthorityError::Empty)?;
        Self::check(certificate, now)?;
        if certificate.public_key != *signer.public_key() {
            return Err(AuthorityError::KeyMismatch {
                subject: certificate.subject.clone(),
                certificate: certificate.public_key.to_string(),
                key: signer.public_key().to_string(),
            });
        }
        for pair in chain.windows(2) {
            if pair[0].issuer.der() != pair[1].subject.der() {
                return Err(AuthorityError::BrokenChain {
                    subject: pair[0].subject.clone(),
                    next: pair[1].subject.clone(),
                });
            }
        }
        let key_identifier = certificate
            .subject_key_identifier
            .clone()
            .unwrap_or_else(|| certificate.public_key.key_identifier().to_vec());
        Ok(Self {
            chain,
            signer: Box::new(signer),
            key_identifier,
        })
    }

    /// Proves what can be proven of a CA certificate whose key is elsewhere.
    ///
    /// # Errors
    /// As [`Self::load`], but for the key.
    pub fn check(certificate: &Certificate, now: OffsetDateTime) -> Result<(), AuthorityError> {
        let subject = || certificate.subject.clone();
        if !certificate.is_ca {
            return Err(AuthorityError::NotAuthority { subject: subject() });
        }
        if !certificate
            .key_usage
            .is_none_or(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN))
        {
            return Err(AuthorityError::MayNotSign { subject: subject() });
        }
        if certificate.validity.is_over(now) {
            let not_after = certificate.validity.not_after;
            return Err(AuthorityError::Expired {
                subject: subject(),
                not_after,
            });
        }
        if !certificate.validity.contains(now) {
            let not_before = certificate.validity.not_before;
            return Err(AuthorityError::NotYetValid {
                subject: subject(),
                not_before,
            });
        }
        Ok(())
    }

    /// Makes a root CA with a new key, which is returned too so that it can be kept.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn generate(
        common_name: &str,
        options: &CaOptions,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<(Self, PrivateKey), IssueError> {
        let key = PrivateKey::generate(options.key_algorithm, rng)?;
        let subject = DistinguishedName::new(common_name, &[] as &[&str]);
        let certificate = self_signed(&subject, options, &LocalSigner::new(&key)?, now, rng)?;
        let authority = Self::from_own(certificate, LocalSigner::new(&key)?);
        Ok((authority, key))
    }

    /// Joins a certificate that this library has just signed with the signer that signed it.
    pub(crate) fn from_own(certificate: Certificate, signer: LocalSigner) -> Self {
        let key_identifier = certificate.public_key.key_identifier().to_vec();
        Self {
            chain: vec![certificate],
            signer: Box::new(signer),
            key_identifier,
        }
    }

    /// The CA's own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// The CA's own certificate, then those above it that were loaded with it.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// What leaves have to present besides themselves: [`Self::chain`] without self-issued certificates,
    /// which a peer has to trust already (RFC 8446 section 4.4.2 lets a root be left out).
    pub fn intermediates(&self) -> Vec<Certificate> {
        let chain = self.chain.iter();
        chain.filter(|c| !c.is_self_issued()).cloned().collect()
    }

    /// What holds the key.
    pub fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// Its place in what it issues: its own subjectKeyIdentifier, byte for byte.
    pub(super) fn key_identifier(&self) -> &[u8] {
        &self.key_identifier
    }

    /// Makes a key and issues a certificate for it, checked against the rules of RFC 5280.
    ///
    /// # Errors
    /// [`IssueError`]; a certificate that would break a rule is not signed.
    pub fn issue(
        &self,
        request: &LeafRequest,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Issued, IssueError> {
        let key = PrivateKey::generate(request.key_algorithm, rng)?;
        let certificate = self
            .prepare(request, key.public_key(), now, rng)?
            .lint(&[lint::RULES])?
            .issue()?;
        Ok(Issued {
            certificate,
            key,
            intermediates: self.intermediates(),
        })
    }

    /// Lays out a certificate for a public key. Next: [`Prepared::lint`].
    ///
    /// # Errors
    /// When a name does not fit into a certificate or the authority's time is over.
    pub fn prepare(
        &self,
        request: &LeafRequest,
        public_key: &PublicKey,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Prepared<'_>, IssueError> {
        let extensions = Extensions::leaf(&request.usages, &request.sans, public_key);
        let (subject, lifetime) = (&request.subject, request.lifetime);
        self.prepare_with(subject, &extensions, lifetime, public_key, now, rng)
    }

    /// Lays out a certificate with extensions chosen one by one, for a public key: a leaf of any purpose, or a CA
    /// below this one. Next: [`Prepared::lint`].
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn prepare_with(
        &self,
        subject: &DistinguishedName,
        extensions: &Extensions,
        lifetime: Lifetime,
        public_key: &PublicKey,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Prepared<'_>, IssueError> {
        let issuer = self.certificate();
        let not_after = issuer.validity.not_after;
        if issuer.validity.is_over(now) {
            return Err(IssueError::AuthorityOver { not_after });
        }
        let to_be_signed = layout::to_be_signed(&Layout {
            serial: &SerialNumber::random(rng)?,
            issuer: &issuer.subject,
            subject,
            validity: Validity::new(now, lifetime, Some(not_after)),
            public_key,
            signing_algorithm: self.signer.algorithm(),
            subject_key_identifier: &public_key.key_identifier(),
            authority_key_identifier: &self.key_identifier,
            kind: Kind::Other(extensions),
        })?;
        Ok(self.prepared(subject, public_key, to_be_signed))
    }

    pub(super) fn prepared(
        &self,
        subject: &DistinguishedName,
        public_key: &PublicKey,
        to_be_signed: Vec<u8>,
    ) -> Prepared<'_> {
        Prepared {
            signer: &*self.signer,
            issuer: Some(self.certificate()),
            subject: subject.clone(),
            public_key: public_key.clone(),
            to_be_signed,
        }
    }
}

/// Issues a root certificate for the key that `signer` holds: a new CA.
///
/// # Errors
/// [`IssueError`].
pub fn self_signed(
    subject: &DistinguishedName,
    options: &CaOptions,
    signer: &dyn Signer,
    now: OffsetDateTime,
    rng: &dyn SecureRandom,
) -> Result<Certificate, IssueError> {
    prepare_self_signed(subject, options, signer, now, rng)?
        .lint(&[lint::RULES])?
        .issue()
}

/// Lays out a root certificate for the key that `signer` holds. Next: [`Prepared::lint`].
///
/// # Errors
/// When the name does not fit into a certificate.
pub fn prepare_self_signed<'a>(
    subject: &DistinguishedName,
    options: &CaOptions,
    signer: &'a dyn Signer,
    now: OffsetDateTime,
    rng: &dyn SecureRandom,
) -> Result<Prepared<'a>, IssueError> {
    root(
        subject,
        &signer.public_key().key_identifier(),
        options,
        signer,
        now,
        rng,
    )
}

/// Issues a root certificate anew under its own key, so that everything it issued stays valid: with
/// the same subject byte for byte and the same key identifier, whoever made them.
///
/// # Errors
/// [`IssueError`].
pub fn renew_self_signed(
    certificate: &Certificate,
    options: &CaOptions,
    signer: &dyn Signer,
    now: OffsetDateTime,
    rng: &dyn SecureRandom,
) -> Result<Certificate, IssueError> {
    let own = signer.public_key().key_identifier();
    let identifier = certificate
        .subject_key_identifier
        .as_deref()
        .unwrap_or(&own);
    root(&certificate.subject, identifier, options, signer, now, rng)?
        .lint(&[lint::RULES])?
        .issue()
}

fn root<'a>(
    subject: &DistinguishedName,
    key_identifier: &[u8],
    options: &CaOptions,
    signer: &'a dyn Signer,
    now: OffsetDateTime,
    rng: &dyn SecureRandom,
) -> Result<Prepared<'a>, IssueError> {
    let to_be_signed = layout::to_be_signed(&Layout {
        serial: &SerialNumber::random(rng)?,
        issuer: subject,
        subject,
        validity: Validity::new(now, options.lifetime, None),
        public_key: signer.public_key(),
        signing_algorithm: signer.algorithm(),
        subject_key_identifier: key_identifier,
        authority_key_identifier: key_identifier,
        kind: Kind::Authority {
            path_length: options.path_length,
            name_constraints: &options.name_constraints,
        },
    })?;
    Ok(Prepared {
        signer,
        issuer: None,
        subject: subject.clone(),
        public_key: signer.public_key().clone(),
        to_be_signed,
    })
}

impl<'a> Prepared<'a> {
    /// Checks the exact bytes that will be signed against the rules.
    ///
    /// # Errors
    /// [`IssueError::Lint`] with every finding that refuses the certificate.
    pub fn lint(self, rules: &[&[Rule]]) -> Result<Linted<'a>, IssueError> {
        let damaged = |error: &dyn std::fmt::Display| LayoutError(error.to_string());
        let (_, tbs) =
            TbsCertificate::from_der(&self.to_be_signed).map_err(|error| damaged(&error))?;
        let known = Known {
            names: [
                self.issuer.map(|issuer| &issuer.subject),
                Some(&self.subject),
            ],
            public_key: Some(&self.public_key),
        };
        let details = Details::with_known(&tbs, &known).map_err(|error| damaged(&error))?;
        let subject = Subject {
            tbs: &tbs,
            details: &details,
            issuer: self.issuer,
        };
        let findings = lint::check(&subject, rules);
        let (errors, warnings): (Vec<_>, Vec<_>) = findings
            .into_iter()
            .partition(|finding| finding.severity == Severity::Error);
        if !errors.is_empty() {
            return Err(IssueError::Lint(errors));
        }
        Ok(Linted {
            signer: self.signer,
            to_be_signed: self.to_be_signed,
            details,
            warnings,
        })
    }
}

impl Linted<'_> {
    /// What the certificate will say, serial included. Who only wants to show it stops here: nothing is signed.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// Signs.
    ///
    /// # Errors
    /// When the holder of the CA's key does not sign.
    pub fn issue(self) -> Result<Certificate, IssueError> {
        let signature = self.signer.sign(&self.to_be_signed)?;
        let der = layout::assemble(&self.to_be_signed, &signature)?;
        Ok(Certificate::assembled(der, self.details))
    }
}

#[cfg(test)]
mod tests;
