//! A kernel that does not forward: NodePorts are dead from outside, and nothing else says why (kubespray#747).

use tests::machine::Network;
use tests::node::{Node, answer};

use crate::workload::node_port;

pub fn is_told_and_mended(node: &Node<'_>, network: &Network) {
    let addresses = node.addresses();
    let off = "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv6.conf.default.forwarding=0";
    node.machine.shell(off);
    for address in &addresses {
        let ended = node_port(network.far(), *address);
        assert!(
            ended.code != Some(0),
            "{address} without forwarding: {ended}"
        );
    }
    let ended = node.kinstall(&["preflight"]);
    assert!(ended.code == Some(1), "{ended}");
    for name in [
        "net.ipv4.ip_forward",
        "net.ipv6.conf.all.forwarding",
        "net.ipv6.conf.default.forwarding",
    ] {
        assert!(ended.stdout.contains(name), "does not name {name}: {ended}");
    }
    // It only told.
    let settings = node
        .machine
        .shell("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding");
    assert_eq!(settings, "0\n0\n");

    let ended = node.kinstall_node();
    assert!(ended.code == Some(0), "{ended}");
    for address in addresses {
        node.wait_until("the NodePort answers again", || {
            answer(&node_port(network.far(), address)).map(drop)
        });
    }
    let settings = node.machine.shell(
        "sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv6.conf.default.forwarding",
    );
    assert_eq!(settings, "1\n1\n1\n");
}
