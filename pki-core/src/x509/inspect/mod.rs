//! Inspecting: what a file holds, as one value that is text or JSON.
//!
//! Of a private key only its public half is ever told. The reports of single objects are public, so
//! that others (a kubeconfig's, a directory's) can be made of them.

use std::fmt;

use serde::Serialize;
use time::OffsetDateTime;

use super::{Certificate, PublicKey, verify::signature_valid};

mod certificate;
mod key;
mod names;
mod read;
mod signing_request;
mod text;

pub use certificate::{
    AlternativeNameReport, CertificateReport, CertificateStatus, NameConstraintsReport,
};
pub use key::{PrivateKeyForm, PrivateKeyReport, PublicKeyReport};
pub use read::InspectError;
pub use signing_request::SigningRequestReport;

use read::Object;
use text::Lines;

/// What a file holds. Serialize it for JSON (names in kebab-case), display it for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// How the objects are written.
    pub encoding: Encoding,
    /// What they are, in the order of the file; numbers in reports count from 1.
    pub objects: Vec<Entry>,
}

/// One object of a file and the label that it stands under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Its PEM label; absent in DER.
    pub label: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub object: ObjectReport,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Text blocks (RFC 7468).
    Pem,
    /// The bytes themselves, of one object.
    Der,
}

/// One object of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ObjectReport {
    /// A certificate.
    Certificate(Box<CertificateReport>),
    /// A signing request.
    SigningRequest(SigningRequestReport),
    /// A private key; only its public half.
    PrivateKey(PrivateKeyReport),
    /// A public key.
    PublicKey(PublicKeyReport),
    /// A PEM block of a kind that is passed over, such as `EC PARAMETERS`.
    Other {
        /// How many bytes it holds.
        bytes: usize,
    },
}

impl Report {
    /// Inspects the bytes of a file: PEM with any mix of certificates, signing requests and keys, or
    /// one of these in DER.
    ///
    /// # Errors
    /// When the bytes are neither, or an object in them is damaged.
    pub fn of(bytes: &[u8], now: OffsetDateTime) -> Result<Self, InspectError> {
        let (encoding, read) = read::objects(bytes)?;
        let (labels, objects): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        let entries = labels.into_iter().enumerate().map(|(place, label)| Entry {
            label,
            object: report(&objects, place, now),
        });
        Ok(Self {
            encoding,
            objects: entries.collect(),
        })
    }
}

fn report(objects: &[Object], place: usize, now: OffsetDateTime) -> ObjectReport {
    match &objects[place] {
        Object::Certificate(certificate) => {
            let mut report = CertificateReport::new(certificate, now);
            let next = objects[place + 1..].iter().find_map(as_certificate);
            report.issued_by_next = next
                .filter(|_| !certificate.is_self_issued())
                .map(|next| is_issuer(next, certificate));
            report.key_in_file = key_in_file(objects, &certificate.public_key);
            ObjectReport::Certificate(Box::new(report))
        }
        Object::SigningRequest(request) => {
            let mut report = SigningRequestReport::new(request);
            report.key_in_file = key_in_file(objects, &request.public_key);
            ObjectReport::SigningRequest(report)
        }
        Object::PrivateKey {
            form,
            outcome: Ok(public),
        } => {
            let mut report = PrivateKeyReport::new(*form, public);
            if objects.iter().any(|object| certified_key(object).is_some()) {
                let own = (1..)
                    .zip(objects)
                    .filter(|(_, object)| certified_key(object) == Some(public));
                report.belongs_to = Some(own.map(|(number, _)| number).collect());
            }
            ObjectReport::PrivateKey(report)
        }
        Object::PrivateKey {
            form,
            outcome: Err(problem),
        } => ObjectReport::PrivateKey(PrivateKeyReport::unusable(*form, problem)),
        Object::PublicKey(public) => ObjectReport::PublicKey(PublicKeyReport::new(public)),
        Object::Other { bytes } => ObjectReport::Other { bytes: *bytes },
    }
}

fn is_issuer(issuer: &Certificate, certificate: &Certificate) -> bool {
    issuer.subject.der() == certificate.issuer.der() && signature_valid(certificate, issuer)
}

/// Whether a private key in the file is the one to `public`; `None` where the file has no readable one.
fn key_in_file(objects: &[Object], public: &PublicKey) -> Option<bool> {
    objects
        .iter()
        .filter_map(|object| match object {
            Object::PrivateKey { outcome, .. } => outcome.as_ref().ok(),
            _ => None,
        })
        .map(|key| key == public)
        .reduce(|one, other| one || other)
}

fn as_certificate(object: &Object) -> Option<&Certificate> {
    match object {
        Object::Certificate(certificate) => Some(certificate),
        _ => None,
    }
}

/// The key that an object is about, where it is not a key itself.
fn certified_key(object: &Object) -> Option<&PublicKey> {
    match object {
        Object::Certificate(certificate) => Some(&certificate.public_key),
        Object::SigningRequest(request) => Some(&request.public_key),
        _ => None,
    }
}

/// Each object under a heading, its fields aligned and indented.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, entry) in (1..).zip(&self.objects) {
            if number > 1 {
                writeln!(f)?;
            }
            if self.objects.len() > 1 {
                write!(f, "{number}. ")?;
            }
            let label = entry.label.as_deref().unwrap_or("DER");
            writeln!(f, "{} ({label})", entry.object.title())?;
            for line in entry.object.to_string().lines() {
                writeln!(f, "   {line}")?;
            }
        }
        Ok(())
    }
}

impl ObjectReport {
    /// What it is, in words.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Certificate(report) if report.ca => "CA certificate",
            Self::Certificate(_) => "certificate",
            Self::SigningRequest(_) => "signing request",
            Self::PrivateKey(_) => "private key",
            Self::PublicKey(_) => "public key",
            Self::Other { .. } => "passed over",
        }
    }
}

/// The fields, one a line, aligned.
impl fmt::Display for ObjectReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(report) => report.fmt(f),
            Self::SigningRequest(report) => report.fmt(f),
            Self::PrivateKey(report) => report.fmt(f),
            Self::PublicKey(report) => report.fmt(f),
            Self::Other { bytes } => {
                let mut lines = Lines::default();
                lines.add("length", format_args!("{bytes} bytes"));
                lines.fmt(f)
            }
        }
    }
}

#[cfg(test)]
mod tests;
