//! The issuer's name constraints are of kinds that this library can check: a certificate that breaks
//! others is issued without complaint and refused by its peers.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "issuer-odd-constraints",
    cites: "RFC 5280 section 4.2.1.10",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let issuer = subject.issuer?;
    let odd = &issuer.odd_name_constraints;
    (!odd.is_empty()).then(|| format!("{} constrains {} too", issuer.subject, odd.join(", ")))
}

#[cfg(test)]
super::bad_fixture!("issuer-odd-constraints", issuer: "issuer-odd-constraints.issuer");
