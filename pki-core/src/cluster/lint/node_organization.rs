//! `system:node:NAME` is a node only as a member of `system:nodes`, and of nothing else; nobody but
//! nodes is a member.

use super::node_of;
use crate::x509::lint::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "node-organization",
    cites: "KEP-279; kubernetes pkg/apis/certificates/helpers.go",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let node = node_of(subject).is_some();
    let mut groups = subject.details.subject.organizations();
    if !node {
        let member = !subject.details.is_ca && groups.any(|group| group == "system:nodes");
        return member.then(|| "O=system:nodes without CN=system:node:NAME".to_owned());
    }
    (groups.next() != Some("system:nodes") || groups.next().is_some())
        .then(|| format!("{} is not in system:nodes alone", subject.details.subject))
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("node-organization");
