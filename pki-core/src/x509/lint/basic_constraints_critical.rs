//! A CA says critically that it is one.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "basic-constraints-critical",
    cites: "RFC 5280 section 4.2.1.9",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let critical = subject.extension(id::BASIC_CONSTRAINTS)?.critical;
    (subject.details.is_ca && !critical).then(|| "basicConstraints is not critical".to_owned())
}

#[cfg(test)]
super::bad_fixture!("basic-constraints-critical");
