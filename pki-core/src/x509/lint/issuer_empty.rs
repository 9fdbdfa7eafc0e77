//! The issuer has a name.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "issuer-empty",
    cites: "RFC 5280 section 4.1.2.4",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let empty = subject.details.issuer.is_empty();
    empty.then(|| "the issuer has no name".to_owned())
}

#[cfg(test)]
super::bad_fixture!("issuer-empty", issuer: none);
