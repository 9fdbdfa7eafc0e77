//! An IP address is an iPAddress: as a dNSName no client matches it.

use super::{Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    name: "san-address-as-dns",
    cites: "RFC 5280 section 4.2.1.6; RFC 6125 section 1.7.2",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let address = |text: &&str| is_address(text);
    subject
        .odd_dns_names()
        .find(address)
        .map(|text| format!("dNSName {text} is an IP address"))
}

/// Whether a dNSName is an IP address.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
super::bad_fixture!("san-address-as-dns");
