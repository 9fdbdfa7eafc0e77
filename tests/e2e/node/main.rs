//! `kinstall node` on empty machines: what runs there afterwards, who gets in, and what it survives.
//!
//! An install takes a while, so one machine has to show much; each phase is tried whatever became of the others.
#![allow(missing_docs)]

mod defaults;
mod forwarding;
mod intruders;
mod recovery;
mod rerun;
mod reset;
mod vxlan;
mod wedged;
mod workload;

use tests::machine::{Families, Machine, MachineOptions, Network};
use tests::node::{Node, turn};
use tests::phases::Phases;

#[test]
fn dual_stack() {
    let _turn = turn();
    let network = Network::new(Families::Both);
    let machine = Machine::boot(&network, MachineOptions::default());
    let mut node = Node::install(machine, &["--service-cidr", "10.3.0.0/24,fd00:3::/112"]);
    let mut phases = Phases::new();
    workload::start(&node, "cluster.local");
    workload::show(&mut phases, &node, &network, "cluster.local");
    phases.show("a second run changes nothing", || {
        rerun::changes_nothing(&node)
    });
    intruders::show(&mut phases, &node, &network);
    phases.show("alone, a node has no port of VXLAN", || {
        vxlan::is_not_there(&node);
    });
    phases.show("VXLAN takes packets of nodes only", || {
        vxlan::takes_nodes_packets_only(&node, &network);
    });
    phases.show("an API server that hangs is started again", || {
        wedged::is_started_again(&node);
    });
    phases.show("forwarding is told and mended", || {
        forwarding::is_told_and_mended(&node, &network);
    });
    recovery::show(&mut phases, &mut node, &network);
    phases.show("strangers' VXLAN is refused after a reboot", || {
        vxlan::strangers_are_refused(&node, &network);
    });
    workload::show(&mut phases, &node, &network, "cluster.local");
    phases.show("reset leaves nothing", || {
        reset::leaves_nothing_but(&node, &[], |_| false);
    });
    phases.finish();
}

/// Just what the first line of the help says.
#[test]
fn ipv4_only() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let machine = Machine::boot(&network, MachineOptions::default());
    let node = Node::install(machine, &["--service-cidr", "10.3.0.0/24"]);
    let mut phases = Phases::new();
    workload::start(&node, "cluster.local");
    workload::show(&mut phases, &node, &network, "cluster.local");
    phases.finish();
}

#[test]
fn other_choices() {
    let _turn = turn();
    let network = Network::new(Families::Both);
    let options = MachineOptions {
        host_name: "worker-7".to_owned(),
        ..MachineOptions::default()
    };
    let machine = Machine::boot(&network, options);
    let arguments = [
        ["--service-cidr", "172.20.0.0/16"],
        ["--cluster-dns", "172.20.0.53"],
        ["--pod-cidr", "10.77.0.0/16"],
        ["--domain", "corp.example"],
        ["--name", "blue"],
    ];
    let node = Node::install(machine, arguments.as_flattened());
    let mut phases = Phases::new();
    workload::start(&node, "corp.example");
    workload::show(&mut phases, &node, &network, "corp.example");
    phases.show("no default is anywhere", || {
        let chosen = [
            "172.20.0.53",
            "172.20.0.0/16",
            "10.77.0.0/16",
            "corp.example",
        ];
        defaults::are_nowhere(&node, &chosen);
    });
    phases.finish();
}

#[test]
fn ipv6_only() {
    let _turn = turn();
    let network = Network::new(Families::V6);
    let machine = Machine::boot(&network, MachineOptions::default());
    let node = Node::install(machine, &["--service-cidr", "fd00:3::/112"]);
    let mut phases = Phases::new();
    workload::start(&node, "cluster.local");
    workload::show(&mut phases, &node, &network, "cluster.local");
    phases.finish();
}
