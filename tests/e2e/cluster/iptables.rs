//! kube-proxy's other mode.

use tests::nodes::Nodes;

/// Its chains are there and no table of nftables' own, on each node; and nothing of it after a reset.
pub fn is_asked_for(nodes: &Nodes<'_>) {
    let chains = "{ iptables-save; ip6tables-save; } 2>/dev/null | grep -c '^:KUBE-SVC-' || true";
    for node in &nodes.all {
        let count: u32 = node.machine.shell(chains).trim().parse().expect("a number");
        assert!(count > 0, "{}", node.machine.name());
        let tables = node.machine.shell("nft list tables");
        assert!(!tables.contains("kube-proxy"), "{tables}");
    }
    let last = nodes.all.last().expect("a worker");
    let ended = last.kinstall(&["reset", "--yes"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let left = last
        .machine
        .shell("{ iptables-save; ip6tables-save; } 2>/dev/null | grep KUBE || true");
    assert_eq!(left, "");
}
