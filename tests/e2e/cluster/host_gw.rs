//! `--network host-gw`.

use tests::nodes::Nodes;

pub fn wraps_nothing(nodes: &Nodes<'_>) {
    for node in &nodes.all {
        let name = node.machine.name();
        assert_eq!(
            node.machine.shell("ip -o link show type vxlan"),
            "",
            "{name}"
        );
        assert_eq!(node.machine.shell("ss -Hlnu 'sport = :8472'"), "", "{name}");
        let tables = node.machine.shell("nft list tables");
        assert!(!tables.contains("kinstall-vxlan"), "{name}: {tables}");
        for family in ["-4", "-6"] {
            let routes = node
                .machine
                .shell(&format!("ip {family} route show dev eth0"));
            let others = nodes
                .all
                .iter()
                .filter(|other| other.machine.name() != name);
            for other in others {
                let own = nodes.first().addresses_of(other.machine.name());
                let leads = own.iter().any(|address| {
                    routes
                        .lines()
                        .any(|route| route.contains(&format!(" via {address} ")))
                });
                assert!(leads, "{name} to {}: {routes}", other.machine.name());
            }
        }
        // What was chosen once is remembered.
        let remembered = node.machine.shell("cat /etc/kinstall/node.toml");
        assert!(remembered.contains("network = \"host-gw\""), "{remembered}");
    }
}
