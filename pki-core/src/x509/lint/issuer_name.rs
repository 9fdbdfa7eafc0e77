//! The issuer is named by its subject, byte for byte: webpki and Go compare bytes, not meanings.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "issuer-name",
    cites: "RFC 5280 section 6.1.3 (a) (4)",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let (said, issuer) = (&subject.details.issuer, &subject.issuer?.subject);
    (said.der() != issuer.der()).then(|| format!("issuer {said}, but the issuer is {issuer}"))
}

#[cfg(test)]
super::bad_fixture!("issuer-name");
