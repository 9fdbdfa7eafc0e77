//! An RSA modulus has at least 2048 bits. Go refuses to handshake below 1024 and webpki below 2048.

use x509_parser::public_key::PublicKey;

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "rsa-key-size",
    cites: "NIST SP 800-131A section 3; RFC 8017 section 8",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    too_short(subject).map(|bits| format!("{bits} bits are less than 2048"))
}

/// The length of an RSA modulus that is too short.
pub(super) fn too_short(subject: &Subject<'_>) -> Option<usize> {
    if subject.details.public_key.algorithm().is_some() {
        return None;
    }
    let PublicKey::RSA(key) = subject.tbs.subject_pki.parsed().ok()? else {
        return None;
    };
    let zeros = key.modulus.iter().take_while(|byte| **byte == 0).count();
    let modulus = &key.modulus[zeros..];
    let unset = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = modulus.len() * 8 - unset as usize;
    (bits < 2048).then_some(bits)
}

#[cfg(test)]
super::bad_fixture!("rsa-key-size");
