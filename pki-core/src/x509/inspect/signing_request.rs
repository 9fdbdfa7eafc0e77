//! What can be told of a signing request.

use std::fmt;

use serde::Serialize;

use super::text::Lines;
use super::{AlternativeNameReport, PublicKeyReport, certificate, names};
use crate::x509::SigningRequest;

/// A signing request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SigningRequestReport {
    /// Whom it is for.
    pub subject: String,
    /// The key to certify.
    pub public_key: PublicKeyReport,
    /// The signature algorithm's usual name.
    pub signature_algorithm: String,
    /// Whether the key in the request signed it.
    pub signature_valid: bool,
    /// The alternative names that it asks for.
    pub alternative_names: Vec<AlternativeNameReport>,
    /// The key usages that it asks for; absent where it has no such extension.
    pub key_usages: Option<Vec<String>>,
    /// The extended key usages that it asks for.
    pub extended_key_usages: Vec<String>,
    /// Whether it asks to become a CA.
    pub ca: bool,
    /// Other extensions that it asks for, as object identifiers.
    pub other_extensions: Vec<String>,
    /// Whether a private key in the same file is its own; absent where there is none.
    pub key_in_file: Option<bool>,
}

impl SigningRequestReport {
    /// What can be told of `request` alone.
    pub fn new(request: &SigningRequest) -> Self {
        Self {
            subject: request.subject.to_string(),
            public_key: PublicKeyReport::new(&request.public_key),
            signature_algorithm: names::signature_algorithm(&request.signature_algorithm).into(),
            signature_valid: request.verify_signature().is_ok(),
            alternative_names: AlternativeNameReport::all(&request.sans, &request.odd_sans),
            key_usages: certificate::key_usages(request.key_usage),
            extended_key_usages: certificate::extended_key_usages(&request.extended_key_usages),
            ca: request.is_ca,
            other_extensions: request.other_extensions.clone(),
            key_in_file: None,
        }
    }
}

impl fmt::Display for SigningRequestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines::default();
        lines.add("subject", &self.subject);
        AlternativeNameReport::add_to(&self.alternative_names, &mut lines);
        if self.ca {
            lines.add("CA", "asks to become one");
        }
        certificate::add_usages(&self.key_usages, &self.extended_key_usages, &mut lines);
        lines.list("other extensions", &self.other_extensions);
        self.public_key.add_to(&mut lines);
        let proof = if self.signature_valid {
            "by its own key"
        } else {
            "NOT by its own key, or of a kind that is not supported"
        };
        lines.add(
            "signed",
            format_args!("{proof} ({})", self.signature_algorithm),
        );
        certificate::add_key_in_file(self.key_in_file, &mut lines);
        lines.fmt(f)
    }
}
