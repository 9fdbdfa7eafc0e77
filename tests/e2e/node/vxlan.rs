//! VXLAN has no keys: whoever may send to its port is in the pods' network. On a node alone nobody may; with others
//! in `cluster.toml`, those may.

use std::fs;

use tests::command::{Ended, run, succeed};
use tests::machine::{Host, Network};
use tests::node::{Node, answer};

/// A node that is in `cluster.toml` and nowhere else: the host `outside` has its address.
const SECOND: &str = "
[[node]]
name = \"node2\"
addresses = [\"192.0.2.50\", \"2001:db8:2::50\"]
roles = [\"worker\"]
";

/// Alone: no device of VXLAN, no port.
pub fn is_not_there(node: &Node<'_>) {
    let ports = node.machine.shell("ss -Hlnu 'sport = :8472'");
    assert_eq!(ports, "");
    assert_eq!(node.machine.shell("ip -o link show type vxlan"), "");
}

/// With a second node: that one's packets reach pods, and nobody else's.
pub fn takes_nodes_packets_only(node: &Node<'_>, network: &Network) {
    let cluster = node.machine.path("/root/kubernetes/cluster.toml");
    let text = fs::read_to_string(&cluster).expect("kinstall wrote it");
    fs::write(&cluster, text + SECOND).expect("written");
    let ended = node.kinstall_node();
    assert!(ended.code == Some(0), "{ended}");
    node.wait_until("pods of other nodes are reached by VXLAN", || {
        let devices = node.machine.shell("ip -o link show type vxlan");
        (devices.lines().count() == 2)
            .then_some(())
            .ok_or(devices)?;
        answer(&send(node, network.outside())).map(drop)
    });
    strangers_are_refused(node, network);
}

/// Also from beyond the router, where no other way leads to a pod.
pub fn strangers_are_refused(node: &Node<'_>, network: &Network) {
    // The question is a right one.
    let ended = send(node, network.outside());
    answer(&ended).unwrap_or_else(|why| panic!("{why}"));
    for host in [network.attacker(), network.far()] {
        let ended = send(node, host);
        assert!(
            matches!(ended.code, Some(28)),
            "a time-out, and no answer: {ended}"
        );
    }
}

/// Asks a pod for something in wrapped packets; the pod's answer comes without, by its node's default route.
fn send(node: &Node<'_>, host: Host<'_>) -> Ended {
    let pods = node.objects(&["get", "pods", "--selector", "app=web"]);
    let pod = pods["items"][0]["status"]["podIP"].as_str();
    let pod = pod.expect("an address").to_owned();
    let link = succeed(
        node.machine
            .command("ip")
            .args(["-json", "link", "show", "flannel.1"]),
    );
    let link: serde_json::Value = serde_json::from_str(&link).expect("JSON");
    let hardware = link[0]["address"].as_str().expect("a hardware address");
    let line = format!(
        "ip link del vx 2>/dev/null
         set -e
         ip link add vx type vxlan id 1 remote 192.0.2.11 dstport 8472 dev eth0
         ip link set vx up
         own=$(ip -4 -o addr show dev eth0 | awk '{{ sub(\"/.*\", \"\", $4); print $4 }}')
         ip route replace {pod}/32 dev vx src $own
         ip neigh replace {pod} lladdr {hardware} dev vx
         exec curl --silent --show-error --noproxy '*' --max-time 3 http://{pod}:8080/hostname"
    );
    let ended = run(host.command("sh").args(["-c", &line]));
    run(host.command("ip").args(["link", "del", "vx"]));
    ended
}
