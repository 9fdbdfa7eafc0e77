//! extendedKeyUsage is not critical, so that a verifier may ignore the purposes that it does not know.
//! A warning: RFC 5280 allows both.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "extended-key-usage-critical",
    cites: "CA/Browser Forum Baseline Requirements section 7.1.2.7.6",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let critical = subject.extension(id::EXTENDED_KEY_USAGE)?.critical;
    critical.then(|| "extendedKeyUsage is critical".to_owned())
}

#[cfg(test)]
super::bad_fixture!("extended-key-usage-critical");
