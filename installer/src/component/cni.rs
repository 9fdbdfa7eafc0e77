//! How a pod gets its addresses: the plugins, and which of them are called.

use pki_core::cluster::FileMode;
use serde_json::json;

use super::make::{self, OPEN};
use crate::desired::{
    Contents, DirectoryContents, Network, NodeSpec, Owner, Resource, Stage, layout,
};

/// Plugin and the program that it is.
const PLUGINS: [(&str, &str); 5] = [
    ("bridge", "bridge"),
    ("host-local", "host-local"),
    ("loopback", "loopback"),
    ("portmap", "portmap"),
    ("flannel", "kinstall-flannel"),
];

pub(super) fn resources(spec: &NodeSpec) -> Vec<Resource> {
    if spec.options.network == Network::None {
        return Vec::new();
    }
    let directory = |path: &str, why| {
        // Others may put their own plugins and configurations there.
        let contents = DirectoryContents::Foreign;
        make::directory(Stage::Files, why, path, OPEN, Owner::ROOT, contents)
    };
    let mut resources = vec![
        directory("/opt/cni", "programs that connect pods"),
        directory(layout::CNI_PLUGINS, "programs that connect pods"),
        directory("/etc/cni", "which of them are called"),
        directory(layout::CNI_CONFIG, "which of them are called"),
    ];
    for (plugin, program) in PLUGINS {
        resources.push(make::link(
            "containerd calls it to connect pods",
            format!("{}/{plugin}", layout::CNI_PLUGINS),
            spec.programs.named(program).path.clone(),
        ));
    }
    resources.push(make::file(
        Stage::Files,
        "pods are connected as flannel says",
        format!("{}/10-flannel.conflist", layout::CNI_CONFIG),
        Contents::new(configuration(spec)),
        FileMode::SECRET,
        Owner::ROOT,
    ));
    resources
}

/// flannel's own, but for portmap's way: rules of nftables where kube-proxy's are.
fn configuration(spec: &NodeSpec) -> String {
    let backend = if spec.facts.has_nf_tables {
        "nftables"
    } else {
        "iptables"
    };
    let list = json!({
        "name": "cbr0",
        "cniVersion": "1.0.0",
        "plugins": [
            {
                "type": "flannel",
                "subnetFile": layout::FLANNEL_SUBNET,
                "delegate": {
                    // A pod reaches itself through its own Service.
                    "hairpinMode": true,
                    "isDefaultGateway": true,
                },
            },
            {
                "type": "portmap",
                "backend": backend,
                "capabilities": { "portMappings": true },
            },
        ],
    });
    let text = serde_json::to_string_pretty(&list).expect("plain structures have a JSON form");
    format!("{text}\n")
}
