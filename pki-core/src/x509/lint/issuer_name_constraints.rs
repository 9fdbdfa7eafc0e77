//! Every name lies within what the issuer is permitted to issue for, and outside what it is not.

use std::net::IpAddr;

use super::{Rule, Severity, Subject};
use crate::x509::{DnsName, NameConstraints, SubjectAltName};

pub(super) const RULE: Rule = Rule {
    name: "issuer-name-constraints",
    cites: "RFC 5280 section 4.2.1.10",
    severity: Severity::Error,
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let issuer = subject.issuer?;
    let permitted = issuer.name_constraints.as_ref()?;
    let constraints = (permitted, &issuer.excluded_names);
    let names = subject.details.sans.iter().filter_map(|san| match san {
        SubjectAltName::Dns(name) => {
            refused_name(name, constraints).map(|why| (san.to_string(), why))
        }
        SubjectAltName::Ip(address) => {
            refused_address(address, constraints).map(|why| (san.to_string(), why))
        }
        SubjectAltName::Email(_) | SubjectAltName::Uri(_) => None,
    });
    let in_capitals = subject.odd_dns_names().filter_map(|text| {
        let name = DnsName::new(text.to_ascii_lowercase()).ok()?;
        refused_name(&name, constraints).map(|why| (text.to_owned(), why))
    });
    let (san, why) = names.chain(in_capitals).next()?;
    Some(format!("{san} is {why} by {}", issuer.subject))
}

/// What is permitted, and what is excluded from it.
type Constraints<'a> = (&'a NameConstraints, &'a NameConstraints);

fn refused_name(name: &DnsName, (permitted, excluded): Constraints<'_>) -> Option<&'static str> {
    let (permitted, excluded) = (&permitted.dns, &excluded.dns);
    if excluded.iter().any(|base| touches(name, base)) {
        return Some("excluded");
    }
    let allowed = permitted.is_empty() || permitted.iter().any(|base| lies_in(name, base));
    (!allowed).then_some("not permitted")
}

fn refused_address(
    address: &IpAddr,
    (permitted, excluded): Constraints<'_>,
) -> Option<&'static str> {
    let (permitted, excluded) = (&permitted.addresses, &excluded.addresses);
    if excluded.iter().any(|range| range.contains(address)) {
        return Some("excluded");
    }
    let allowed = permitted.is_empty() || permitted.iter().any(|range| range.contains(address));
    (!allowed).then_some("not permitted")
}

/// Whether `name` is `base` or below it. A wildcard lies where everything it stands for lies.
fn lies_in(name: &DnsName, base: &DnsName) -> bool {
    name.as_str()
        .strip_suffix(base.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether `name`, or one of the names that it stands for as a wildcard, is `base` or below it.
fn touches(name: &DnsName, base: &DnsName) -> bool {
    let stands_for_base = || {
        let (_, above) = base.as_str().split_once('.')?;
        Some(name.as_str().strip_prefix("*.")? == above)
    };
    lies_in(name, base) || stands_for_base() == Some(true)
}

#[cfg(test)]
super::bad_fixture!("issuer-name-constraints", issuer: "issuer-name-constraints.issuer");
