//! The certified key is of a kind that this library can use and that every component of a cluster can
//! check.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "public-key",
    cites: "RFC 5480 section 2.1.1.1; RFC 8410 section 3; RFC 3279 section 2.3.1",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let key = &subject.details.public_key;
    if key.algorithm().is_some() || super::rsa_key_size::too_short(subject).is_some() {
        return None;
    }
    Some(format!("{key} is not supported"))
}

#[cfg(test)]
super::bad_fixture!("public-key");
