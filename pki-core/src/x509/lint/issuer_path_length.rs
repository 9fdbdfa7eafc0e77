//! An issuer with a path length of 0 issues leaves only.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "issuer-path-length",
    cites: "RFC 5280 section 4.2.1.9",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let (details, issuer) = (subject.details, subject.issuer?);
    // A CA that issues to its own name, as when it changes its key, makes the path no longer.
    let longer = details.is_ca && details.subject.der() != details.issuer.der();
    (longer && issuer.path_length == Some(0))
        .then(|| format!("{} may issue leaves only (pathLen 0)", issuer.subject))
}

#[cfg(test)]
super::bad_fixture!("issuer-path-length", issuer: "issuer-path-length.issuer");
