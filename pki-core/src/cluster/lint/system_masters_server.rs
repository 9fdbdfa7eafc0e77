//! A member of `system:masters` is never a server and has no alternative names: a server's key lies
//! where servers run.

use super::system_masters::is_master;
use crate::x509::Usage;
use crate::x509::lint::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "system-masters-server",
    cites: "kubeadm#2414",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    if !is_master(subject) {
        return None;
    }
    let details = subject.details;
    let names = !details.sans.is_empty() || !details.odd_sans.is_empty();
    (names || details.allows(Usage::Server))
        .then(|| "a member of system:masters as a server".to_owned())
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("system-masters-server");
