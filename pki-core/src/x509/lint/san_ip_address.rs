//! An iPAddress has 4 bytes or 16.

use x509_parser::extensions::GeneralName;

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "san-ip-address",
    cites: "RFC 5280 section 4.2.1.6",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    subject.odd_general_names().find_map(|name| match name {
        GeneralName::IPAddress(bytes) if !matches!(bytes.len(), 4 | 16) => {
            Some(format!("iPAddress of {} bytes", bytes.len()))
        }
        _ => None,
    })
}

#[cfg(test)]
super::bad_fixture!("san-ip-address");
