//! Alternative names are critical where there is no subject.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "san-critical",
    cites: "RFC 5280 section 4.2.1.6",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let critical = subject.extension(id::SUBJECT_ALT_NAME)?.critical;
    (!critical && subject.details.subject.is_empty())
        .then(|| "subjectAltName is not critical although the subject is empty".to_owned())
}

#[cfg(test)]
super::bad_fixture!("san-critical");
