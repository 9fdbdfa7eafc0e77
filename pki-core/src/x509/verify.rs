//! Verifying: signatures and paths, by rustls-webpki with ring's algorithms.
//!
//! webpki leaves the anchor's own time, usages and path length to whoever trusted it, and ignores
//! keyUsage. Go, in which Kubernetes is written, does not. What passes here passes there too: each path
//! that webpki finds is held to those rules as well, and another path is tried where it fails.

use std::cell::RefCell;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, VerifiedPath, anchor_from_trusted_cert};

use super::{
    Certificate, DialedName, DistinguishedName, ExtendedKeyUsage, KeyUsage, Usage, asn1, signature,
};

/// The certificates of authorities that somebody trusts: roots, or intermediates trusted by
/// themselves, as Go does it too.
#[derive(Clone, Debug)]
pub struct TrustAnchors {
    certificates: Vec<Certificate>,
    /// The same in the same order, as webpki wants them.
    anchors: Vec<TrustAnchor<'static>>,
}

/// Why certificates are no [`TrustAnchors`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustAnchorsError {
    /// None was given: nothing would be trusted.
    #[error("no certificate to trust")]
    Empty,
    /// A leaf cannot vouch for others (kube-rs/kube#1767).
    #[error("the certificate of {subject} is not a CA's (basicConstraints)")]
    NotAuthority {
        /// The certificate's subject.
        subject: DistinguishedName,
    },
    /// webpki cannot read it.
    #[error("the certificate of {subject} cannot be an anchor: {reason}")]
    Unusable {
        /// The certificate's subject.
        subject: DistinguishedName,
        /// webpki's word for it.
        reason: String,
    },
}

/// Why a certificate is not to be relied on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// No certificate was given.
    #[error("no certificate")]
    Empty,
    /// A certificate's time is over.
    #[error("the certificate of {subject} expired at {}", rfc3339(*.not_after))]
    Expired {
        /// Its subject: the leaf's, or that of an authority above it.
        subject: DistinguishedName,
        /// Its last second.
        not_after: OffsetDateTime,
    },
    /// A certificate's time has not begun.
    #[error("the certificate of {subject} is not valid before {}", rfc3339(*.not_before))]
    NotYetValid {
        /// Its subject: the leaf's, or that of an authority above it.
        subject: DistinguishedName,
        /// Its first second.
        not_before: OffsetDateTime,
    },
    /// No path leads to an anchor.
    #[error("no trusted authority issued the certificate of {subject} (its issuer is {issuer})")]
    UnknownIssuer {
        /// The subject of the last certificate on the way up.
        subject: DistinguishedName,
        /// Its issuer, which is neither trusted nor given.
        issuer: DistinguishedName,
    },
    /// An authority of the right name is trusted, but another key signed.
    #[error(
        "the certificate of {subject} was not signed by the key of the trusted authority {issuer}"
    )]
    SignatureInvalid {
        /// The subject of the certificate whose signature fails.
        subject: DistinguishedName,
        /// The issuer that it names.
        issuer: DistinguishedName,
    },
    /// ring does not verify this kind of signature.
    #[error(
        "the certificate of {subject} has a signature of a kind that is not supported ({algorithm})"
    )]
    UnsupportedSignature {
        /// The subject of the certificate.
        subject: DistinguishedName,
        /// The algorithm's object identifier.
        algorithm: String,
    },
    /// It is not valid for the name that is dialed.
    #[error("the certificate is not valid for {wanted}, only for {}", list(.has))]
    NameMismatch {
        /// What is dialed.
        wanted: DialedName,
        /// Every alternative name, in its order, also those of no valid form.
        has: Vec<String>,
    },
    /// It, or an authority above it, is not for this purpose.
    #[error("the certificate of {subject} is not for {wanted} use, only for {}", list(.has))]
    Usage {
        /// The subject of the certificate that does not allow it.
        subject: DistinguishedName,
        /// What it is to be used for.
        wanted: Usage,
        /// Its extended key usages.
        has: Vec<ExtendedKeyUsage>,
    },
    /// A name in it is outside what an authority above it may issue for.
    #[error("the certificate of {subject} has a name that an authority above it may not issue for")]
    NameConstraint {
        /// The leaf's subject.
        subject: DistinguishedName,
    },
    /// More authorities stand on the path than one of them permits.
    #[error("the path has more authorities than a pathLenConstraint permits")]
    PathLength,
    /// A certificate on the path is not a CA's.
    #[error("a certificate on the path is not a CA's (basicConstraints)")]
    NotAuthority,
    /// A CA certificate on the path may not sign certificates.
    #[error("the certificate of {subject} may not sign certificates (keyUsage lacks keyCertSign)")]
    MayNotSign {
        /// Its subject.
        subject: DistinguishedName,
    },
    /// A CA certificate where a leaf belongs.
    #[error("the certificate of {subject} is a CA's where a leaf's belongs")]
    AuthorityAsLeaf {
        /// Its subject.
        subject: DistinguishedName,
    },
    /// Anything else that webpki refuses.
    #[error("the certificate of {subject} is refused: {reason}")]
    Refused {
        /// The leaf's subject.
        subject: DistinguishedName,
        /// webpki's word for it.
        reason: String,
    },
}

