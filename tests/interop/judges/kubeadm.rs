//! `kubeadm certs check-expiration`, which reads a node's whole `/etc/kubernetes`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use pki_core::x509::KeyAlgorithm;
use serde::Deserialize;
use tests::cluster::Cluster;
use tests::command::{refuse, succeed};
use tests::component;

/// What kubeadm 1.37 looks for (cmd/kubeadm/app/phases/certs/renewal/manager.go).
const CERTIFICATES: [&str; 11] = [
    "admin.conf",
    "apiserver",
    "apiserver-etcd-client",
    "apiserver-kubelet-client",
    "controller-manager.conf",
    "etcd-healthcheck-client",
    "etcd-peer",
    "etcd-server",
    "front-proxy-client",
    "scheduler.conf",
    "super-admin.conf",
];
const AUTHORITIES: [&str; 3] = ["ca", "etcd-ca", "front-proxy-ca"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    certificates: Vec<Entry>,
    certificate_authorities: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    #[serde(default)]
    missing: bool,
    #[serde(default)]
    externally_managed: bool,
    expiration_date: Option<String>,
    #[serde(default)]
    residual_time: i64,
}

/// Where the node has a CA's certificate and not its key, kubeadm also holds every leaf to its own idea of
/// who signed it, and reads every key. That goes wrong in two cases which are no mistakes of ours; both are
/// written down here, so that a kubeadm that can do more is noticed.
pub fn reads_every_file_of_its_own_layout(cluster: &Cluster, node: &str) {
    let tree = cluster.node(node);
    let scratch = cluster.scratch("kubeadm");
    let profile = cluster.spec.profile().to_string();
    let ed25519 = cluster.spec.key_algorithm() == KeyAlgorithm::Ed25519;
    match profile.as_str() {
        // It has a layout of its own, without a front proxy, which kubeadm does not know.
        "makecerts" => return,
        "hardened" | "external-etcd" if ed25519 => {
            let why = "neither in RSA nor ECDSA format";
            refuse(&mut check_expiration(&tree, &scratch), why);
            return;
        }
        // Clients come from a CA of their own.
        "hardened" => {
            let why = "is not signed by corresponding CA";
            refuse(&mut check_expiration(&tree, &scratch), why);
            return;
        }
        _ => {}
    }
    let said = succeed(&mut check_expiration(&tree, &scratch));
    let report: Report =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let names = |entries: &[Entry]| -> Vec<_> {
        let mut names: Vec<_> = entries.iter().map(|entry| entry.name.clone()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&report.certificates), CERTIFICATES);
    assert_eq!(names(&report.certificate_authorities), AUTHORITIES);
    for entry in report
        .certificates
        .iter()
        .chain(&report.certificate_authorities)
    {
        assert!(!entry.missing, "{entry:?}");
        assert!(entry.expiration_date.is_some(), "{entry:?}");
        assert!(entry.residual_time > 0, "{entry:?}");
        // "Externally managed" is kubeadm's word for a CA whose key is not on the node.
        let authority = match entry.name.as_str() {
            "ca" | "etcd-ca" | "front-proxy-ca" => None,
            name if name.starts_with("etcd-") || name == "apiserver-etcd-client" => {
                Some("pki/etcd/ca.key")
            }
            "front-proxy-client" => Some("pki/front-proxy-ca.key"),
            _ => Some("pki/ca.key"),
        };
        if let Some(key) = authority {
            assert_eq!(
                entry.externally_managed,
                !tree.join(key).exists(),
                "{entry:?}"
            );
        }
    }
}

/// kubeadm makes `root` its root directory: the tree has to be at /etc/kubernetes below it.
fn check_expiration(tree: &Path, root: &Path) -> Command {
    let me = fs::metadata("/proc/self").expect("procfs").uid();
    assert_eq!(
        me, 0,
        "kubeadm --rootfs needs root\nhint: run the tests as root"
    );
    fs::create_dir_all(root.join("etc")).expect("a directory");
    let copy = root.join("etc/kubernetes");
    succeed(Command::new("cp").arg("-a").arg(tree).arg(copy));
    let mut command = component::command("kubeadm");
    command.arg("--rootfs").arg(root);
    command.args(["certs", "check-expiration", "-o", "json"]);
    command.args(["--kubeconfig", "/none"]);
    command
}
