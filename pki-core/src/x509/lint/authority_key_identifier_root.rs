//! A root names its own key as its issuer's. A warning: the RFC lets a root leave it out and Go, so
//! kubeadm, does.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "authority-key-identifier-root",
    cites: "RFC 5280 section 4.2.1.1; microk8s#5537",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    (subject.details.authority_key_identifier.is_none() && subject.is_self_issued())
        .then(|| "no key identifier of the issuer, which is itself".to_owned())
}

#[cfg(test)]
super::bad_fixture!("authority-key-identifier-root", issuer: none);
