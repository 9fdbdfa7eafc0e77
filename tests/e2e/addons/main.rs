//! A real API server takes every addon, the addon manager keeps them, and the real kube-proxy, flanneld and CoreDNS
//! work with what the addons say, with no more permissions than they give.
#![allow(missing_docs)]

mod manager;
mod node;
mod programs;

use tests::cluster::Cluster;
use tests::control_plane::ControlPlane;

use node::Node;

fn keep(arguments: &[&str]) {
    let cluster = Cluster::init(arguments);
    let control_plane = ControlPlane::start(&cluster);
    let node = Node::new(&cluster, &control_plane);
    manager::applies_all_and_then_nothing(&node);
    manager::gives_the_permissions_that_nobody_else_does(&node);
    programs::serve_services_and_names(&node);
    manager::mends_what_somebody_changed(&node);
    manager::prunes_what_is_in_no_file(&node);
    manager::leaves_alone_what_it_cannot_read(&node);
    manager::keeps_watching(&node);
}

#[test]
fn ipv4() {
    keep(&[
        "--service-cidr",
        "172.20.0.0/16",
        "--cluster-dns",
        "172.20.0.53",
        "--pod-cidr",
        "172.28.0.0/15",
        "--domain",
        "corp.example",
        "--node",
        "cp-1=192.168.77.10",
    ]);
}

#[test]
fn dual_stack() {
    keep(&[
        "--service-cidr",
        "10.3.0.0/24,fd00:3::/112",
        "--node",
        "cp-1=192.168.77.10,fd77::10",
    ]);
}

#[test]
fn dual_stack_ipv6_first() {
    keep(&[
        "--service-cidr",
        "fd00:3::/112,10.3.0.0/24",
        "--node",
        "cp-1=fd77::10,192.168.77.10",
    ]);
}

#[test]
fn ipv6_only_hardened() {
    keep(&[
        "--service-cidr",
        "fd00:3::/112",
        "--node",
        "cp-1=fd77::10",
        "--profile",
        "hardened",
    ]);
}
