//! A leaf says what its key is for. A warning: the RFC demands it of CAs only, and verifiers read its
//! absence as everything.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "leaf-key-usage-missing",
    cites: "RFC 5280 section 4.2.1.3",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    (!subject.details.is_ca && subject.details.key_usage.is_none())
        .then(|| "a leaf without keyUsage".to_owned())
}

#[cfg(test)]
super::bad_fixture!("leaf-key-usage-missing");
