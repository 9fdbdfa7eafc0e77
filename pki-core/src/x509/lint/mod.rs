//! Rules for certificates: one a file, each with its source and a certificate that breaks it in
//! `fixtures/`.
//!
//! A rule is an [`Error`](Severity::Error) where some verifier refuses what breaks it, where it grants
//! what nobody meant to grant, or where no issuer has a reason to break it. It is a
//! [`Warning`](Severity::Warning) where certificates of other tools break it and all verifiers of a
//! cluster accept them, kubeadm's above all; then its file says so. Nothing that this library issues
//! breaks either kind.
//!
//! Public-web rules (public suffixes, reserved addresses, at most 398 days, policies, AIA) have no
//! place here.

use std::fmt;

use x509_parser::certificate::{TbsCertificate, X509Certificate};
use x509_parser::extensions::{GeneralName, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;

use super::certificate::Details;
use super::{Certificate, CertificateError};

mod attribute_length;
mod authority_key_identifier;
mod authority_key_identifier_match;
mod authority_key_identifier_root;
mod basic_constraints_critical;
mod ca_crl_sign;
mod ca_extended_key_usage;
mod ca_key_usage;
mod cert_sign_without_ca;
mod critical_extension_unknown;
mod ecdsa_key_usage;
mod ed25519_key_usage;
mod extended_key_usage_any;
mod extended_key_usage_critical;
mod extended_key_usage_empty;
mod extended_key_usage_missing;
mod extension_duplicate;
mod issuer_empty;
mod issuer_extended_key_usage;
mod issuer_may_sign;
mod issuer_name;
mod issuer_name_constraints;
mod issuer_odd_constraints;
mod issuer_path_length;
mod issuer_validity;
mod key_identifier_critical;
mod key_usage_consistent;
mod key_usage_critical;
mod key_usage_encoding;
mod leaf_key_usage;
mod leaf_key_usage_missing;
mod name_constraints_critical;
mod name_constraints_empty;
mod name_constraints_leaf;
mod path_length;
mod public_key;
mod rsa_key_size;
mod rsa_key_usage;
mod san_address_as_dns;
mod san_critical;
mod san_dns_name;
mod san_duplicate;
mod san_email;
mod san_empty;
mod san_ip_address;
mod san_needlessly_critical;
mod san_uri;
mod serial_number;
mod signature_algorithm;
mod subject_empty;
mod subject_key_identifier;
mod subject_key_identifier_leaf;
#[cfg(test)]
pub(crate) mod tests;
mod validity_encoding;
mod validity_order;
mod version;

#[cfg(test)]
pub(crate) use tests::{
    assert_files_agree, assert_fixtures_exist, assert_names_agree, bad_fixture, fires_alone,
};

/// What the fixtures of this folder are held against.
#[cfg(test)]
const FAMILIES: &[&[Rule]] = &[RULES];

/// The rules of RFC 5280 and its companions that a private PKI has to keep.
pub static RULES: &[Rule] = &[
    version::RULE,
    serial_number::RULE,
    signature_algorithm::RULE,
    issuer_empty::RULE,
    validity_encoding::RULE,
    validity_order::RULE,
    subject_empty::RULE,
    attribute_length::RULE,
    public_key::RULE,
    rsa_key_size::RULE,
    extension_duplicate::RULE,
    critical_extension_unknown::RULE,
    basic_constraints_critical::RULE,
    path_length::RULE,
    ca_key_usage::RULE,
    ca_crl_sign::RULE,
    cert_sign_without_ca::RULE,
    leaf_key_usage::RULE,
    leaf_key_usage_missing::RULE,
    key_usage_critical::RULE,
    key_usage_encoding::RULE,
    ecdsa_key_usage::RULE,
    ed25519_key_usage::RULE,
    rsa_key_usage::RULE,
    extended_key_usage_missing::RULE,
    extended_key_usage_empty::RULE,
    extended_key_usage_any::RULE,
    extended_key_usage_critical::RULE,
    ca_extended_key_usage::RULE,
    key_usage_consistent::RULE,
    authority_key_identifier::RULE,
    authority_key_identifier_root::RULE,
    authority_key_identifier_match::RULE,
    subject_key_identifier::RULE,
    subject_key_identifier_leaf::RULE,
    key_identifier_critical::RULE,
    san_empty::RULE,
    san_critical::RULE,
    san_needlessly_critical::RULE,
    san_address_as_dns::RULE,
    san_dns_name::RULE,
    san_ip_address::RULE,
    san_email::RULE,
    san_uri::RULE,
    san_duplicate::RULE,
    name_constraints_critical::RULE,
    name_constraints_leaf::RULE,
    name_constraints_empty::RULE,
    issuer_name::RULE,
    issuer_may_sign::RULE,
    issuer_validity::RULE,
    issuer_path_length::RULE,
    issuer_extended_key_usage::RULE,
    issuer_name_constraints::RULE,
    issuer_odd_constraints::RULE,
];

/// One rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name, in words joined by hyphens.
    pub name: &'static str,
    /// Where it comes from.
    pub cites: &'static str,
    /// What happens when it is broken.
    pub severity: Severity,
    /// Says what is wrong, with the value, or nothing.
    pub(crate) check: fn(&Subject<'_>) -> Option<String>,
}

impl Rule {
    /// The same rule where whoever asks knows what breaking it means: told, but signed.
    #[must_use]
    pub const fn as_warning(self) -> Self {
        Self {
            severity: Severity::Warning,
            ..self
        }
    }
}

/// What a broken rule leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Told, but signed.
    Warning,
    /// Never signed.
    Error,
}

