//! The front-proxy CA is another than the client CA, in key and in name: else any client can pose as
//! the front proxy, and so as any user.

use super::{Set, SetRule};
use crate::x509::lint::Severity;

pub(super) const RULE: SetRule = SetRule {
    name: "front-proxy-ca",
    cites: "kubernetes#119267; kubernetes#53990",
    severity: Severity::Error,
    check,
};

fn check(set: &Set<'_>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in set.of_role(set.roles.front_proxy_ca) {
        let (_, proxy) = set.certificates[at];
        for client in set.of_role(set.roles.client_ca) {
            let (name, client) = set.certificates[client];
            let same = if proxy.public_key == client.public_key {
                "key"
            } else if proxy.subject.same_attributes(&client.subject) {
                "subject"
            } else {
                continue;
            };
            found.push((
                at,
                format!("the front-proxy CA has the {same} of the client CA, {name}"),
            ));
        }
    }
    found
}

#[cfg(test)]
#[test]
fn the_bad_fixture_breaks_this_rule_alone() {
    let bad = include_bytes!("../fixtures/front-proxy-ca.pem");
    // The same certificate for both, and another key under the same name.
    super::fires_alone(RULE, bad, &["ca.crt", "front-proxy-ca.crt", "unused"]);
    super::fires_alone(RULE, bad, &["ca.crt", "unused", "front-proxy-ca.crt"]);
}
