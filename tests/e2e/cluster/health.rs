//! The nodes themselves.

use tests::nodes::Nodes;

/// On any of them.
pub fn run_again_changes_nothing(nodes: &Nodes<'_>) {
    for node in &nodes.all {
        let ended = node.kinstall_node();
        assert!(ended.code == Some(0), "{ended}");
        assert!(ended.stdout.contains("nothing to do"), "{ended}");
        // Nor has it made anything of others'.
        let trees = node
            .machine
            .shell("ls /root/kubernetes /root/kubernetes/nodes");
        let name = node.machine.name();
        assert_eq!(
            trees,
            format!("/root/kubernetes:\ncluster.toml\nnodes\n\n/root/kubernetes/nodes:\n{name}\n")
        );
    }
}
