//! Name constraints constrain something.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "name-constraints-empty",
    cites: "RFC 5280 section 4.2.1.10",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let details = subject.details;
    let permitted = details.name_constraints.as_ref()?;
    (permitted.is_empty()
        && details.excluded_names.is_empty()
        && details.odd_name_constraints.is_empty())
    .then(|| "nameConstraints without a name".to_owned())
}

#[cfg(test)]
super::bad_fixture!("name-constraints-empty");
