//! A CA has a key usage and it allows signing certificates: OpenSSL's strict mode, and with it Python
//! from 3.13, refuses a CA without one.

use super::{Rule, Severity, Subject};
use crate::x509::KeyUsage;

pub(super) const RULE: Rule = Rule {
    name: "ca-key-usage",
    cites: "RFC 5280 section 4.2.1.3; microk8s#5537",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    if !subject.details.is_ca {
        return None;
    }
    match subject.details.key_usage {
        None => Some("a CA without keyUsage".to_owned()),
        Some(usage) if usage.contains(KeyUsage::KEY_CERT_SIGN) => None,
        Some(usage) => Some(format!("a CA without keyCertSign ({usage})")),
    }
}

#[cfg(test)]
super::bad_fixture!("ca-key-usage");
