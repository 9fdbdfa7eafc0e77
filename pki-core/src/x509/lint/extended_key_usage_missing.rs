//! A leaf says what it is for: without a purpose it is good for all of them.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "extended-key-usage-missing",
    cites: "RFC 5280 section 4.2.1.12",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    (!subject.details.is_ca && subject.extension(id::EXTENDED_KEY_USAGE).is_none())
        .then(|| "a leaf without extendedKeyUsage is good for every purpose".to_owned())
}

#[cfg(test)]
super::bad_fixture!("extended-key-usage-missing");
