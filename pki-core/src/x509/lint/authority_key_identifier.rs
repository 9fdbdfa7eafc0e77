//! A certificate names its issuer's key by identifier: OpenSSL's strict mode, and with it Python from
//! 3.13, refuses one that does not.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "authority-key-identifier",
    cites: "RFC 5280 section 4.2.1.1; microk8s#5537",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    (subject.details.authority_key_identifier.is_none() && !subject.is_self_issued())
        .then(|| "no key identifier of the issuer".to_owned())
}

#[cfg(test)]
super::bad_fixture!("authority-key-identifier");
