//! `kinstall node` on a node that is as it should be.

use std::time::{Duration, Instant};

use tests::node::Node;
use tests::record::note;

pub fn changes_nothing(node: &Node<'_>) {
    let files = node.machine.files().without(LIVING);
    let state = node.machine.state().without("sockets");
    let began = Instant::now();
    let ended = node.kinstall_node();
    let took = began.elapsed();
    assert!(ended.code == Some(0), "{ended}");
    assert!(ended.stdout.contains("nothing to do"), "{ended}");
    note(&format!(
        "a run with nothing to do: {:.2} s",
        took.as_secs_f64()
    ));
    // The issue's own bound; a debug build on a busy machine has the same.
    assert!(took < Duration::from_secs(2), "{took:?}");
    let files = files.changes_to(&node.machine.files().without(LIVING));
    assert!(files.is_empty(), "{files:#?}");
    let state = state.changes_to(&node.machine.state().without("sockets"));
    let state: Vec<_> = state
        .iter()
        .filter(|line| !line.contains("processes: "))
        .collect();
    assert!(state.is_empty(), "{state:#?}");
}

/// What changes on a node that nobody touches.
const LIVING: &[&str] = &[
    "/var/lib/etcd",
    "/var/log",
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/tmp",
    "/root/.kube",
];
