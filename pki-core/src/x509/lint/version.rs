//! A certificate is of version 3: without extensions nobody knows what it may be used for.

use x509_parser::x509::X509Version;

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "version",
    cites: "RFC 5280 section 4.1.2.1",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let version = subject.tbs.version;
    (version != X509Version::V3).then(|| format!("version {}", version.0.saturating_add(1)))
}

#[cfg(test)]
super::bad_fixture!("version");
