//! No critical extension is unknown: a verifier has to refuse the certificate.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "critical-extension-unknown",
    cites: "RFC 5280 section 4.2",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let mut extensions = subject.tbs.extensions().iter();
    let extension = extensions
        .find(|extension| extension.critical && extension.parsed_extension().unsupported())?;
    Some(format!("{} is critical and not known", extension.oid))
}

#[cfg(test)]
super::bad_fixture!("critical-extension-unknown");
