//! The key identifier of the issuer is the one that the issuer has.

use super::{Rule, Severity, Subject};
use crate::x509::hex;

pub(super) const RULE: Rule = Rule {
    name: "authority-key-identifier-match",
    cites: "RFC 5280 section 4.2.1.1",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let said = subject.details.authority_key_identifier.as_ref()?;
    let is = subject.issuer?.subject_key_identifier.as_ref()?;
    (said != is).then(|| format!("{}, but the issuer has {}", hex(said), hex(is)))
}

#[cfg(test)]
super::bad_fixture!("authority-key-identifier-match");
