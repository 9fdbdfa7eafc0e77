//! subjectAltName holds at least one name.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "san-empty",
    cites: "RFC 5280 section 4.2.1.6",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let details = subject.details;
    (details.sans.is_empty()
        && details.odd_sans.is_empty()
        && subject.extension(id::SUBJECT_ALT_NAME).is_some())
    .then(|| "subjectAltName without a name".to_owned())
}

#[cfg(test)]
super::bad_fixture!("san-empty");
