//! A certificate begins before it ends.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "validity-order",
    cites: "RFC 5280 section 4.1.2.5",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let validity = &subject.details.validity;
    (validity.not_before >= validity.not_after).then(|| format!("{validity} ends before it begins"))
}

#[cfg(test)]
super::bad_fixture!("validity-order");
