//! Machines that cannot join as they are: each is told one thing and what would mend it, and nothing has changed on it. Then what was
//! begun is finished by the same command.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tests::command::{Ended, run};
use tests::node::Node;

/// Where programs of other versions are.
const OTHERS: &str = "/root/others";

/// The first node runs; this machine has its tree.
pub fn show(node: &Node<'_>) {
    address(node);
    clock(node);
    versions(node);
    let changes = node.files_before.changes_to(&node.machine.files());
    // What this test puts there, and what kinstall knows about programs.
    let changes: Vec<_> = changes
        .iter()
        .filter(|line| !line.contains("/var/lib/kinstall") && !line.contains("/root"))
        .collect();
    assert!(changes.is_empty(), "{changes:#?}");
    unreachable(node);
    half_joined(node);
}

/// Its address is on no interface: there is another.
fn address(node: &Node<'_>) {
    let to = |added: &str, deleted: &str| {
        node.machine.shell(&format!(
            "ip address add 2001:db8:2::{added}/64 dev eth0 nodad
             ip address del 2001:db8:2::{deleted}/64 dev eth0"
        ));
    };
    to("99", "12");
    let ended = node.kinstall_node();
    to("12", "99");
    says(
        &ended,
        "node-address: 2001:db8:2::12 of node node2 is on no interface of this machine",
        "give an interface that address, or change cluster.toml: here are ",
    );
}

/// Its clock is an hour off, either way: behind, its own files say so; ahead, the API server does.
fn clock(node: &Node<'_>) {
    let at = |offset: &str| {
        let mut command = node.machine.command("faketime");
        // Time that is waited for goes on as it does.
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command.args(["-f", offset, "kinstall", "node"]);
        run(command.args(node.arguments()))
    };
    let fix = "chrony or systemd-timesyncd";
    says(&at("-1h"), "the clock says ", fix);
    let ahead = "control-plane-clock: the clock is 1 h ahead of that of the API server of node1";
    says(&at("+1h"), ahead, fix);
}

/// Its kubelet is newer than the API server, or too old.
fn versions(node: &Node<'_>) {
    for (version, wanted) in [
        (
            "1.99.0",
            "kubelet is 1.99.0 and the API server of node1 is ",
        ),
        (
            "1.30.0",
            "kubelet is 1.30.0 and the API server of node1 is ",
        ),
    ] {
        let directory = node.machine.path(OTHERS);
        fs::create_dir_all(&directory).expect("room for it");
        let minor = version.split('.').nth(1).expect("a number");
        for name in ["kubelet", "kube-proxy"] {
            let program = directory.join(name);
            let text = format!("#!/bin/sh\necho Kubernetes v1.{minor}.0\n");
            fs::write(&program, text).expect("written");
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its own");
        }
        let mut command = node.machine.command("kinstall");
        command.args(["node", "--bin-dir", OTHERS]);
        let ended = run(command.args(node.arguments()));
        says(&ended, wanted, "take programs of the cluster's version");
    }
    fs::remove_dir_all(node.machine.path(OTHERS)).expect("gone");
}

/// No API server can be reached: it is waited for as long as was said, and then named.
fn unreachable(node: &Node<'_>) {
    node.machine.shell(
        "nft add table inet wall; nft 'add chain inet wall out { type filter hook output priority 0; }'
         nft add rule inet wall out tcp dport 6443 drop",
    );
    let more = ["--timeout", "5", "--kubeconfig", "/srv/admin.conf"];
    let within: Vec<_> = node.arguments().chain(more).collect();
    let ended = run(node.machine.command("kinstall").arg("node").args(within));
    node.machine.shell("nft delete table inet wall");
    says(&ended, "control plane reachable: ", "hint: ");
    let warned = "control-plane-reached: no API server answers: node1: ";
    assert!(ended.stderr.contains(warned), "{ended}");
    assert!(ended.stderr.contains(":6443"), "{ended}");
    let warned = "/srv/admin.conf is not written: node node2 has no control plane";
    assert!(ended.stderr.contains(warned), "{ended}");
}

/// Killed on its way, and started again.
fn half_joined(node: &Node<'_>) {
    let arguments: Vec<_> = node.arguments().collect();
    let line = arguments.join(" ");
    // Beyond preflight and before the end: it has begun to write.
    node.machine.shell(&format!(
        "kinstall node {line} >/root/killed 2>&1 & id=$!
         for _ in $(seq 600); do [ -e /var/lib/kubelet/config.yaml ] && break; sleep 0.05; done
         kill -KILL $id; wait $id || true"
    ));
    assert!(
        Path::new(&node.machine.path("/var/lib/kubelet/config.yaml")).exists(),
        "it had not begun"
    );
    node.finish();
}

/// One error, with what would mend it.
fn says(ended: &Ended, fact: &str, fix: &str) {
    assert_eq!(ended.code, Some(1), "{ended}");
    let errors = ended.stderr.matches("error: ").count();
    assert_eq!(errors, 1, "{ended}");
    for wanted in [fact, fix] {
        assert!(ended.stderr.contains(wanted), "{wanted}: {ended}");
    }
}
