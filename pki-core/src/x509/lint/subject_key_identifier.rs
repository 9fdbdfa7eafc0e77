//! A CA has a key identifier: whatever it issues refers to it.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "subject-key-identifier",
    cites: "RFC 5280 section 4.2.1.2",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    (subject.details.is_ca && subject.details.subject_key_identifier.is_none())
        .then(|| "a CA without subjectKeyIdentifier".to_owned())
}

#[cfg(test)]
super::bad_fixture!("subject-key-identifier");
