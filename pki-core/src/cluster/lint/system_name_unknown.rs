//! The prefix `system:` belongs to Kubernetes: a user or a group under it that no component knows is a
//! mistake, such as `system:master`. A warning: it grants nothing today.

use super::NODE;
use crate::x509::lint::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "system-name-unknown",
    cites: "Kubernetes documentation: Using RBAC authorization, referring to subjects; k8s.io/apiserver pkg/authentication/user",
    severity: Severity::Warning,
    check,
};

/// `system:apiserver` is what an API server calls itself, `system:monitoring` may read metrics and health.
const USERS: [&str; 4] = [
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:kube-proxy",
    "system:apiserver",
];
/// `system:node-proxier` is bound to nothing by itself, but it is the name that kube-proxy's group has by custom.
const GROUPS: [&str; 4] = [
    "system:masters",
    "system:nodes",
    "system:monitoring",
    "system:node-proxier",
];

fn check(subject: &Subject<'_>) -> Option<String> {
    if subject.details.is_ca {
        return None;
    }
    let name = &subject.details.subject;
    let unknown =
        |text: &str, known: &[&str]| text.starts_with("system:") && !known.contains(&text);
    let user = name
        .common_name()
        .filter(|user| unknown(user, &USERS) && !user.starts_with(NODE));
    if let Some(user) = user {
        return Some(format!("no component knows the user {user}"));
    }
    let group = name.organizations().find(|group| unknown(group, &GROUPS))?;
    Some(format!("no component knows the group {group}"))
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("system-name-unknown");
