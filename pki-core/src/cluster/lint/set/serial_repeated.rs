//! No issuer gives a serial number twice: revoking one certificate would revoke the other, and NSS
//! refuses the second.

use std::collections::HashMap;

use super::{Set, SetRule};
use crate::x509::lint::Severity;

pub(super) const RULE: SetRule = SetRule {
    name: "serial-repeated",
    cites: "RFC 5280 section 4.1.2.2",
    severity: Severity::Error,
    check,
};

fn check(set: &Set<'_>) -> Vec<(usize, String)> {
    let mut seen = HashMap::new();
    let mut found = Vec::new();
    for (at, (_, certificate)) in set.certificates.iter().enumerate() {
        // Two issuers may have one name; their keys tell them apart.
        let key = &certificate.authority_key_identifier;
        let issued = (certificate.issuer.der(), key, &certificate.serial);
        let first = *seen.entry(issued).or_insert(at);
        let (name, other) = set.certificates[first];
        if other.der() != certificate.der() {
            let (serial, issuer) = (&certificate.serial, &certificate.issuer);
            found.push((
                at,
                format!("{issuer} gave the serial number {serial} to {name} too"),
            ));
        }
    }
    found
}

#[cfg(test)]
#[test]
fn the_bad_fixture_breaks_this_rule_alone() {
    let bad = include_bytes!("../fixtures/serial-repeated.pem");
    super::fires_alone(RULE, bad, &["a", "b"]);
}
