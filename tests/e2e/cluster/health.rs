//! The nodes themselves, as the API and they say.

use tests::node::answer;
use tests::nodes::Nodes;

/// Ready for the API, and healthy for `kinstall status` on the machine itself.
pub fn are_well(nodes: &Nodes<'_>) {
    let said = nodes.first().objects(&["get", "nodes"]);
    let ready = |name: &str| {
        let items = said["items"].as_array().into_iter().flatten();
        let mut own = items.filter(|one| one["metadata"]["name"] == name);
        let conditions = own.next().map(|one| one["status"]["conditions"].clone());
        let conditions = conditions.and_then(|all| all.as_array().cloned());
        let mut conditions = conditions.into_iter().flatten();
        conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    for node in &nodes.all {
        assert!(ready(node.machine.name()), "{said:#}");
        let ended = node.kinstall(&["status"]);
        let words = answer(&ended).unwrap_or_else(|why| panic!("{why}"));
        let name = node.machine.name();
        assert!(words.contains(name) && words.contains("healthy"), "{words}");
    }
    assert_eq!(
        said["items"].as_array().map(Vec::len),
        Some(nodes.all.len())
    );
}

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
