//! Only a CA has name constraints.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "name-constraints-leaf",
    cites: "RFC 5280 section 4.2.1.10",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    (!subject.details.is_ca && subject.details.name_constraints.is_some())
        .then(|| "nameConstraints on a leaf".to_owned())
}

#[cfg(test)]
super::bad_fixture!("name-constraints-leaf");
