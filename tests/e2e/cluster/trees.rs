//! What a machine is given: its own node's tree, and no other node's key.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tests::nodes::Nodes;

pub fn are_apart(nodes: &Nodes<'_>) {
    let authorities = keys(&nodes.pki.authorities());
    assert!(authorities.len() >= 3, "{authorities:?}");
    let mut seen = BTreeSet::new();
    for node in &nodes.all {
        let name = node.machine.name();
        let own = keys(&nodes.pki.node(name));
        assert!(!own.is_empty(), "{name}");
        let on_machine: BTreeSet<_> = ["/root/kubernetes", "/etc/kubernetes", "/var/lib/kinstall"]
            .into_iter()
            .flat_map(|place| keys(&node.machine.path(place)))
            .collect();
        assert!(on_machine.is_subset(&own), "{name} has keys of others");
        assert!(seen.is_disjoint(&on_machine), "{name} has keys of others");
        if name != "node1" {
            assert!(
                authorities.is_disjoint(&on_machine),
                "{name} has a CA's key"
            );
        }
        seen.extend(on_machine);
    }
}

/// Private keys below a directory, alone and in kubeconfigs, as they are written.
fn keys(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path: PathBuf = entry.path();
            let kind = entry.file_type().expect("it is there");
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let text =
                    String::from_utf8_lossy(&fs::read(&path).expect("we are root")).into_owned();
                let mut blocks = text.split("-----BEGIN ").skip(1);
                found.extend(
                    blocks
                        .by_ref()
                        .filter(|block| {
                            block
                                .lines()
                                .next()
                                .is_some_and(|line| line.contains("PRIVATE KEY"))
                        })
                        .map(|block| {
                            block
                                .split("-----END")
                                .next()
                                .unwrap_or_default()
                                .to_owned()
                        }),
                );
                let embedded = text
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix("client-key-data: "));
                found.extend(embedded.map(str::to_owned));
            }
        }
    }
    found
}
