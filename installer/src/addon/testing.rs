//! A node's spec with a real tree, for tests.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, ProfileReference};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use super::AddonImages;
use crate::desired::{
    CgroupVersion, Contents, Facts, InitSystem, Network, NodeOptions, NodeSpec, Programs,
    ProxyMode, TreeFile,
};

/// Nothing of it is a default.
pub(crate) const UNUSUAL: &str = "\
name = 'unusual'
domain = 'corp.example'
service-cidr = ['172.20.0.0/16', 'fd12:3456:789a:20::/112']
cluster-dns = ['172.20.0.53', 'fd12:3456:789a:20::53']
pod-cidr = ['172.28.0.0/15', 'fd12:3456:789a:4000::/56']
endpoint = '198.51.100.7:7443'
[[node]]
name = 'strange-host'
addresses = ['198.51.100.7', 'fd12:3456:789a::7']
roles = ['control-plane', 'etcd', 'worker']
";

/// One family, the newer.
pub(crate) const IPV6: &str = "\
service-cidr = ['fd12:3456:789a:20::/112']
pod-cidr = ['fd12:3456:789a:4000::/56']
[[node]]
name = 'six'
addresses = ['fd12:3456:789a::7']
roles = ['control-plane', 'etcd', 'worker']
";

pub(crate) fn images() -> AddonImages {
    AddonImages {
        kube_proxy: "kinstall.internal/kube-proxy:1".into(),
        coredns: "kinstall.internal/coredns:1".into(),
        flannel: "kinstall.internal/flannel:1".into(),
    }
}

/// The first node of that cluster, with its files as kpki makes them.
pub(crate) fn spec(toml: &str) -> NodeSpec {
    let cluster = ClusterSpec::from_toml(toml).expect("a good spec");
    let ProfileReference::Shipped(profile) = cluster.profile() else {
        panic!("a shipped profile");
    };
    let profile = Profile::shipped(profile).expect("a shipped profile");
    let blueprint = Blueprint::new(&cluster, &profile).expect("they fit");
    let plan = Plan::new(&blueprint, &Inventory::empty(), OffsetDateTime::now_utc())
        .execute(&SystemRandom::new());
    let scratch = tempfile::tempdir().expect("a directory");
    let dir = scratch.path().join("kubernetes");
    let mut store = Store::open(&dir, &dir.join("ca")).expect("a new store");
    plan.expect("made").commit(&mut store).expect("written");
    let node = cluster.nodes()[0].clone();
    let root = dir.join("nodes").join(node.name().as_str());
    let mut tree = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(&root).expect("below").to_owned();
            let file = TreeFile {
                contents: Contents::new(std::fs::read(&path).expect("readable")),
                mode: pki_core::cluster::FileMode::SECRET,
            };
            tree.insert(below, file);
        }
    }
    NodeSpec {
        options: NodeOptions {
            dir: PathBuf::from("/nowhere"),
            ca_dir: None,
            node: node.name().to_string(),
            network: Network::Flannel,
            proxy_mode: ProxyMode::Nftables,
            bin_dir: vec![],
            ignore_preflight: vec![],
            kubeconfig: None,
        },
        facts: Facts {
            host_name: node.name().to_string(),
            init: InitSystem::Supervisor,
            cgroups: CgroupVersion::V1,
            has_sys_resource: false,
            resolv_conf: "/etc/resolv.conf".into(),
            has_nameserver: true,
            conntrack_writable: true,
            has_nf_tables: true,
            cores: 2,
            memory_bytes: 4 << 30,
            addresses: vec![],
            accounts: BTreeMap::new(),
            router_advertisements: vec![],
        },
        programs: Programs::default(),
        cluster,
        node,
        tree,
        etcd: None,
    }
}
