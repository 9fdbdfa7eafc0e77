//! A server has a DNS name or an address: Go, and so every client in a cluster, ignores the common
//! name.

use crate::x509::lint::{Rule, Severity, Subject};
use crate::x509::{SubjectAltName, Usage};

pub(super) const RULE: Rule = Rule {
    name: "server-sans",
    cites: "golang/go#39568; RFC 9525 section 2",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let details = subject.details;
    if details.is_ca || !details.allows(Usage::Server) {
        return None;
    }
    let mut sans = details.sans.iter();
    let dialled = sans.any(|san| matches!(san, SubjectAltName::Dns(_) | SubjectAltName::Ip(_)));
    (!dialled).then(|| "a server without a DNS name or an address".to_owned())
}

#[cfg(test)]
crate::x509::lint::bad_fixture!("server-sans");
