//! Nobody is a member of `system:masters`: no role can be taken from its members and no certificate
//! revoked. A warning: kubeadm before 1.29 gave it to every administrator. kubernetes-super-admin, kept
//! for the day on which everything else fails, is meant to have it.

use crate::x509::lint::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "system-masters",
    cites: "kubeadm#2414",
    severity: Severity::Warning,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let name = subject.details.subject.common_name();
    (is_master(subject) && name != Some("kubernetes-super-admin"))
        .then(|| "a member of system:masters cannot be stopped".to_owned())
}

/// Whether the certificate makes its holder a member of system:masters.
pub(super) fn is_master(subject: &Subject<'_>) -> bool {
    let mut groups = subject.details.subject.organizations();
    !subject.details.is_ca && groups.any(|group| group == "system:masters")
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("system-masters");
