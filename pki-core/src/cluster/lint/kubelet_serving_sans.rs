//! A kubelet's serving certificate has neither mailboxes nor URIs: the signer
//! kubernetes.io/kubelet-serving forbids them. That it has a DNS name or an address is for
//! [`server_sans`](super::server_sans) to say.

use super::node_of;
use crate::x509::lint::{Rule, Severity, Subject};
use crate::x509::{SubjectAltName, Usage};

pub(super) const RULE: Rule = Rule {
    name: "kubelet-serving-sans",
    cites: "KEP-1513; kubernetes pkg/apis/certificates/helpers.go (ValidateKubeletServingCSR)",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    node_of(subject)?;
    if !subject.details.allows(Usage::Server) {
        return None;
    }
    let mut sans = subject.details.sans.iter();
    let foreign =
        |san: &&SubjectAltName| matches!(san, SubjectAltName::Email(_) | SubjectAltName::Uri(_));
    let san = sans.find(foreign)?;
    Some(format!(
        "a kubelet's serving certificate with the alternative name {san}"
    ))
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("kubelet-serving-sans");
