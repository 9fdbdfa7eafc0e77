//! What holds for a whole batch, with Makecerts' own defaults.

use std::path::PathBuf;

use super::file_names::FileNames;
use super::words::SERVER;
use crate::x509::{
    AttributeKind, DistinguishedName, ExtendedKeyUsage, KeyAlgorithm, KeyUsage, Lifetime,
    SubjectAltName,
};

/// How a batch is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// The authority.
    pub authority: AuthorityOptions,
    /// How files are called.
    pub names: FileNames,
    /// `--private-key-type`.
    pub key_algorithm: KeyAlgorithm,
    /// `--duration`.
    pub lifetime: Lifetime,
    /// `--usage`.
    pub key_usage: KeyUsage,
    /// `--extended-usage`.
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// `--defaults`: usages of a TLS server where none are given for all.
    pub defaults: bool,
    /// `--common-sans`.
    pub common_sans: Vec<SubjectAltName>,
    /// `--overwrite`: certificates, keys and requests that are there are replaced. Never those of the authority.
    pub overwrite: bool,
}

/// The authority of a batch. Organisation and country stand in every other subject too.
#[derive(Clone, Debug)]
pub struct AuthorityOptions {
    /// `--ca-mode`.
    pub mode: Mode,
    /// `--ca-common-name`.
    pub common_name: String,
    /// `--ca-country`.
    pub country: String,
    /// `--ca-organization`.
    pub organization: String,
    /// `--ca-organizational-unit`.
    pub organizational_unit: String,
    /// `--ca-duration`.
    pub lifetime: Lifetime,
    /// `--ca-cert-name`.
    pub cert: Option<PathBuf>,
    /// `--ca-key-name`.
    pub key: Option<PathBuf>,
    /// `--ca-csr-name`.
    pub csr: Option<PathBuf>,
    /// `--ca-prefix`.
    pub prefix: String,
    /// `--ca-suffix`.
    pub suffix: String,
}

/// What to do where the authority is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Refuse.
    Existing,
    /// Make it.
    #[default]
    Generate,
    /// Make its key and a request for its certificate, and wait for that.
    GenerateCsr,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            authority: AuthorityOptions::default(),
            names: FileNames::default(),
            key_algorithm: KeyAlgorithm::EcdsaP256,
            lifetime: Lifetime::days(398),
            key_usage: KeyUsage::default(),
            extended_key_usages: Vec::new(),
            defaults: true,
            common_sans: Vec::new(),
            overwrite: false,
        }
    }
}

impl Default for AuthorityOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Generate,
            common_name: "localhost".into(),
            country: "US".into(),
            organization: "makecerts".into(),
            organizational_unit: "Root CA".into(),
            // An hour less than 20 years of 365 days.
            lifetime: Lifetime::seconds(175_199 * 3600).unwrap_or(Lifetime::years(20)),
            cert: None,
            key: None,
            csr: None,
            prefix: String::new(),
            suffix: "ca".into(),
        }
    }
}

impl AuthorityOptions {
    /// Whatever is the same in every subject, and a common name where there is one.
    pub(super) fn subject(&self, common_name: Option<&str>) -> DistinguishedName {
        let attributes = [
            (AttributeKind::Country, self.country.as_str()),
            (AttributeKind::Organization, &self.organization),
            (AttributeKind::OrganizationalUnit, &self.organizational_unit),
            (AttributeKind::CommonName, common_name.unwrap_or_default()),
        ];
        DistinguishedName::from_attributes(
            attributes
                .into_iter()
                .filter(|(_, value)| !value.is_empty()),
        )
    }
}

impl Options {
    /// The usages of all: those that were given, or else the default ones.
    pub(super) fn usages_of_all(&self) -> (KeyUsage, Vec<ExtendedKeyUsage>) {
        if self.are_usages_given() {
            (self.key_usage, self.extended_key_usages.clone())
        } else if self.defaults {
            (KeyUsage::DIGITAL_SIGNATURE, vec![SERVER])
        } else {
            (KeyUsage::default(), Vec::new())
        }
    }

    pub(super) fn are_usages_given(&self) -> bool {
        !self.key_usage.is_empty() || !self.extended_key_usages.is_empty()
    }
}
