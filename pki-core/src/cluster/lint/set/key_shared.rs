//! Each certificate has a key of its own: a key stolen in one place is lost in one place. The copies of
//! one certificate share theirs, of course, and so do the certificates of one CA, which may have been
//! renewed or cross-signed. A warning: it breaks nothing.

use std::collections::HashMap;

use super::{Set, SetRule};
use crate::x509::lint::Severity;

pub(super) const RULE: SetRule = SetRule {
    name: "key-shared",
    cites: "NIST SP 800-57 part 1 section 5.2",
    severity: Severity::Warning,
    check,
};

fn check(set: &Set<'_>) -> Vec<(usize, String)> {
    let mut seen = HashMap::new();
    let mut found = Vec::new();
    for (at, (_, certificate)) in set.certificates.iter().enumerate() {
        let first = *seen.entry(certificate.public_key.der()).or_insert(at);
        let (name, other) = set.certificates[first];
        let same_ca = certificate.is_ca && other.is_ca && certificate.subject == other.subject;
        if other.der() != certificate.der() && !same_ca {
            found.push((at, format!("its key is that of {name} too")));
        }
    }
    found
}

#[cfg(test)]
#[test]
fn the_bad_fixture_breaks_this_rule_alone() {
    let bad = include_bytes!("../fixtures/key-shared.pem");
    super::fires_alone(RULE, bad, &["a", "b"]);
}
