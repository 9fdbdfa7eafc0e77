//! An RSA key agrees on no keys, and a CA's key encrypts nothing. A warning: kubeadm's CAs have
//! keyEncipherment.

use super::{Rule, Severity, Subject};
use crate::x509::KeyUsage;

pub(super) const RULE: Rule = Rule {
    name: "rsa-key-usage",
    cites: "RFC 3279 section 2.3.1; zlint e_rsa_allowed_ku_no_encipherment_ca",
    severity: Severity::Warning,
    check,
};

const FORBIDDEN: KeyUsage = KeyUsage::KEY_AGREEMENT
    .and(KeyUsage::ENCIPHER_ONLY)
    .and(KeyUsage::DECIPHER_ONLY);
const FORBIDDEN_TO_CA: KeyUsage = FORBIDDEN
    .and(KeyUsage::KEY_ENCIPHERMENT)
    .and(KeyUsage::DATA_ENCIPHERMENT);

fn check(subject: &Subject<'_>) -> Option<String> {
    let (who, forbidden) = if subject.details.is_ca {
        ("CA", FORBIDDEN_TO_CA)
    } else {
        ("leaf", FORBIDDEN)
    };
    let wrong = subject.details.key_usage?.overlap(forbidden);
    let rsa = subject.details.public_key.algorithm()?.is_rsa();
    (rsa && !wrong.is_empty()).then(|| format!("an RSA key of a {who} for {wrong}"))
}

#[cfg(test)]
super::bad_fixture!("rsa-key-usage");
