//! No alternative name stands twice. A warning: it is a sign of a mistake and harms nobody.

use super::{Rule, Severity, Subject};
use crate::x509::SubjectAltName;

pub(super) const RULE: Rule = Rule {
    name: "san-duplicate",
    cites: "RFC 5280 section 4.2.1.6; zlint n_san_dns_name_duplicate",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let sans = &subject.details.sans;
    let repeated = |(at, san): &(usize, &SubjectAltName)| sans[..*at].contains(san);
    let (_, san) = sans.iter().enumerate().find(repeated)?;
    Some(format!("{san} stands twice"))
}

#[cfg(test)]
super::bad_fixture!("san-duplicate");