impl TrustAnchors {
    /// Takes each of `certificates` as an anchor.
    ///
    /// # Errors
    /// When there is none, or one of them is not a CA's or cannot be read by webpki.
    pub fn new(certificates: &[Certificate]) -> Result<Self, TrustAnchorsError> {
        if certificates.is_empty() {
            return Err(TrustAnchorsError::Empty);
        }
        let anchors = certificates.iter().map(anchor).collect::<Result<_, _>>()?;
        Ok(Self {
            certificates: certificates.to_vec(),
            anchors,
        })
    }

    /// The certificates, as given.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    pub(crate) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// Proves that the first of `chain` may be relied on at `now`: for `usage` and, when a client
    /// verifies the server that it dialed, for `name`; by a path over the rest of `chain`, in
    /// whatever order, to one of these anchors.
    ///
    /// # Errors
    /// [`VerifyError`] says what is wrong.
    pub fn verify(
        &self,
        chain: &[Certificate],
        usage: Usage,
        name: Option<&DialedName>,
        now: OffsetDateTime,
    ) -> Result<(), VerifyError> {
        let (leaf, above) = chain.split_first().ok_or(VerifyError::Empty)?;
        let attempt = Attempt {
            leaf,
            above,
            anchors: self,
            usage,
            now,
            fault: RefCell::default(),
        };
        let der = CertificateDer::from(leaf.der());
        let entity = EndEntityCert::try_from(&der).map_err(|error| attempt.explain(&error))?;
        let intermediates: Vec<_> = above
            .iter()
            .map(|c| CertificateDer::from(c.der()))
            .collect();
        let purpose = match usage {
            Usage::Server => webpki::KeyUsage::server_auth(),
            Usage::Client => webpki::KeyUsage::client_auth(),
        };
        entity
            .verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &self.anchors,
                &intermediates,
                unix_time(now),
                purpose,
                None,
                Some(&|path| attempt.hold_to_the_rules_of_go(path)),
            )
            .map_err(|error| attempt.explain(&error))?;
        let Some(wanted) = name else { return Ok(()) };
        let matches = wanted
            .server_name()
            .is_some_and(|name| entity.verify_is_valid_for_subject_name(&name).is_ok());
        if matches {
            Ok(())
        } else {
            let sans = leaf.sans.iter().map(ToString::to_string);
            Err(VerifyError::NameMismatch {
                wanted: wanted.clone(),
                has: sans.chain(leaf.odd_sans.iter().cloned()).collect(),
            })
        }
    }
}

