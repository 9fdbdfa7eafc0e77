//! What `kpki lint` says.

use std::fmt::Write;

use pki_core::x509::lint::{Finding, Severity};
use serde::Serialize;

use super::collect::{Damaged, Held};
use crate::output::errors::printable;
use crate::output::style::{ERROR, GOOD, STRONG, WARNING, WEAK};
use crate::output::words::count;

/// All findings, for programs and for people.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    certificates: usize,
    errors: usize,
    warnings: usize,
    findings: Vec<Entry>,
}

/// One finding and where it is.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    pub file: String,
    subject: Option<String>,
    pub rule: &'static str,
    #[serde(serialize_with = "word")]
    pub severity: Severity,
    pub fact: String,
    pub cites: &'static str,
}

fn word<S: serde::Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    })
}

impl Entry {
    pub fn new(held: &Held, finding: Finding) -> Self {
        Self {
            file: held.file.display().to_string(),
            subject: Some(held.certificate.subject.to_string()),
            rule: finding.rule,
            severity: finding.severity,
            fact: finding.fact,
            cites: finding.cites,
        }
    }

    /// A file that should hold a certificate and does not.
    pub fn damaged(damaged: &Damaged) -> Self {
        Self {
            file: damaged.file.display().to_string(),
            subject: None,
            rule: "readable",
            severity: Severity::Error,
            fact: damaged.reason.clone(),
            cites: "RFC 5280 section 4.1; RFC 7468",
        }
    }
}

impl Document {
    pub fn new(certificates: usize, findings: Vec<Entry>) -> Self {
        let of = |severity| {
            findings
                .iter()
                .filter(|entry| entry.severity == severity)
                .count()
        };
        Self {
            certificates,
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            findings,
        }
    }

    /// The worst that was found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|entry| entry.severity).max()
    }

    /// The findings under the files they are in.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut last = None;
        for entry in &self.findings {
            if last != Some((&entry.file, &entry.subject)) {
                let subject = entry.subject.as_deref().unwrap_or_default();
                let _ = writeln!(
                    text,
                    "{STRONG}{}{STRONG:#} {WEAK}{}{WEAK:#}",
                    printable(&entry.file),
                    printable(subject)
                );
                last = Some((&entry.file, &entry.subject));
            }
            let (style, word) = match entry.severity {
                Severity::Error => (ERROR, "error  "),
                Severity::Warning => (WARNING, "warning"),
            };
            let _ = writeln!(
                text,
                "  {style}{word}{style:#} {}: {} {WEAK}({}){WEAK:#}",
                entry.rule,
                printable(&entry.fact),
                entry.cites
            );
        }
        let certificates = count(self.certificates, "certificate");
        let _ = if self.findings.is_empty() {
            writeln!(text, "{GOOD}fine{GOOD:#}: {certificates}, no findings")
        } else {
            writeln!(
                text,
                "\n{}, {} in {certificates}",
                count(self.errors, "error"),
                count(self.warnings, "warning")
            )
        };
        text
    }
}
