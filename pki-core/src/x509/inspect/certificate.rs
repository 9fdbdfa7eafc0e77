//! What can be told of a certificate.

use std::fmt;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, GeneralSubtree, ParsedExtension};
use x509_parser::prelude::FromDer;

use super::text::Lines;
use super::{PublicKeyReport, names};
use crate::x509::certificate::{address_range, alternative_name};
use crate::x509::{
    Certificate, ExtendedKeyUsage, KeyUsage, SubjectAltName, Validity, hex, signature_valid,
};

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CertificateReport {
    /// Whom it is for.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Whether both are the same name and its own key signed it, as in a root.
    pub self_signed: bool,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// Its first second (RFC 3339).
    pub not_before: String,
    /// Its last second (RFC 3339).
    pub not_after: String,
    /// Where the moment of the inspection lies.
    pub status: CertificateStatus,
    /// Whole days until it is over; negative whole days since. 0 on either side: `status` tells which.
    pub days_left: i64,
    /// The key that it certifies.
    pub public_key: PublicKeyReport,
    /// The signature algorithm's usual name.
    pub signature_algorithm: String,
    /// The alternative names.
    pub alternative_names: Vec<AlternativeNameReport>,
    /// Whether it is a CA's (basicConstraints).
    pub ca: bool,
    /// How many CAs may stand below it (pathLenConstraint).
    pub path_length: Option<u32>,
    /// The key usages; absent where it has no such extension.
    pub key_usages: Option<Vec<String>>,
    /// The extended key usages.
    pub extended_key_usages: Vec<String>,
    /// What it may issue for; absent where it has no such extension.
    pub name_constraints: Option<NameConstraintsReport>,
    /// subjectKeyIdentifier in hexadecimal.
    pub subject_key_identifier: Option<String>,
    /// authorityKeyIdentifier in hexadecimal.
    pub authority_key_identifier: Option<String>,
    /// The SHA-256 digest of the whole certificate in hexadecimal.
    pub sha256: String,
    /// Whether the next certificate in the same file issued this one, by name and signature; absent
    /// for the last one and for roots.
    pub issued_by_next: Option<bool>,
    /// Whether a private key in the same file is its own; absent where there is none.
    pub key_in_file: Option<bool>,
}

/// Where a moment lies in a certificate's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateStatus {
    /// Before it.
    NotYetValid,
    /// Within it.
    Valid,
    /// After it.
    Expired,
}

/// An alternative name, or a name that a CA may or may not issue for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AlternativeNameReport {
    /// `dns`, `ip`, `email`, `uri` or `other`.
    pub kind: &'static str,
    /// The name; an address range as CIDR.
    pub value: String,
}

/// The nameConstraints extension (RFC 5280 section 4.2.1.10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NameConstraintsReport {
    /// For each kind of name that occurs here, only these.
    pub permitted: Vec<AlternativeNameReport>,
    /// Never these.
    pub excluded: Vec<AlternativeNameReport>,
}

impl CertificateReport {
    /// What can be told of `certificate` alone at the moment `now`.
    pub fn new(certificate: &Certificate, now: OffsetDateTime) -> Self {
        let time = |moment: OffsetDateTime| moment.format(&Rfc3339).unwrap_or_default();
        let identifier = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(hex);
        let validity = certificate.validity;
        Self {
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            self_signed: certificate.is_self_issued() && signature_valid(certificate, certificate),
            serial: certificate.serial.to_string(),
            not_before: time(validity.not_before),
            not_after: time(validity.not_after),
            status: CertificateStatus::of(&validity, now),
            days_left: validity.left(now).whole_days(),
            public_key: PublicKeyReport::new(&certificate.public_key),
            signature_algorithm: names::signature_algorithm(&certificate.signature_algorithm)
                .to_owned(),
            alternative_names: AlternativeNameReport::all(&certificate.sans, &certificate.odd_sans),
            ca: certificate.is_ca,
            path_length: certificate.path_length,
            key_usages: key_usages(certificate.key_usage),
            extended_key_usages: extended_key_usages(&certificate.extended_key_usages),
            name_constraints: NameConstraintsReport::of(certificate),
            subject_key_identifier: identifier(&certificate.subject_key_identifier),
            authority_key_identifier: identifier(&certificate.authority_key_identifier),
            sha256: certificate.fingerprint(),
            issued_by_next: None,
            key_in_file: None,
        }
    }
}

impl CertificateStatus {
    /// Where `now` lies in `validity`.
    pub fn of(validity: &Validity, now: OffsetDateTime) -> Self {
        if validity.is_over(now) {
            Self::Expired
        } else if validity.contains(now) {
            Self::Valid
        } else {
            Self::NotYetValid
        }
    }
}

impl AlternativeNameReport {
    pub(super) fn all(sans: &[SubjectAltName], odd: &[String]) -> Vec<Self> {
        let odd = odd.iter().map(|text| Self::odd(text));
        sans.iter().map(Self::of).chain(odd).collect()
    }

    /// The same of one name.
    pub fn of(san: &SubjectAltName) -> Self {
        let kind = match san {
            SubjectAltName::Dns(_) => "dns",
            SubjectAltName::Ip(_) => "ip",
            SubjectAltName::Email(_) => "email",
            SubjectAltName::Uri(_) => "uri",
        };
        let value = san.to_string();
        Self { kind, value }
    }

