//! Components killed, one by one and all at once: the node comes back by itself, and nothing is lost.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use tests::command::{run, succeed};
use tests::machine::Network;
use tests::node::{Node, answer};
use tests::phases::Phases;
use tests::record::note;

use crate::workload::node_port;

/// As the kernel calls them, in the order of who depends on whom.
const COMPONENTS: [(&str, &str); 9] = [
    ("coredns", "coredns killed"),
    ("kube-proxy", "kube-proxy killed"),
    ("flanneld", "flanneld killed"),
    ("kube-scheduler", "kube-scheduler killed"),
    ("kube-controller-manager", "kube-controller-manager killed"),
    ("kube-apiserver", "kube-apiserver killed"),
    ("etcd", "etcd killed"),
    ("kubelet", "kubelet killed"),
    ("containerd", "containerd killed"),
];

pub fn show(phases: &mut Phases, node: &mut Node<'_>, network: &Network) {
    let objects = objects(node);
    let addresses = node.addresses();
    for (name, phase) in COMPONENTS {
        phases.show(phase, || {
            let killed = node.machine.kill_all_of(name);
            assert!(killed > 0, "{name} did not run");
            is_back(node, network, &addresses, name);
            nothing_is_lost(&objects, node);
        });
    }
    // What a boot script starts is there again, so this is a phase with two halves.
    phases.show("a reboot", || {
        node.machine.reboot();
        is_back(node, network, &addresses, "all (a reboot)");
        nothing_is_lost(&objects, node);
    });
}

fn is_back(node: &Node<'_>, network: &Network, addresses: &[IpAddr], what: &str) {
    let took = node.wait_until(&format!("{what} was killed and everything is back"), || {
        health(node, network, addresses)
    });
    record(what, took);
}

/// For the record: the issue wants the times written down.
fn record(what: &str, took: Duration) {
    note(&format!("recovery: {what}: {:.1} s", took.as_secs_f64()));
}

/// Every component runs, every pod is ready, and the workload answers from outside and by name from inside.
fn health(node: &Node<'_>, network: &Network, addresses: &[IpAddr]) -> Result<(), String> {
    answer(&run(&mut node.kubectl(&["get", "--raw", "/readyz"])))?;
    let running = node.machine.shell("ps -eo comm=");
    for (name, _) in COMPONENTS {
        let kernel = &name[..name.len().min(15)];
        if !running.lines().any(|line| line.trim() == kernel) {
            return Err(format!("{name} does not run"));
        }
    }
    for (kind, condition) in [("nodes", "Ready"), ("pods", "Ready")] {
        let mut command = node.kubectl(&["get", kind, "--all-namespaces", "--output", "json"]);
        let ended = run(&mut command);
        let said: serde_json::Value =
            serde_json::from_str(answer(&ended)?).map_err(|error| error.to_string())?;
        for object in said["items"].as_array().into_iter().flatten() {
            let conditions = object["status"]["conditions"].as_array();
            let mut conditions = conditions.into_iter().flatten();
            if !conditions.any(|c| c["type"] == condition && c["status"] == "True") {
                return Err(format!("{} is not ready", object["metadata"]["name"]));
            }
        }
    }
    for address in addresses {
        answer(&node_port(network.far(), *address))?;
    }
    answer(&node.in_pod(&["get", "http://web/hostname"]))?;
    // The controllers and the scheduler do something only when there is something to do: they have their lease.
    let ended = node.kinstall(&["status"]);
    answer(&ended).map(drop)
}

/// Every object by kind, namespace and name, but for those that come and go.
fn objects(node: &Node<'_>) -> BTreeSet<String> {
    let kinds = succeed(&mut node.kubectl(&["api-resources", "--verbs=list", "--output=name"]));
    let kinds: Vec<_> = kinds
        .lines()
        .filter(|kind| !kind.starts_with("events") && !kind.starts_with("componentstatuses"))
        .collect();
    let arguments = [
        "get",
        &kinds.join(","),
        "--all-namespaces",
        "--output",
        "name",
    ];
    let named = ["--ignore-not-found", "--show-kind"];
    let said = succeed(node.kubectl(&arguments).args(named));
    said.lines().map(str::to_owned).collect()
}

fn nothing_is_lost(before: &BTreeSet<String>, node: &Node<'_>) {
    let now = objects(node);
    let lost: Vec<_> = before.difference(&now).collect();
    assert!(lost.is_empty(), "{lost:#?}");
}
