//! What kpki and kinstall share on a machine: where the cluster's directory is, and kpki itself.

use std::fs;

use tests::command::{Ended, run};
use tests::kpki;
use tests::node::Node;

/// The cluster's directory on the machine.
pub const DIRECTORY: &str = "/root/kubernetes";

/// Puts kpki beside kinstall.
pub fn with_kpki(node: &Node<'_>) {
    let to = node.machine.path("/usr/local/bin/kpki");
    fs::copy(kpki::path(), to).expect("room for it");
}

/// kpki on the node, about its cluster's directory.
pub fn kpki(node: &Node<'_>, arguments: &[&str]) -> Ended {
    let mut command = node.machine.command("kpki");
    run(command.args(arguments).args(["--dir", DIRECTORY]))
}

/// The SHA-256 of the certificate that a server on the node serves, as OpenSSL sees it.
pub fn served(node: &Node<'_>, address: &str) -> String {
    let pki = "/etc/kubernetes/pki/etcd/healthcheck-client";
    fingerprint(&node.machine.shell(&format!(
        "openssl s_client -connect {address} -cert {pki}.crt -key {pki}.key </dev/null 2>/dev/null | \
         openssl x509 -noout -fingerprint -sha256"
    )))
}

/// That of a file of the node's tree.
pub fn on_disk(node: &Node<'_>, file: &str) -> String {
    fingerprint(&node.machine.shell(&format!(
        "openssl x509 -noout -fingerprint -sha256 -in {DIRECTORY}/nodes/{}/{file}",
        node.machine.name()
    )))
}

/// `sha256 Fingerprint=0A:1B:...` as kpki writes it, `0a1b...`.
fn fingerprint(said: &str) -> String {
    let (_, digits) = said.trim().split_once('=').expect("a fingerprint");
    let digits = digits.replace(':', "").to_lowercase();
    assert_eq!(digits.len(), 64, "{said}");
    digits
}
