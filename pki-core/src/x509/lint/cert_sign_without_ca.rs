//! Only a CA may sign certificates.

use super::{Rule, Severity, Subject};
use crate::x509::KeyUsage;

pub(super) const RULE: Rule = Rule {
    name: "cert-sign-without-ca",
    cites: "RFC 5280 sections 4.2.1.3 and 4.2.1.9",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let usage = subject.details.key_usage?;
    (!subject.details.is_ca && usage.contains(KeyUsage::KEY_CERT_SIGN))
        .then(|| "keyCertSign without cA".to_owned())
}

#[cfg(test)]
super::bad_fixture!("cert-sign-without-ca");
