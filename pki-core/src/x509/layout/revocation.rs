//! A certificate revocation list laid out by rcgen, under the issuer's own name: as for certificates, rcgen's
//! stand-in goes and our bytes take its place.

use std::cell::RefCell;

use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, RevokedCertParams};
use time::OffsetDateTime;

use super::{ISSUER, Key, LayoutError, Recorder, signature_algorithm};
use crate::x509::{DistinguishedName, KeyAlgorithm, Revocation, RevocationReason, asn1};

/// Everything that a list says.
pub(in crate::x509) struct RevocationLayout<'a> {
    pub issuer: &'a DistinguishedName,
    pub number: u64,
    pub this_update: OffsetDateTime,
    pub next_update: OffsetDateTime,
    pub revoked: &'a [Revocation],
    pub signing_algorithm: KeyAlgorithm,
    pub authority_key_identifier: &'a [u8],
}

/// A list laid out but not signed.
pub(in crate::x509) struct Unsigned {
    /// The TBSCertList (RFC 5280 section 5.1.2).
    pub to_be_signed: Vec<u8>,
}

impl RevocationLayout<'_> {
    pub(in crate::x509) fn lay_out(&self) -> Result<Unsigned, LayoutError> {
        let recorder = Recorder {
            key: Key {
                algorithm: signature_algorithm(Some(self.signing_algorithm))?,
                bytes: &[],
            },
            message: RefCell::default(),
        };
        let params = CertificateRevocationListParams {
            this_update: self.this_update,
            next_update: self.next_update,
            crl_number: rcgen::SerialNumber::from_slice(&self.number.to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs: self.revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::PreSpecified(
                self.authority_key_identifier.to_vec(),
            ),
        };
        params
            .signed_by(&Issuer::from_params(&ISSUER, &recorder))
            .map_err(|error| LayoutError(error.to_string()))?;
        let message = recorder.message.take();
        // `version, signature, ISSUER, thisUpdate, ...`.
        let mut elements = asn1::elements(&message).map_err(unreadable)?;
        elements[2] = self.issuer.der();
        Ok(Unsigned {
            to_be_signed: asn1::sequence(&elements),
        })
    }
}

impl Unsigned {
    /// `CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }`.
    pub(in crate::x509) fn assemble(&self, signature: &[u8]) -> Result<Vec<u8>, LayoutError> {
        let elements = asn1::elements(&self.to_be_signed).map_err(unreadable)?;
        let bits = asn1::joined(der::Tag::BitString, &[&[0], signature]);
        Ok(asn1::sequence(&[&self.to_be_signed, elements[1], &bits]))
    }
}

fn unreadable(error: der::Error) -> LayoutError {
    LayoutError(error.to_string())
}

fn entry(revocation: &Revocation) -> RevokedCertParams {
    use rcgen::RevocationReason as Theirs;
    RevokedCertParams {
        serial_number: rcgen::SerialNumber::from_slice(revocation.serial.as_bytes()),
        revocation_time: revocation.at,
        reason_code: match revocation.reason {
            // RFC 5280 section 5.3.1: absent instead of unspecified.
            RevocationReason::Unspecified => None,
            RevocationReason::KeyCompromise => Some(Theirs::KeyCompromise),
            RevocationReason::CaCompromise => Some(Theirs::CaCompromise),
            RevocationReason::AffiliationChanged => Some(Theirs::AffiliationChanged),
            RevocationReason::Superseded => Some(Theirs::Superseded),
            RevocationReason::CessationOfOperation => Some(Theirs::CessationOfOperation),
            RevocationReason::PrivilegeWithdrawn => Some(Theirs::PrivilegeWithdrawn),
        },
        invalidity_date: None,
    }
}
