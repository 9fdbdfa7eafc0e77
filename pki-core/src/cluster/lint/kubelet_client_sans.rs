//! A kubelet's client certificate has no alternative names: the signer
//! kubernetes.io/kube-apiserver-client-kubelet forbids them.

use super::node_of;
use crate::x509::Usage;
use crate::x509::lint::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "kubelet-client-sans",
    cites: "KEP-1513; kubernetes pkg/apis/certificates/helpers.go (ValidateKubeletClientCSR)",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    node_of(subject)?;
    let details = subject.details;
    if !details.allows(Usage::Client) || details.allows(Usage::Server) {
        return None;
    }
    let odd = details.odd_sans.first().cloned();
    let san = details.sans.first().map(ToString::to_string).or(odd)?;
    Some(format!(
        "a kubelet's client certificate with the alternative name {san}"
    ))
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("kubelet-client-sans");
