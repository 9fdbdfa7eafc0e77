//! Certificate revocation lists, version 2 (RFC 5280 section 5): what was revoked, when and why.
//!
//! kube-apiserver, the kubelet and etcd's clients read none (kubernetes#18982): in a cluster a short lifetime is
//! the only revocation. Servers that do read one: nginx, HAProxy, Envoy, Postgres, and etcd
//! (`--client-crl-file`, `--peer-crl-file`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::layout::revocation::RevocationLayout;
use super::validity::rfc3339;
use super::{
    Authority, Certificate, DistinguishedName, KeyUsage, LayoutError, Lifetime, SerialNumber,
    SignError, Validity, parse_pem, to_pem,
};

const LABEL: &str = "X509 CRL";

/// Why a certificate was revoked (RFC 5280 section 5.3.1). The reasons of lists that are only ever added to:
/// `certificateHold` and `removeFromCRL` belong to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationReason {
    /// No reason was given.
    #[default]
    Unspecified,
    /// Somebody else may have the key.
    KeyCompromise,
    /// Somebody else may have the key of a CA.
    CaCompromise,
    /// The subject's name or groups have changed.
    AffiliationChanged,
    /// Another certificate took its place.
    Superseded,
    /// Nobody needs it any more.
    CessationOfOperation,
    /// The subject may no longer do what it allows.
    PrivilegeWithdrawn,
}

/// A word that is no reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no reason for a revocation")]
pub struct UnknownReason(pub String);

impl RevocationReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::CaCompromise => "ca-compromise",
            Self::AffiliationChanged => "affiliation-changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
            Self::PrivilegeWithdrawn => "privilege-withdrawn",
        }
    }

    fn of_code(code: u8) -> Self {
        match code {
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            9 => Self::PrivilegeWithdrawn,
            _ => Self::Unspecified,
        }
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RevocationReason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        let reason = Self::ALL.into_iter().find(|reason| reason.as_str() == text);
        reason.ok_or_else(|| UnknownReason(text.to_owned()))
    }
}

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its serial number; with the list's issuer it names one certificate.
    pub serial: SerialNumber,
    /// When it was revoked, in whole seconds.
    pub at: OffsetDateTime,
    /// Why.
    pub reason: RevocationReason,
}

/// A list as an authority signed it.
#[derive(Clone, PartialEq, Eq)]
pub struct RevocationList {
    der: Vec<u8>,
    /// The authority, byte for byte as in its certificates.
    pub issuer: DistinguishedName,
    /// Rises with each list of the same authority (RFC 5280 section 5.2.3).
    pub number: u64,
    /// From when on it holds.
    pub this_update: OffsetDateTime,
    /// By when the next one comes; verifiers refuse the list after that, and with it every certificate.
    pub next_update: OffsetDateTime,
    /// Names the key that signed it.
    pub authority_key_identifier: Option<Vec<u8>>,
    /// What is revoked.
    pub revoked: Vec<Revocation>,
}

