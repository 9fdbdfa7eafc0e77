//! No leaf is good for every purpose.

use super::{Rule, Severity, Subject};
use crate::x509::ExtendedKeyUsage;

pub(super) const RULE: Rule = Rule {
    name: "extended-key-usage-any",
    cites: "RFC 5280 section 4.2.1.12",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let any = |usage: &ExtendedKeyUsage| matches!(usage, ExtendedKeyUsage::Other(oid) if oid == "2.5.29.37.0");
    (!subject.details.is_ca && subject.details.extended_key_usages.iter().any(any))
        .then(|| "anyExtendedKeyUsage".to_owned())
}

#[cfg(test)]
super::bad_fixture!("extended-key-usage-any");
