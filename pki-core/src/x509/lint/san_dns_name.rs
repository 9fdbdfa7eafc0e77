//! A dNSName is a host name, perhaps with a wildcard in front. Capital letters are told by nobody.

use super::san_address_as_dns::is_address;
use super::{Rule, Severity, Subject};
use crate::x509::DnsName;

pub(super) const RULE: Rule = Rule {
    name: "san-dns-name",
    cites: "RFC 5280 section 4.2.1.6; RFC 1123 section 2.1",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    subject.odd_dns_names().find_map(|text| {
        if is_address(text) {
            return None;
        }
        let error = DnsName::new(text.to_ascii_lowercase()).err()?;
        Some(format!("dNSName {text:?}: {error}"))
    })
}

#[cfg(test)]
super::bad_fixture!("san-dns-name");
