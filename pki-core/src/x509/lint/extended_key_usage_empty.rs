//! extendedKeyUsage names at least one purpose: webpki refuses an empty one.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "extended-key-usage-empty",
    cites: "RFC 5280 section 4.2.1.12",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    (subject.details.extended_key_usages.is_empty()
        && subject.extension(id::EXTENDED_KEY_USAGE).is_some())
    .then(|| "extendedKeyUsage without a purpose".to_owned())
}

#[cfg(test)]
super::bad_fixture!("extended-key-usage-empty");
