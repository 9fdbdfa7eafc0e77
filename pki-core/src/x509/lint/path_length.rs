//! Only a CA that may sign certificates has a path length.

use super::{Rule, Severity, Subject};
use crate::x509::KeyUsage;

pub(super) const RULE: Rule = Rule {
    name: "path-length",
    cites: "RFC 5280 section 4.2.1.9",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let length = subject.details.path_length?;
    if !subject.details.is_ca {
        return Some(format!("pathLen {length} without cA"));
    }
    let may_sign = subject
        .details
        .key_usage
        .is_none_or(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN));
    (!may_sign).then(|| format!("pathLen {length} without keyCertSign"))
}

#[cfg(test)]
super::bad_fixture!("path-length");