/// A rule that a certificate breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// Where the rule comes from.
    pub cites: &'static str,
    /// What follows.
    pub severity: Severity,
    /// What is wrong, with the value.
    pub fact: String,
}

/// What a rule looks at: a certificate, or one that is about to be signed.
pub(crate) struct Subject<'a> {
    /// The to-be-signed part as x509-parser reads it: criticality, time encodings, order.
    pub tbs: &'a TbsCertificate<'a>,
    /// The same in our own values.
    pub details: &'a Details,
    /// Who issues it; `None` for a root, or where the issuer is not known.
    pub issuer: Option<&'a Certificate>,
}

/// The last number of an extension under id-ce, 2.5.29 (RFC 5280 section 4.2.1).
pub(crate) mod id {
    pub const SUBJECT_KEY_IDENTIFIER: u8 = 14;
    pub const KEY_USAGE: u8 = 15;
    pub const SUBJECT_ALT_NAME: u8 = 17;
    pub const BASIC_CONSTRAINTS: u8 = 19;
    pub const NAME_CONSTRAINTS: u8 = 30;
    pub const AUTHORITY_KEY_IDENTIFIER: u8 = 35;
    pub const EXTENDED_KEY_USAGE: u8 = 37;
}

impl<'a> Subject<'a> {
    /// The extension with this number under id-ce, as it stands in the certificate.
    pub fn extension(&self, id: u8) -> Option<&'a X509Extension<'a>> {
        let mut extensions = self.tbs.extensions().iter();
        // 2.5 is one byte, 0x55, in an object identifier, 29 is 0x1d (ITU-T X.690 section 8.19.4).
        extensions.find(|extension| extension.oid.as_bytes() == [0x55, 0x1d, id])
    }

    /// Whether subject and issuer are the same name, as in a root.
    pub fn is_self_issued(&self) -> bool {
        self.details.subject.der() == self.details.issuer.der()
    }

    /// All alternative names, if one of them is not of those that this library writes.
    pub fn odd_general_names(&self) -> impl Iterator<Item = &'a GeneralName<'a>> {
        let odd = !self.details.odd_sans.is_empty();
        let extension = odd.then(|| self.extension(id::SUBJECT_ALT_NAME)).flatten();
        let names = match extension.map(X509Extension::parsed_extension) {
            Some(ParsedExtension::SubjectAlternativeName(names)) => &names.general_names[..],
            _ => &[],
        };
        names.iter()
    }

    /// The dNSNames among [`Self::odd_general_names`].
    pub fn odd_dns_names(&self) -> impl Iterator<Item = &'a str> {
        self.odd_general_names().filter_map(|name| match name {
            GeneralName::DNSName(text) => Some(*text),
            _ => None,
        })
    }
}

/// Every rule of `rules` that `certificate` breaks.
///
/// # Errors
/// When the certificate cannot be read a second time, which cannot happen to one that was read once.
pub fn lint(
    certificate: &Certificate,
    issuer: Option<&Certificate>,
    rules: &[&[Rule]],
) -> Result<Vec<Finding>, CertificateError> {
    let (_, parsed) = X509Certificate::from_der(certificate.der())
        .map_err(|error| CertificateError::Damaged(error.to_string()))?;
    Ok(check(
        &Subject {
            tbs: &parsed.tbs_certificate,
            details: certificate,
            issuer,
        },
        rules,
    ))
}

pub(crate) fn check(subject: &Subject<'_>, rules: &[&[Rule]]) -> Vec<Finding> {
    rules
        .iter()
        .copied()
        .flatten()
        .filter_map(|rule| {
            let fact = (rule.check)(subject)?;
            Some(Finding {
                rule: rule.name,
                cites: rule.cites,
                severity: rule.severity,
                fact,
            })
        })
        .collect()
}

/// The findings in one line, for an error.
pub(crate) fn joined(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.rule, self.fact, self.cites)
    }
}
