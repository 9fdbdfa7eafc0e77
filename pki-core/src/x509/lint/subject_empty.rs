//! A CA has a subject, since it is an issuer, and a leaf has a subject or alternative names.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "subject-empty",
    cites: "RFC 5280 section 4.1.2.6",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    if !subject.details.subject.is_empty() {
        None
    } else if subject.details.is_ca {
        Some("a CA without a subject".to_owned())
    } else {
        subject
            .extension(id::SUBJECT_ALT_NAME)
            .is_none()
            .then(|| "neither a subject nor alternative names".to_owned())
    }
}

#[cfg(test)]
super::bad_fixture!("subject-empty");
