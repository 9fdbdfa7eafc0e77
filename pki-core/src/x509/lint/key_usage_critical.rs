//! keyUsage is critical. A warning: the RFC says should.

use super::{Rule, Severity, Subject, id};

pub(super) const RULE: Rule = Rule {
    name: "key-usage-critical",
    cites: "RFC 5280 section 4.2.1.3",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let critical = subject.extension(id::KEY_USAGE)?.critical;
    (!critical).then(|| "keyUsage is not critical".to_owned())
}

#[cfg(test)]
super::bad_fixture!("key-usage-critical");
