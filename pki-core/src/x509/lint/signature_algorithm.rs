//! A signature rests on SHA-2 or better: MD5 and SHA-1 signatures can be forged.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "signature-algorithm",
    cites: "RFC 6151 section 2; RFC 6194 section 3; RFC 4055 section 3.1",
    severity: Severity::Error,
    check,
};

/// ECDSA (RFC 5758 section 3.2), RSASSA-PKCS1-v1_5 (RFC 4055 section 5), Ed25519 and Ed448 (RFC 8410 section 3).
const STRONG: [&str; 8] = [
    "1.2.840.10045.4.3.2",
    "1.2.840.10045.4.3.3",
    "1.2.840.10045.4.3.4",
    "1.3.101.112",
    "1.3.101.113",
    "1.2.840.113549.1.1.11",
    "1.2.840.113549.1.1.12",
    "1.2.840.113549.1.1.13",
];

const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";

fn check(subject: &Subject<'_>) -> Option<String> {
    let algorithm = &*subject.details.signature_algorithm;
    if STRONG.contains(&algorithm) {
        return None;
    }
    if algorithm != RSASSA_PSS {
        return Some(format!("{algorithm} is weak or unknown"));
    }
    // RSASSA-PSS names its hash in its parameters, and means SHA-1 where it does not.
    let parameters = subject.tbs.signature.parameters.as_ref();
    let strong = parameters.is_some_and(|any| {
        any.data
            .windows(SHA2.len() + 1)
            .any(|window| window.starts_with(&SHA2) && matches!(window[SHA2.len()], 1..=3))
    });
    (!strong).then(|| "RSASSA-PSS without SHA-2".to_owned())
}

/// 2.16.840.1.101.3.4.2, of which 1, 2 and 3 are SHA-256, SHA-384 and SHA-512.
const SHA2: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

#[cfg(test)]
super::bad_fixture!("signature-algorithm");
