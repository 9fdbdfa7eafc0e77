//! A leaf with a key usage may sign handshakes, which is all that TLS 1.3 does with its key.

use super::{Rule, Severity, Subject};
use crate::x509::KeyUsage;

pub(super) const RULE: Rule = Rule {
    name: "leaf-key-usage",
    cites: "RFC 8446 section 4.4.2.2",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let usage = subject.details.key_usage?;
    (!subject.details.is_ca && !usage.contains(KeyUsage::DIGITAL_SIGNATURE))
        .then(|| format!("no digitalSignature ({usage})"))
}

#[cfg(test)]
super::bad_fixture!("leaf-key-usage");
