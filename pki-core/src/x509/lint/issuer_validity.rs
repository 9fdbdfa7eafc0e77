//! A certificate does not outlive its issuer: from then on no path to it is valid, whatever it says
//! itself.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "issuer-validity",
    cites: "RFC 5280 section 6.1.3 (a) (2); kubernetes#126538",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let end = subject.details.validity.not_after;
    let limit = subject.issuer?.validity.not_after;
    (end > limit).then(|| format!("it ends at {end}, its issuer at {limit}"))
}

#[cfg(test)]
super::bad_fixture!("issuer-validity");
