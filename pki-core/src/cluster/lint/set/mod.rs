//! Rules that need more than one certificate: what the certificates of one cluster are to each other.

use crate::x509::Certificate;
use crate::x509::lint::{Finding, Severity};

mod etcd_ca;
mod front_proxy_ca;
mod key_shared;
mod serial_repeated;

/// The rules for the certificates of one cluster.
pub static RULES: &[SetRule] = &[
    front_proxy_ca::RULE,
    etcd_ca::RULE,
    serial_repeated::RULE,
    key_shared::RULE,
];

/// One rule for several certificates.
#[derive(Clone, Copy)]
pub struct SetRule {
    /// Its name, in words joined by hyphens.
    pub name: &'static str,
    /// Where it comes from.
    pub cites: &'static str,
    /// What happens when it is broken.
    pub severity: Severity,
    /// The certificates that break it by their place, and how.
    check: fn(&Set<'_>) -> Vec<(usize, String)>,
}

/// Which certificates of a set are which CA, by the name that they have in it. A bundle may have
/// several of one name. A role that is `None` is in no rule's way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles<'a> {
    /// Whom the API server trusts to name users: `--client-ca-file`.
    pub client_ca: Option<&'a str>,
    /// Whom it trusts to name other users: `--requestheader-client-ca-file`.
    pub front_proxy_ca: Option<&'a str>,
    /// Whom etcd trusts: `--trusted-ca-file`.
    pub etcd_ca: Option<&'a str>,
}

/// What a rule looks at.
struct Set<'a> {
    certificates: &'a [(&'a str, &'a Certificate)],
    roles: Roles<'a>,
}

/// Every rule that the certificates of one cluster break together, with the name of the one that does.
pub fn lint(certificates: &[(&str, &Certificate)], roles: Roles<'_>) -> Vec<(String, Finding)> {
    let set = Set {
        certificates,
        roles,
    };
    let of_rule = |rule: &SetRule| {
        let SetRule {
            name: rule,
            cites,
            severity,
            check,
        } = *rule;
        check(&set).into_iter().map(move |(at, fact)| {
            let finding = Finding {
                rule,
                cites,
                severity,
                fact,
            };
            (certificates[at].0.to_owned(), finding)
        })
    };
    RULES.iter().flat_map(of_rule).collect()
}

impl Set<'_> {
    /// The places of the certificates with the name of this role.
    fn of_role(&self, role: Option<&str>) -> impl Iterator<Item = usize> {
        let names = self.certificates.iter().map(|(name, _)| *name);
        let mine = names
            .enumerate()
            .filter(move |(_, name)| Some(*name) == role);
        mine.map(|(at, _)| at)
    }
}

#[cfg(test)]
const ROLES: Roles<'_> = Roles {
    client_ca: Some("ca.crt"),
    front_proxy_ca: Some("front-proxy-ca.crt"),
    etcd_ca: Some("etcd/ca.crt"),
};

/// The certificates in `bad`, under these names, break `rule` and no other.
#[cfg(test)]
fn fires_alone(rule: SetRule, bad: &[u8], names: &[&str]) {
    let chain = Certificate::from_pem_chain(bad).unwrap();
    let set: Vec<_> = names.iter().copied().zip(&chain).collect();
    let findings = lint(&set, ROLES);
    let rules: Vec<_> = findings.iter().map(|(_, finding)| finding.rule).collect();
    assert_eq!(rules, [rule.name], "{findings:#?}");
    assert_eq!(
        lint(&set[..1], ROLES),
        [],
        "one certificate alone breaks nothing"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_a_file_a_fixture_and_a_source() {
        let rules: Vec<_> = RULES.iter().map(|rule| (rule.name, rule.cites)).collect();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cluster/lint");
        crate::x509::lint::assert_names_agree(&format!("{folder}/set"), &rules, &["mod"]);
        crate::x509::lint::assert_fixtures_exist(&format!("{folder}/fixtures"), &rules);
    }

    #[test]
    fn copies_renewals_and_namesakes_are_told_apart() {
        let pem = include_bytes!("../fixtures/good-set.pem");
        let chain = Certificate::from_pem_chain(pem).unwrap();
        let names = [
            "ca.crt",
            "front-proxy-ca.crt",
            "etcd/ca.crt",
            // The client CA renewed under its own key, in the same bundle.
            "ca.crt",
            // Two leaves with one serial number from two CAs with one name.
            "a",
            "b",
        ];
        assert_eq!(chain.len(), names.len());
        let mut set: Vec<_> = names.into_iter().zip(&chain).collect();
        // Every node has a copy of everything.
        set.extend(set.clone());
        assert_eq!(lint(&set, ROLES), []);
        let findings = lint(
            &set,
            Roles {
                etcd_ca: Some("ca.crt"),
                ..ROLES
            },
        );
        assert!(!findings.is_empty());
    }
}