    /// A DNS name in a form that this library does not write, such as with capitals, is still one.
    fn odd(text: &str) -> Self {
        let (kind, value) = match text.strip_prefix("DNS:") {
            Some(name) => ("dns", name),
            None => ("other", text),
        };
        let value = value.to_owned();
        Self { kind, value }
    }

    pub(super) fn add_to(names: &[Self], lines: &mut Lines) {
        for (kind, field) in [
            ("dns", "DNS names"),
            ("ip", "addresses"),
            ("email", "emails"),
            ("uri", "URIs"),
            ("other", "other names"),
        ] {
            let of_kind = names.iter().filter(|name| name.kind == kind);
            let values: Vec<_> = of_kind.map(|name| name.value.as_str()).collect();
            lines.list(field, &values);
        }
    }
}

impl NameConstraintsReport {
    fn of(certificate: &Certificate) -> Option<Self> {
        certificate.name_constraints.as_ref()?;
        let (_, parsed) = X509Certificate::from_der(certificate.der()).ok()?;
        parsed.extensions().iter().find_map(|extension| {
            let ParsedExtension::NameConstraints(constraints) = extension.parsed_extension() else {
                return None;
            };
            let names = |subtrees: &Option<Vec<GeneralSubtree<'_>>>| {
                subtrees
                    .iter()
                    .flatten()
                    .map(|s| subtree(&s.base))
                    .collect()
            };
            Some(Self {
                permitted: names(&constraints.permitted_subtrees),
                excluded: names(&constraints.excluded_subtrees),
            })
        })
    }
}

fn subtree(base: &GeneralName<'_>) -> AlternativeNameReport {
    if let GeneralName::IPAddress(bytes) = base
        && let Some(range) = address_range(bytes)
    {
        let value = range.to_string();
        return AlternativeNameReport { kind: "ip", value };
    }
    match alternative_name(base) {
        Ok(san) => AlternativeNameReport::of(&san),
        Err(text) => AlternativeNameReport::odd(&text),
    }
}

pub(super) fn key_usages(usage: Option<KeyUsage>) -> Option<Vec<String>> {
    usage.map(|usage| usage.names().map(str::to_owned).collect())
}

pub(super) fn extended_key_usages(usages: &[ExtendedKeyUsage]) -> Vec<String> {
    usages.iter().map(names::extended_key_usage).collect()
}

pub(super) fn add_usages(usages: &Option<Vec<String>>, extended: &[String], lines: &mut Lines) {
    if let Some(usages) = usages {
        lines.list("key usages", usages);
    }
    lines.list("extended usages", extended);
}

/// Only where it is true: an authority's certificate beside a leaf's key is no fault, and a key that
/// belongs to nothing says so itself.
pub(super) fn add_key_in_file(matches: Option<bool>, lines: &mut Lines) {
    lines.maybe(
        "key in this file",
        matches.filter(|yes| *yes).map(|_| "belongs to it"),
    );
}

impl fmt::Display for CertificateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines::default();
        lines.add("subject", &self.subject);
        if self.self_signed {
            lines.add("issuer", "itself");
        } else {
            lines.add("issuer", &self.issuer);
        }
        lines.add("valid from", &self.not_before);
        lines.add(
            "valid until",
            format_args!("{} ({})", self.not_after, self.remaining()),
        );
        AlternativeNameReport::add_to(&self.alternative_names, &mut lines);
        if self.ca {
            let depth = match self.path_length {
                Some(0) => "yes, for leaves only".to_owned(),
                Some(count) => format!("yes, with up to {count} more below it"),
                None => "yes".to_owned(),
            };
            lines.add("CA", depth);
        }
        if let Some(constraints) = &self.name_constraints {
            let texts = |names: &[AlternativeNameReport]| -> Vec<String> {
                names
                    .iter()
                    .map(|name| format!("{} {}", name.kind, name.value))
                    .collect()
            };
            lines.list("only names", &texts(&constraints.permitted));
            lines.list("never names", &texts(&constraints.excluded));
        }
        add_usages(&self.key_usages, &self.extended_key_usages, &mut lines);
        lines.add("serial", &self.serial);
        self.public_key.add_to(&mut lines);
        lines.maybe("key identifier", self.subject_key_identifier.as_ref());
        lines.maybe(
            "issuer's identifier",
            self.authority_key_identifier.as_ref(),
        );
        lines.add("signature", &self.signature_algorithm);
        lines.add("SHA-256", &self.sha256);
        lines.maybe(
            "next in this file",
            self.issued_by_next
                .map(|yes| if yes { "issued it" } else { "did NOT issue it" }),
        );
        add_key_in_file(self.key_in_file, &mut lines);
        lines.fmt(f)
    }
}

impl CertificateReport {
    fn remaining(&self) -> String {
        let days = |count: i64| match count {
            1 => "1 day".to_owned(),
            count => format!("{count} days"),
        };
        match self.status {
            CertificateStatus::NotYetValid => "NOT YET VALID".into(),
            CertificateStatus::Expired => match self.days_left {
                0 => "EXPIRED less than a day ago".into(),
                left => format!("EXPIRED {} ago", days(-left)),
            },
            CertificateStatus::Valid => match self.days_left {
                0 => "less than a day left".into(),
                left => format!("{} left", days(left)),
            },
        }
    }
}
