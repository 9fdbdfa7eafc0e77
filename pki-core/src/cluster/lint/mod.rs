//! Rules for what Kubernetes reads in a certificate: one a file, like those of
//! [`x509::lint`](crate::x509::lint), to which they come in addition. [`set`] holds those that need
//! more than one certificate.

use crate::x509::lint::{Rule, Subject};

mod component_usages;
mod kubelet_client_sans;
mod kubelet_serving_sans;
mod node_name;
mod node_organization;
mod node_usages;
mod server_sans;
pub mod set;
mod system_masters;
mod system_masters_server;
mod system_name_unknown;

/// The rules that one certificate can keep or break by itself.
pub static RULES: &[Rule] = &[
    server_sans::RULE,
    node_name::RULE,
    node_organization::RULE,
    node_usages::RULE,
    kubelet_client_sans::RULE,
    kubelet_serving_sans::RULE,
    component_usages::RULE,
    system_masters::RULE,
    system_masters_server::RULE,
    system_name_unknown::RULE,
];

/// How the user name of a node begins (KEP-279).
const NODE: &str = "system:node:";

/// The name of the node whose kubelet the certificate is for.
fn node_of<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    let user = subject.details.subject.common_name()?;
    user.strip_prefix(NODE).filter(|_| !subject.details.is_ca)
}

/// What the fixtures of this folder are held against.
#[cfg(test)]
const FAMILIES: &[&[Rule]] = &[crate::x509::lint::RULES, RULES];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::Certificate;
    use crate::x509::lint::{Severity, assert_files_agree, lint};

    #[test]
    fn each_rule_has_a_file_a_fixture_and_a_source() {
        let rules: Vec<_> = RULES.iter().map(|rule| (rule.name, rule.cites)).collect();
        assert_files_agree("cluster/lint", &rules, &["mod"]);
    }

    #[test]
    fn certificates_of_a_correct_cluster_break_no_rule() {
        let issuer = crate::x509::lint::tests::AUTHORITY;
        let issuer = Certificate::from_pem_chain(issuer).unwrap().remove(0);
        for good in Certificate::from_pem_chain(include_bytes!("fixtures/good.pem")).unwrap() {
            let findings = lint(&good, Some(&issuer), FAMILIES).unwrap();
            assert_eq!(findings, [], "{}", good.subject);
        }
        assert_eq!(lint(&issuer, None, FAMILIES).unwrap(), []);
    }

    /// kubeadm 1.37 with its default key kind and with ECDSA: nothing in it is an error, and the
    /// warnings say what it does differently.
    #[test]
    fn kubeadm_certificates_are_told_truthfully() {
        for (pem, of_ca, of_server, of_client) in [
            (
                &include_bytes!("fixtures/kubeadm/rsa.pem")[..],
                &[
                    "ca-crl-sign",
                    "rsa-key-usage",
                    "authority-key-identifier-root",
                ][..],
                &["subject-key-identifier-leaf"][..],
                &["key-usage-consistent", "subject-key-identifier-leaf"][..],
            ),
            (
                &include_bytes!("fixtures/kubeadm/ecdsa.pem")[..],
                &[
                    "ca-crl-sign",
                    "ecdsa-key-usage",
                    "authority-key-identifier-root",
                ],
                &["ecdsa-key-usage", "subject-key-identifier-leaf"],
                &[
                    "ecdsa-key-usage",
                    "key-usage-consistent",
                    "subject-key-identifier-leaf",
                ],
            ),
        ] {
            let chain = Certificate::from_pem_chain(pem).unwrap();
            let [ca, server, client] = &chain[..] else {
                panic!("three certificates");
            };
            for (certificate, issuer, expected) in [
                (ca, None, of_ca),
                (server, Some(ca), of_server),
                (client, Some(ca), of_client),
            ] {
                let findings = lint(certificate, issuer, FAMILIES).unwrap();
                let names: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
                assert_eq!(names, expected, "{}", certificate.subject);
                assert!(
                    findings
                        .iter()
                        .all(|finding| finding.severity == Severity::Warning)
                );
            }
        }
    }
}
