//! A kubelet has one certificate to dial with and another to answer with: both signers refuse both
//! usages at once.

use super::node_of;
use crate::x509::Usage;
use crate::x509::lint::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "node-usages",
    cites: "KEP-1513; kubernetes pkg/apis/certificates/helpers.go",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    node_of(subject)?;
    let details = subject.details;
    (details.allows(Usage::Server) && details.allows(Usage::Client))
        .then(|| "a kubelet's certificate for server and client".to_owned())
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("node-usages");
