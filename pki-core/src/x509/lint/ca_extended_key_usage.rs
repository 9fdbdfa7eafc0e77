//! A CA has no extended key usages, which Go would apply to everything below. A warning: corporate CAs
//! often have them on purpose; see [`issuer_extended_key_usage`](super::issuer_extended_key_usage).

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "ca-extended-key-usage",
    cites: "RFC 5280 section 4.2.1.12",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    (subject.details.is_ca && subject.extension(id::EXTENDED_KEY_USAGE).is_some())
        .then(|| "a CA with extendedKeyUsage".to_owned())
}

#[cfg(test)]
super::bad_fixture!("ca-extended-key-usage");
