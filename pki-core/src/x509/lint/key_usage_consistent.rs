//! keyUsage has nothing that no purpose in extendedKeyUsage makes use of: only a server decrypts the
//! keys that are sent to it. A warning: kubeadm's client certificates have keyEncipherment and nobody
//! minds.

use super::{Rule, Severity, Subject};
use crate::x509::{ExtendedKeyUsage, KeyUsage, Usage};

pub(super) const RULE: Rule = Rule {
    name: "key-usage-consistent",
    cites: "RFC 5280 section 4.2.1.12; zlint e_key_usage_and_extended_key_usage_inconsistent",
    severity: Severity::Warning,
    check,
};

const SERVER: KeyUsage = CLIENT.and(KeyUsage::KEY_ENCIPHERMENT);
const CLIENT: KeyUsage = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_AGREEMENT);
/// [`cert_sign_without_ca`](super::cert_sign_without_ca) tells it better.
const TOLD_ELSEWHERE: KeyUsage = KeyUsage::KEY_CERT_SIGN;

fn check(subject: &Subject<'_>) -> Option<String> {
    let details = subject.details;
    let usage = details.key_usage?;
    if details.is_ca || details.extended_key_usages.is_empty() {
        return None;
    }
    let mut allowed = TOLD_ELSEWHERE;
    for purpose in &details.extended_key_usages {
        allowed = allowed.and(match purpose {
            ExtendedKeyUsage::Known(Usage::Server) => SERVER,
            ExtendedKeyUsage::Known(Usage::Client) => CLIENT,
            // What another purpose needs is not known here.
            ExtendedKeyUsage::Other(_) => return None,
        });
    }
    (!allowed.contains(usage)).then(|| {
        let purposes: Vec<_> = details
            .extended_key_usages
            .iter()
            .map(ToString::to_string)
            .collect();
        format!(
            "{usage} is more than {} makes use of",
            purposes.join(" and ")
        )
    })
}

#[cfg(test)]
super::bad_fixture!("key-usage-consistent");
