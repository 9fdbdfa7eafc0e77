//! Key identifiers are hints for finding a path, never critical.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "key-identifier-critical",
    cites: "RFC 5280 sections 4.2.1.1 and 4.2.1.2",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    [
        (id::AUTHORITY_KEY_IDENTIFIER, "authorityKeyIdentifier"),
        (id::SUBJECT_KEY_IDENTIFIER, "subjectKeyIdentifier"),
    ]
    .into_iter()
    .find(|(id, _)| subject.extension(*id).is_some_and(|found| found.critical))
    .map(|(_, name)| format!("{name} is critical"))
}

#[cfg(test)]
super::bad_fixture!("key-identifier-critical");