/// Whether `issuer`'s key made the signature of `certificate`. Says nothing of names, time and
/// usages; and is false for algorithms that ring does not verify, such as any with SHA-1.
pub fn signature_valid(certificate: &Certificate, issuer: &Certificate) -> bool {
    same_algorithm_twice(certificate).unwrap_or(false)
        && signature::is_signed_by(certificate.der(), &issuer.public_key)
}

/// The algorithm is said outside of what is signed and again inside (RFC 5280 section 4.1.1.2).
fn same_algorithm_twice(certificate: &Certificate) -> der::Result<bool> {
    let outer = asn1::elements(certificate.der())?;
    let [to_be_signed, algorithm, _] = outer[..] else {
        return Ok(false);
    };
    // Third after version and serial.
    Ok(asn1::elements(to_be_signed)?.get(2) == Some(&algorithm))
}

fn anchor(certificate: &Certificate) -> Result<TrustAnchor<'static>, TrustAnchorsError> {
    let subject = || certificate.subject.clone();
    if !certificate.is_ca {
        return Err(TrustAnchorsError::NotAuthority { subject: subject() });
    }
    let der = CertificateDer::from(certificate.der());
    anchor_from_trusted_cert(&der)
        .map(|anchor| anchor.to_owned())
        .map_err(|error| TrustAnchorsError::Unusable {
            subject: subject(),
            reason: error.to_string(),
        })
}

/// One question to webpki, and what is needed to say its answer with facts.
struct Attempt<'a> {
    leaf: &'a Certificate,
    above: &'a [Certificate],
    anchors: &'a TrustAnchors,
    usage: Usage,
    now: OffsetDateTime,
    /// What is wrong with a path that webpki found good.
    fault: RefCell<Option<VerifyError>>,
}

