//! An ECDSA key encrypts nothing. A warning: kubeadm sets keyEncipherment on every kind of key and no
//! verifier minds.

use super::{Rule, Severity, Subject};
use crate::x509::{KeyAlgorithm, KeyUsage};

pub(super) const RULE: Rule = Rule {
    name: "ecdsa-key-usage",
    cites: "RFC 8813 section 3; kubeadm#3328",
    severity: Severity::Warning,
    check,
};

/// What an EC key can do nothing with.
const FORBIDDEN: KeyUsage = KeyUsage::KEY_ENCIPHERMENT.and(KeyUsage::DATA_ENCIPHERMENT);

fn check(subject: &Subject<'_>) -> Option<String> {
    let wrong = subject.details.key_usage?.overlap(FORBIDDEN);
    if wrong.is_empty() {
        return None;
    }
    let ecdsa = match subject.details.public_key.algorithm()? {
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => true,
        KeyAlgorithm::Ed25519
        | KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096 => false,
    };
    ecdsa.then(|| format!("an ECDSA key for {wrong}"))
}

#[cfg(test)]
super::bad_fixture!("ecdsa-key-usage");
