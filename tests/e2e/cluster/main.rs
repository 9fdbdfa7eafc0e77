//! Several machines, one cluster: each gets its own node's tree and one `kinstall node`.
//!
//! An install takes a while, so each cluster has to show much; each phase is tried whatever became of the others.
#![allow(missing_docs)]

mod draining;
mod health;
mod host_gw;
mod iptables;
mod large;
mod leaving;
mod refused;
mod removal;
mod stolen;
mod trees;
mod workload;

use tests::machine::{Families, Network};
use tests::node::turn;
use tests::nodes::Nodes;
use tests::phases::Phases;

/// One of the control plane, and two workers.
const ROLES: [&str; 3] = ["control-plane,etcd,worker", "worker", "worker"];

#[test]
fn ipv4_only() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let nodes = Nodes::install(&network, &ROLES, &["--service-cidr", "10.3.0.0/24"], &[]);
    let mut phases = Phases::new();
    phases.show("a machine has its own node's files and no others", || {
        trees::are_apart(&nodes);
    });
    show(&mut phases, &nodes, &network);
    phases.show("no port of any node answers an attacker", || {
        nodes.refuse_attackers(&network);
    });
    stolen::show(&mut phases, &nodes, &network);
    phases.show("a node is drained as its pods' budgets allow", || {
        draining::keeps_to_budgets(&nodes, &network);
    });
    phases.show("a second run changes nothing", || {
        health::run_again_changes_nothing(&nodes);
    });
    phases.show(
        "a worker that is reset leaves the others whole, and joins again",
        || {
            leaving::leaves_the_others_whole(&nodes, &network);
        },
    );
    phases.show(
        "a worker is removed for good, and its machine is as it was",
        || {
            removal::of_a_worker(&nodes, &network);
        },
    );
    phases.finish();
}

#[test]
fn dual_stack_ipv6_first() {
    let _turn = turn();
    let network = Network::new(Families::Both);
    let init = ["--service-cidr", "fd00:3::/112,10.3.0.0/24"];
    let nodes = Nodes::prepare(&network, &ROLES[..2], &init, &["--proxy-mode", "iptables"]);
    nodes.first().finish();
    let mut phases = Phases::new();
    phases.show("what cannot join is told why, and then joins", || {
        refused::show(&nodes.all[1]);
    });
    show(&mut phases, &nodes, &network);
    phases.show(
        "Services are iptables' rules, and a reset takes them away",
        || {
            iptables::is_asked_for(&nodes);
        },
    );
    phases.finish();
}

#[test]
fn ipv6_only() {
    let _turn = turn();
    let network = Network::new(Families::V6);
    let init = ["--service-cidr", "fd00:3::/112"];
    let nodes = Nodes::install(&network, &ROLES[..2], &init, &[]);
    let mut phases = Phases::new();
    show(&mut phases, &nodes, &network);
    phases.finish();
}

/// A route to each node's pods instead of VXLAN: nothing is wrapped, so pods may send what an interface takes. Both
/// families, IPv4 first, are shown here and in no test of their own.
#[test]
fn host_gw() {
    let _turn = turn();
    let network = Network::new(Families::Both);
    let init = ["--service-cidr", "10.3.0.0/24,fd00:3::/112"];
    let nodes = Nodes::install(&network, &ROLES, &init, &["--network", "host-gw"]);
    let mut phases = Phases::new();
    show(&mut phases, &nodes, &network);
    phases.show("routes lead to pods, and nothing is wrapped", || {
        host_gw::wraps_nothing(&nodes);
    });
    phases.show(
        "a worker that is reset leaves the others whole, and joins again",
        || {
            leaving::leaves_the_others_whole(&nodes, &network);
        },
    );
    phases.finish();
}

/// What every cluster of several has to do.
fn show(phases: &mut Phases, nodes: &Nodes<'_>, network: &Network) {
    phases.show("every node is Ready and says that it is well", || {
        nodes.are_well();
    });
    let pods = workload::start(nodes);
    phases.show("pods reach pods of other nodes as themselves", || {
        workload::pod_to_pod(nodes, &pods);
    });
    phases.show("pods reach every pod by the Service, and names", || {
        workload::by_service(nodes, &pods);
    });
    phases.show("every node's NodePort leads to every pod", || {
        workload::by_node_port(nodes, &pods, network);
    });
    phases.show("large packets arrive, and pods know how large", || {
        large::packets_arrive(nodes, &pods);
    });
}