impl Attempt<'_> {
    fn hold_to_the_rules_of_go(&self, path: &VerifiedPath<'_>) -> Result<(), webpki::Error> {
        // By place, not by value: an old root and its successor under the same key look alike here.
        let anchor = self
            .anchors
            .anchors
            .iter()
            .zip(&self.anchors.certificates)
            .find_map(|(anchor, c)| std::ptr::eq(anchor, path.anchor()).then_some(c));
        let between: Option<Vec<_>> = path
            .intermediate_certificates()
            .map(|link| {
                let der = link.der();
                self.above.iter().find(|c| c.der() == &der[..])
            })
            .collect();
        let (Some(anchor), Some(between)) = (anchor, between) else {
            return Err(webpki::Error::UnknownIssuer);
        };
        let fault = self.fault_of(anchor, &between);
        match fault {
            None => Ok(()),
            Some(fault) => {
                *self.fault.borrow_mut() = Some(fault);
                // Ranked lowest, so that webpki goes on to other paths.
                Err(webpki::Error::UnknownIssuer)
            }
        }
    }

    fn fault_of(&self, anchor: &Certificate, between: &[&Certificate]) -> Option<VerifyError> {
        let subject = || anchor.subject.clone();
        let validity = anchor.validity;
        if validity.is_over(self.now) {
            return Some(VerifyError::Expired {
                subject: subject(),
                not_after: validity.not_after,
            });
        }
        if !validity.contains(self.now) {
            return Some(VerifyError::NotYetValid {
                subject: subject(),
                not_before: validity.not_before,
            });
        }
        // RFC 5280 section 4.2.1.9: self-issued certificates do not count.
        let length = between.iter().filter(|c| !c.is_self_issued()).count();
        if anchor
            .path_length
            .is_some_and(|limit| length > limit as usize)
        {
            return Some(VerifyError::PathLength);
        }
        // Go nests extended key usages through the anchor too (crypto/x509, checkChainForKeyUsage).
        if let Some(fault) = self.usage_fault(anchor) {
            return Some(fault);
        }
        between
            .iter()
            .chain([&anchor])
            .find(|c| {
                c.key_usage
                    .is_some_and(|usage| !usage.contains(KeyUsage::KEY_CERT_SIGN))
            })
            .map(|c| VerifyError::MayNotSign {
                subject: c.subject.clone(),
            })
    }

    fn usage_fault(&self, certificate: &Certificate) -> Option<VerifyError> {
        let has = &certificate.extended_key_usages;
        let any = ExtendedKeyUsage::Other("2.5.29.37.0".into());
        let allowed = has.is_empty() || has.contains(&any) || certificate.allows(self.usage);
        (!allowed).then(|| VerifyError::Usage {
            subject: certificate.subject.clone(),
            wanted: self.usage,
            has: has.clone(),
        })
    }

    fn explain(&self, error: &webpki::Error) -> VerifyError {
        use webpki::Error as E;
        if let Some(fault) = self.fault.take() {
            return fault;
        }
        let leaf = || self.leaf.subject.clone();
        let presented = || std::iter::once(self.leaf).chain(self.above);
        match error {
            E::CertExpired { .. } => {
                presented()
                    .find(|c| c.validity.is_over(self.now))
                    .map(|c| VerifyError::Expired {
                        subject: c.subject.clone(),
                        not_after: c.validity.not_after,
                    })
            }
            E::CertNotValidYet { .. } => presented()
                .find(|c| !c.validity.is_over(self.now) && !c.validity.contains(self.now))
                .map(|c| VerifyError::NotYetValid {
                    subject: c.subject.clone(),
                    not_before: c.validity.not_before,
                }),
            E::UnknownIssuer => {
                let last = self.last_before_the_gap();
                Some(VerifyError::UnknownIssuer {
                    subject: last.subject.clone(),
                    issuer: last.issuer.clone(),
                })
            }
            E::InvalidSignatureForPublicKey => {
                let bad = presented().find(|c| !self.has_signer(c));
                let bad = bad.unwrap_or(self.leaf);
                Some(VerifyError::SignatureInvalid {
                    subject: bad.subject.clone(),
                    issuer: bad.issuer.clone(),
                })
            }
            E::UnsupportedSignatureAlgorithmContext(_)
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                let bad = presented().find(|c| !self.has_signer(c));
                let bad = bad.unwrap_or(self.leaf);
                Some(VerifyError::UnsupportedSignature {
                    subject: bad.subject.clone(),
                    algorithm: bad.signature_algorithm.to_string(),
                })
            }
            E::RequiredEkuNotFoundContext(_) => presented()
                .find(|c| !c.extended_key_usages.is_empty() && !c.allows(self.usage))
                .map(|c| VerifyError::Usage {
                    subject: c.subject.clone(),
                    wanted: self.usage,
                    has: c.extended_key_usages.clone(),
                }),
            E::NameConstraintViolation => Some(VerifyError::NameConstraint { subject: leaf() }),
            E::PathLenConstraintViolated => Some(VerifyError::PathLength),
            E::EndEntityUsedAsCa => Some(VerifyError::NotAuthority),
            E::CaUsedAsEndEntity => Some(VerifyError::AuthorityAsLeaf { subject: leaf() }),
            _ => None,
        }
        .unwrap_or_else(|| VerifyError::Refused {
            subject: leaf(),
            reason: error.to_string(),
        })
    }

    /// Follows names up from the leaf as far as the given certificates go.
    fn last_before_the_gap(&self) -> &Certificate {
        let mut last = self.leaf;
        for _ in self.above {
            let next = self
                .above
                .iter()
                .find(|c| c.subject.der() == last.issuer.der() && !c.is_self_issued());
            match next {
                Some(next) => last = next,
                None => break,
            }
        }
        last
    }

    fn has_signer(&self, certificate: &Certificate) -> bool {
        self.above
            .iter()
            .chain(&self.anchors.certificates)
            .any(|c| c.subject.der() == certificate.issuer.der() && signature_valid(certificate, c))
    }
}

/// webpki's clock begins in 1970; what lies before it is long over all the same.
pub(super) fn unix_time(now: OffsetDateTime) -> UnixTime {
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn rfc3339(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_default()
}

fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    if items.is_empty() {
        "nothing".to_owned()
    } else {
        items.join(", ")
    }
}

#[cfg(test)]
mod tests;
