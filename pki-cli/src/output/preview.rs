//! `--dry-run`: a certificate or request as it would be, and the files that would be written.

use std::path::PathBuf;

use pki_core::x509::inspect::{AlternativeNameReport, CertificateReport};
use pki_core::x509::{Details, ExtendedKeyUsage, KeyUsage, SigningRequest};
use serde::Serialize;

use super::errors::printable;
use super::words::{list, moment};

/// What would be signed, as in [`CertificateReport`] but for what each run draws
/// anew: key, serial number, digests.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Preview {
    subject: String,
    #[serde(flatten)]
    issued: Option<Issued>,
    key_algorithm: String,
    alternative_names: Vec<AlternativeNameReport>,
    key_usages: Option<Vec<String>>,
    extended_key_usages: Vec<String>,
}

/// A certificate in a document: as it was issued, or as it would be.
#[derive(Serialize)]
#[serde(untagged)]
pub enum CertificateDocument {
    Issued(Box<CertificateReport>),
    Wanted(Preview),
}

/// What a request does not say.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Issued {
    issuer: String,
    not_before: String,
    not_after: String,
}

impl Preview {
    /// A certificate that passed lint and was not signed.
    pub fn certificate(wanted: &Details) -> Self {
        Self {
            subject: wanted.subject.to_string(),
            issued: Some(Issued {
                issuer: wanted.issuer.to_string(),
                not_before: moment(wanted.validity.not_before),
                not_after: moment(wanted.validity.not_after),
            }),
            key_algorithm: wanted.public_key.to_string(),
            alternative_names: wanted.sans.iter().map(AlternativeNameReport::of).collect(),
            key_usages: wanted.key_usage.map(usages),
            extended_key_usages: extended(&wanted.extended_key_usages),
        }
    }

    /// A signing request.
    pub fn request(wanted: &SigningRequest) -> Self {
        Self {
            subject: wanted.subject.to_string(),
            issued: None,
            key_algorithm: wanted.public_key.to_string(),
            alternative_names: wanted.sans.iter().map(AlternativeNameReport::of).collect(),
            key_usages: wanted.key_usage.map(usages),
            extended_key_usages: extended(&wanted.extended_key_usages),
        }
    }
}

fn usages(usage: KeyUsage) -> Vec<String> {
    usage.names().map(str::to_owned).collect()
}

fn extended(usages: &[ExtendedKeyUsage]) -> Vec<String> {
    usages.iter().map(ToString::to_string).collect()
}

/// The last line of a dry run; no files: it would go to standard output.
pub fn would_write(files: &[PathBuf]) -> String {
    if files.is_empty() {
        return "would go to standard output; nothing was written\n".into();
    }
    let files = list(files.iter().map(|path| path.display()));
    format!("would write {}; nothing was written\n", printable(&files))
}
