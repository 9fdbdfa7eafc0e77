//! Alternative names are not critical where there is a subject. A warning: the RFC says should.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "san-needlessly-critical",
    cites: "RFC 5280 section 4.2.1.6",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let critical = subject.extension(id::SUBJECT_ALT_NAME)?.critical;
    (critical && !subject.details.subject.is_empty())
        .then(|| "subjectAltName is critical although there is a subject".to_owned())
}

#[cfg(test)]
super::bad_fixture!("san-needlessly-critical");
