//! What upstream's manifests and addons have fixed in them, and no choice may bring back (kube-deploy#215).

use std::fs;
use std::path::Path;

use tests::command::succeed;
use tests::node::Node;

/// Addresses and names of upstream's defaults, kinstall's own, and those of other tests.
const DEFAULTS: [&str; 11] = [
    "10.96.0.",
    "10.0.0.1",
    "10.254.",
    "10.3.0.",
    "10.32.0.",
    "10.43.",
    "10.244.",
    "fd00:10:244",
    "172.20.0.10",
    "cluster.local",
    "node1",
];

/// `chosen`: what has to be somewhere, or nothing was looked at.
pub fn are_nowhere(node: &Node<'_>, chosen: &[&str]) {
    let mut found = Vec::new();
    let mut missed: Vec<_> = chosen.to_vec();
    let mut look = |place: &str, text: &str| {
        missed.retain(|choice| !text.contains(choice));
        for line in text.lines() {
            if DEFAULTS.iter().any(|default| line.contains(default)) {
                found.push(format!("{place}: {:.300}", line.trim()));
            }
        }
    };
    for (path, _) in node.machine.files().iter() {
        let is_ours = node.files_before.at(path).is_none();
        if is_ours && !is_content(path) {
            let text = fs::read(node.machine.path(path)).unwrap_or_default();
            look(&path.display().to_string(), &String::from_utf8_lossy(&text));
        }
    }
    for line in node.machine.processes() {
        look("process", &line);
    }
    let kinds = succeed(&mut node.kubectl(&["api-resources", "--verbs=list", "--output=name"]));
    let kinds: Vec<_> = kinds
        .lines()
        .filter(|kind| !kind.starts_with("componentstatuses"))
        .collect();
    let all = [
        "get",
        &kinds.join(","),
        "--all-namespaces",
        "--output",
        "yaml",
    ];
    look("object", &succeed(&mut node.kubectl(&all)));
    look("nftables", &node.machine.shell("nft list ruleset"));
    assert!(found.is_empty(), "{found:#?}");
    assert!(missed.is_empty(), "{missed:?} are not to be seen either");
}

/// Programs, images and databases, and what kubectl keeps of the API's documentation: they hold what upstream says.
/// Logs hold what was.
fn is_content(path: &Path) -> bool {
    let content = [
        "/var/lib/containerd",
        "/var/lib/etcd",
        "/var/log",
        "/usr",
        "/opt/cni/bin",
        "/root/web.tar",
        "/root/.kube",
    ];
    content.iter().any(|place| path.starts_with(place))
}
