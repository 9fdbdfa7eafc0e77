//! Where the issuer has extended key usages, they hold for everything below it: Go and OpenSSL apply
//! them along the whole path.

use super::{Rule, Severity, Subject};
use crate::x509::ExtendedKeyUsage;

pub(super) const RULE: Rule = Rule {
    name: "issuer-extended-key-usage",
    cites: "RFC 5280 section 4.2.1.12; Go crypto/x509 VerifyOptions.KeyUsages",
    severity: Severity::Error,
    check,
};

const ANY: &str = "2.5.29.37.0";

fn check(subject: &Subject<'_>) -> Option<String> {
    let issuer = subject.issuer?;
    let allowed = &issuer.extended_key_usages;
    let is_any =
        |usage: &ExtendedKeyUsage| matches!(usage, ExtendedKeyUsage::Other(oid) if oid == ANY);
    if allowed.is_empty() || allowed.iter().any(is_any) {
        return None;
    }
    let mut wanted = subject.details.extended_key_usages.iter();
    let usage = wanted.find(|usage| !allowed.contains(usage))?;
    Some(format!("the issuer {} is not for {usage}", issuer.subject))
}

#[cfg(test)]
super::bad_fixture!("issuer-extended-key-usage", issuer: "issuer-extended-key-usage.issuer");
