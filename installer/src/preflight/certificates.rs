//! The node's certificates and keys.

use super::{Check, Context, Finding};
use crate::check;

pub(super) const CERTIFICATES: Check = Check {
    name: "certificates",
    reason: "every connection of the node is TLS on both sides: one wrong name, usage, key or date and a component is alone",
    run: certificates,
};

fn certificates(context: &Context<'_>) -> Vec<Finding> {
    let node = context.node.name();
    let report = check::check(context.blueprint, context.inventory, node, context.now);
    let fix = format!("run kpki apply where the CA keys are, then bring nodes/{node} here again");
    let finding = |found: check::Finding| {
        let fact = found.fact.to_string();
        match found.severity {
            check::Severity::Fault => Finding::error(fact, &fix),
            check::Severity::Warning => Finding::warning(fact, &fix),
        }
    };
    report.findings.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use pki_core::cluster::FileMode;
    use pki_core::cluster::Location;
    use time::Duration;

    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn expired() {
        let mut fixture = Fixture::ipv4().with_pki();
        fixture.fine(CERTIFICATES);
        fixture.now += Duration::days(330);
        assert!(
            fixture
                .run(CERTIFICATES)
                .iter()
                .all(|one| { one.severity == super::super::Severity::Warning })
        );
        fixture.now += Duration::days(365 * 20);
        let facts: Vec<_> = fixture
            .run(CERTIFICATES)
            .into_iter()
            .map(|one| one.fact)
            .collect();
        assert!(
            facts
                .iter()
                .any(|fact| fact.starts_with("ca: ") && fact.contains("expired")),
            "{facts:?}"
        );
    }

    #[test]
    fn another_node_s_certificate() {
        let mut fixture = Fixture::ipv4().with_pki();
        let other = Fixture::new(&["10.3.0.0/24"], "cp1=192.0.2.99").with_pki();
        let at = Location::tree("nodes/cp1/pki/apiserver.crt").unwrap();
        let foreign = other
            .files
            .iter()
            .find(|(location, ..)| *location == at)
            .unwrap();
        fixture.inventory.add(at, FileMode::PUBLIC, &foreign.2);
        let facts: Vec<_> = fixture
            .run(CERTIFICATES)
            .into_iter()
            .map(|one| one.fact)
            .collect();
        let own: Vec<_> = facts
            .iter()
            .filter(|fact| fact.starts_with("cp1/apiserver:"))
            .collect();
        assert!(
            own.iter().any(|fact| fact.contains("192.0.2.11")),
            "{facts:?}"
        );
        assert!(own.iter().any(|fact| fact.contains("key")), "{facts:?}");
    }
}
