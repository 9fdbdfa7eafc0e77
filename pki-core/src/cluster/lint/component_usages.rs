//! The controller-manager, the scheduler and the proxy are clients by these names. Serving under them
//! would let whoever reaches the files of their servers act as them.

use crate::x509::lint::{Rule, Severity, Subject};
use crate::x509::{ExtendedKeyUsage, Usage};

pub(super) const RULE: Rule = Rule {
    name: "component-usages",
    cites: "Kubernetes documentation: PKI certificates and requirements, user accounts",
    severity: Severity::Error,
    check,
};

const COMPONENTS: [&str; 3] = [
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:kube-proxy",
];

fn check(subject: &Subject<'_>) -> Option<String> {
    let details = subject.details;
    let name = details.subject.common_name()?;
    let more_than_client = details
        .extended_key_usages
        .iter()
        .any(|usage| *usage != ExtendedKeyUsage::Known(Usage::Client));
    (COMPONENTS.contains(&name) && more_than_client)
        .then(|| format!("{name} is a client and nothing else"))
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("component-usages");
