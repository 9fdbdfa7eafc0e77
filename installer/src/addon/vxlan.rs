//! Who may send what flannel wraps: VXLAN knows no keys, and whoever reaches its port is in the pods' network.
//!
//! A cluster of one node wraps nothing, nor does one whose nodes are neighbours and have routes (`host-gw`): there flannel
//! keeps no device, and no port is open. Else a table of
//! nftables admits just the addresses of `cluster.toml`'s nodes. It is made before flannel's device, by flannel's own pod,
//! so it is there after every boot too, and where it cannot be made there is no device either.

use std::net::IpAddr;

use pki_core::cluster::spec::ClusterSpec;

use crate::desired::Network;

/// The kernel's own port for VXLAN, which flannel uses by default.
pub(crate) const PORT: u16 = 8472;
/// The table, with its family.
pub(super) const TABLE: &str = "inet kinstall-vxlan";

/// Whether packets between pods leave a node wrapped.
pub(crate) fn is_needed(cluster: &ClusterSpec, network: Network) -> bool {
    network == Network::Flannel && cluster.nodes().len() > 1
}

/// What `nft --file` reads: the whole table anew, in one step.
pub(super) fn rules(cluster: &ClusterSpec) -> String {
    let nodes = cluster.nodes().iter();
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = nodes
        .flat_map(|node| node.addresses().iter().copied())
        .partition(IpAddr::is_ipv4);
    let accept = |family: &str, addresses: &[IpAddr]| {
        if addresses.is_empty() {
            return String::new();
        }
        let all: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        format!(
            "    udp dport {PORT} {family} saddr {{ {} }} accept\n",
            all.join(", ")
        )
    };
    // Adding first: one that is not there cannot be deleted.
    format!(
        "add table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{\n  chain input {{\n    \
         type filter hook input priority -10; policy accept;\n{}{}    udp dport {PORT} drop\n  }}\n}}\n",
        accept("ip", &v4),
        accept("ip6", &v6),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "\
service-cidr = ['10.3.0.0/24', 'fd00:3::/112']
[[node]]
name = 'n1'
addresses = ['192.0.2.11', '2001:db8:2::11']
roles = ['control-plane', 'etcd', 'worker']
[[node]]
name = 'n2'
addresses = ['192.0.2.12', '2001:db8:2::12']
roles = ['worker']
";

    #[test]
    fn just_the_nodes_are_admitted() {
        let cluster = ClusterSpec::from_toml(TWO).expect("a good spec");
        assert!(is_needed(&cluster, Network::Flannel));
        assert!(!is_needed(&cluster, Network::HostGw));
        assert!(!is_needed(&cluster, Network::None));
        let wanted = "\
add table inet kinstall-vxlan
delete table inet kinstall-vxlan
table inet kinstall-vxlan {
  chain input {
    type filter hook input priority -10; policy accept;
    udp dport 8472 ip saddr { 192.0.2.11, 192.0.2.12 } accept
    udp dport 8472 ip6 saddr { 2001:db8:2::11, 2001:db8:2::12 } accept
    udp dport 8472 drop
  }
}
";
        assert_eq!(rules(&cluster), wanted);
    }
}
