//! An rfc822Name is a mailbox at a host, in ASCII.

use super::{Rule, Severity, Subject};
use crate::x509::{DnsName, SubjectAltName};

pub(super) const RULE: Rule = Rule {
    name: "san-email",
    cites: "RFC 5280 section 4.2.1.6; RFC 2821 section 4.1.2",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    subject.details.sans.iter().find_map(|san| {
        let SubjectAltName::Email(text) = san else {
            return None;
        };
        let whole = text.bytes().all(|byte| byte.is_ascii_graphic())
            && text.rsplit_once('@').is_some_and(|(mailbox, host)| {
                !mailbox.is_empty() && DnsName::new(host.to_ascii_lowercase()).is_ok()
            });
        (!whole).then(|| format!("rfc822Name {text:?} is no mailbox"))
    })
}

#[cfg(test)]
super::bad_fixture!("san-email");
