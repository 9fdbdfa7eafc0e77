//! A CA may sign revocation lists. A warning: kubeadm's CAs may not, and nothing in a cluster reads
//! such a list.

use super::{Rule, Severity, Subject};
use crate::x509::KeyUsage;

pub(super) const RULE: Rule = Rule {
    name: "ca-crl-sign",
    cites: "RFC 5280 section 4.2.1.3; zlint e_ca_crl_sign_not_set",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let usage = subject.details.key_usage?;
    let lacks = usage.contains(KeyUsage::KEY_CERT_SIGN) && !usage.contains(KeyUsage::CRL_SIGN);
    (subject.details.is_ca && lacks).then(|| "a CA without cRLSign".to_owned())
}

#[cfg(test)]
super::bad_fixture!("ca-crl-sign");
