//! The issuer is a CA and may sign certificates.

use super::{Rule, Severity, Subject};
use crate::x509::KeyUsage;

pub(super) const RULE: Rule = Rule {
    name: "issuer-may-sign",
    cites: "RFC 5280 section 6.1.4 (k) and (n)",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let issuer = subject.issuer?;
    if !issuer.is_ca {
        return Some(format!("the issuer {} is not a CA", issuer.subject));
    }
    let may_sign = issuer
        .key_usage
        .is_none_or(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN));
    (!may_sign).then(|| format!("the issuer {} lacks keyCertSign", issuer.subject))
}

#[cfg(test)]
super::bad_fixture!("issuer-may-sign", issuer: "issuer-may-sign.issuer");
