//! An Ed25519 key neither encrypts nor agrees on keys. A warning, as for ECDSA.

use super::{Rule, Severity, Subject};
use crate::x509::{KeyAlgorithm, KeyUsage};

pub(super) const RULE: Rule = Rule {
    name: "ed25519-key-usage",
    cites: "RFC 8410 section 5; RFC 9295 section 3",
    severity: Severity::Warning,
    check,
};

const FORBIDDEN: KeyUsage = KeyUsage::KEY_ENCIPHERMENT
    .and(KeyUsage::DATA_ENCIPHERMENT)
    .and(KeyUsage::KEY_AGREEMENT)
    .and(KeyUsage::ENCIPHER_ONLY)
    .and(KeyUsage::DECIPHER_ONLY);

fn check(subject: &Subject<'_>) -> Option<String> {
    let wrong = subject.details.key_usage?.overlap(FORBIDDEN);
    let ed25519 = subject.details.public_key.algorithm() == Some(KeyAlgorithm::Ed25519);
    (ed25519 && !wrong.is_empty()).then(|| format!("an Ed25519 key for {wrong}"))
}

#[cfg(test)]
super::bad_fixture!("ed25519-key-usage");
