//! The etcd CA has another key than the client CA: else every client of the API server can read all
//! secrets from etcd, past every role. A warning: it takes a way to etcd, and layouts with a single CA
//! are chosen knowingly.

use super::{Set, SetRule};
use crate::x509::lint::Severity;

pub(super) const RULE: SetRule = SetRule {
    name: "etcd-ca",
    cites: "Kubernetes documentation: PKI certificates and requirements",
    severity: Severity::Warning,
    check,
};

fn check(set: &Set<'_>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in set.of_role(set.roles.etcd_ca) {
        for client in set.of_role(set.roles.client_ca) {
            let (name, client) = set.certificates[client];
            if set.certificates[at].1.public_key == client.public_key {
                found.push((
                    at,
                    format!("the etcd CA has the key of the client CA, {name}"),
                ));
            }
        }
    }
    found
}

#[cfg(test)]
#[test]
fn the_bad_fixture_breaks_this_rule_alone() {
    let bad = include_bytes!("../fixtures/etcd-ca.pem");
    super::fires_alone(RULE, bad, &["ca.crt", "etcd/ca.crt"]);
}
