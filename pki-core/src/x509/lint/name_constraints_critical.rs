//! Name constraints are critical: a verifier that does not know them must not ignore them.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "name-constraints-critical",
    cites: "RFC 5280 section 4.2.1.10",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let critical = subject.extension(id::NAME_CONSTRAINTS)?.critical;
    (!critical).then(|| "nameConstraints is not critical".to_owned())
}

#[cfg(test)]
super::bad_fixture!("name-constraints-critical");
