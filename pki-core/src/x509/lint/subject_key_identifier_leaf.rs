//! A leaf has a key identifier. A warning: the RFC says should, and Go, so kubeadm, leaves it out.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "subject-key-identifier-leaf",
    cites: "RFC 5280 section 4.2.1.2",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    (!subject.details.is_ca && subject.details.subject_key_identifier.is_none())
        .then(|| "a leaf without subjectKeyIdentifier".to_owned())
}

#[cfg(test)]
super::bad_fixture!("subject-key-identifier-leaf");