/// Why there is no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationListError {
    /// Not PEM at all, or damaged.
    #[error(transparent)]
    Pem(#[from] super::PemError),
    /// PEM, but none of its blocks is a list.
    #[error("a PEM text without a revocation list")]
    NoList,
    /// Not the structure of RFC 5280, or without what its section 5.2 demands.
    #[error("a damaged revocation list: {0}")]
    Damaged(String),
    /// keyUsage does not allow the authority to sign lists (RFC 5280 section 6.3.3 step f).
    #[error("the certificate of {subject} may not sign revocation lists (keyUsage lacks cRLSign)")]
    MayNotSign {
        /// The authority.
        subject: DistinguishedName,
    },
    /// The authority's time is over, and with it that of its lists.
    #[error("the authority ends at {}", rfc3339(*not_after))]
    AuthorityOver {
        /// The authority's last second.
        not_after: OffsetDateTime,
    },
    /// A name does not fit into a list.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The holder of the CA's key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Authority {
    /// Signs the list of everything it has revoked. `number` has to be greater than that of the list before.
    ///
    /// ```
    /// use pki_core::x509::{
    ///     Authority, CaOptions, LeafRequest, Lifetime, Revocation, RevocationReason,
    /// };
    /// use ring::rand::SystemRandom;
    /// use time::OffsetDateTime;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
    /// let (ca, _its_key) = Authority::generate("test-ca", &CaOptions::default(), now, &rng)?;
    /// let lost = ca.issue(&LeafRequest::client("laptop"), now, &rng)?.certificate;
    /// let revocation = Revocation {
    ///     serial: lost.serial.clone(),
    ///     at: now,
    ///     reason: RevocationReason::KeyCompromise,
    /// };
    /// let list = ca.revocation_list(1, &[revocation], Lifetime::days(7), now)?;
    /// assert!(list.revocation_of(&lost).is_some());
    /// println!("{}", list.pem());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When it may not sign lists, or is over.
    pub fn revocation_list(
        &self,
        number: u64,
        revoked: &[Revocation],
        lifetime: Lifetime,
        now: OffsetDateTime,
    ) -> Result<RevocationList, RevocationListError> {
        let own = self.certificate();
        let validity = self.list_validity(lifetime, now)?;
        let unsigned = RevocationLayout {
            issuer: &own.subject,
            number,
            this_update: validity.not_before,
            next_update: validity.not_after,
            revoked,
            signing_algorithm: self.signer().algorithm(),
            authority_key_identifier: self.key_identifier(),
        }
        .lay_out()?;
        let signature = self.signer().sign(&unsigned.to_be_signed)?;
        RevocationList::from_der(&unsigned.assemble(&signature)?)
    }

    /// From when until when a list signed at `now` holds: for `lifetime`, or until this authority's own end.
    ///
    /// # Errors
    /// When it may not sign lists, or is over.
    pub fn list_validity(
        &self,
        lifetime: Lifetime,
        now: OffsetDateTime,
    ) -> Result<Validity, RevocationListError> {
        let own = self.certificate();
        let usage = own.key_usage;
        if !usage.is_none_or(|usage| usage.contains(KeyUsage::CRL_SIGN)) {
            let subject = own.subject.clone();
            return Err(RevocationListError::MayNotSign { subject });
        }
        let not_after = own.validity.not_after;
        if own.validity.is_over(now) {
            return Err(RevocationListError::AuthorityOver { not_after });
        }
        Ok(Validity::new(now, lifetime, Some(not_after)))
    }
}

impl RevocationList {
    /// Reads one list.
    ///
    /// # Errors
    /// When `der` is not one whole list of version 2, with a number and an end.
    pub fn from_der(der: &[u8]) -> Result<Self, RevocationListError> {
        let damaged = |what: &dyn fmt::Display| RevocationListError::Damaged(what.to_string());
        let (rest, list) =
            CertificateRevocationList::from_der(der).map_err(|error| damaged(&error))?;
        if !rest.is_empty() {
            return Err(damaged(&format_args!("{} bytes after its end", rest.len())));
        }
        let number = list.crl_number().ok_or_else(|| damaged(&"no number"))?;
        let number = u64::try_from(number).map_err(|_| damaged(&"a number beyond 64 bits"))?;
        let next_update = list
            .next_update()
            .ok_or_else(|| damaged(&"no nextUpdate"))?;
        let identifier =
            list.extensions()
                .iter()
                .find_map(|extension| match extension.parsed_extension() {
                    ParsedExtension::AuthorityKeyIdentifier(found) => found.key_identifier.as_ref(),
                    _ => None,
                });
        let revoked = list.iter_revoked_certificates().map(|entry| Revocation {
            serial: SerialNumber::from_bytes(entry.raw_serial()),
            at: entry.revocation_date.to_datetime(),
            reason: entry
                .reason_code()
                .map_or(RevocationReason::Unspecified, |(_, code)| {
                    RevocationReason::of_code(code.0)
                }),
        });
        Ok(Self {
            issuer: DistinguishedName::from_der(list.issuer().as_raw())
                .map_err(|error| damaged(&error))?,
            number,
            this_update: list.last_update().to_datetime(),
            next_update: next_update.to_datetime(),
            authority_key_identifier: identifier.map(|identifier| identifier.0.to_vec()),
            revoked: revoked.collect(),
            der: der.to_vec(),
        })
    }

    /// Reads the first list in a PEM text.
    ///
    /// # Errors
    /// As [`Self::from_der`], and when there is none.
    pub fn from_pem(text: &[u8]) -> Result<Self, RevocationListError> {
        let blocks = parse_pem(text)?;
        let block = blocks.iter().find(|block| block.label == LABEL);
        Self::from_der(&block.ok_or(RevocationListError::NoList)?.der)
    }

    /// The bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// As a PEM block.
    pub fn pem(&self) -> String {
        std::mem::take(&mut *to_pem(LABEL, &self.der))
    }

    /// When and why `certificate` was revoked, if it was. Of another issuer's certificates a list says nothing.
    pub fn revocation_of(&self, certificate: &Certificate) -> Option<&Revocation> {
        if certificate.issuer.der() != self.issuer.der() {
            return None;
        }
        let mut revoked = self.revoked.iter();
        revoked.find(|revocation| revocation.serial == certificate.serial)
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevocationList({} {})", self.issuer, self.number)
    }
}

#[cfg(test)]
mod tests;
