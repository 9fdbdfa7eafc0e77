//! What is wanted of one machine.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use pki_core::cluster::FileMode;
use pki_core::cluster::spec::{ClusterSpec, IpFamily, Node, Role};

use super::{Contents, EtcdStart, Facts, Owner, Programs};

/// What is wanted of one machine: which node of which cluster it is, and what it has to fit to.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// The cluster.
    pub cluster: ClusterSpec,
    /// Which of its nodes this is.
    pub node: Node,
    /// What cluster.toml does not say.
    pub options: NodeOptions,
    /// The machine.
    pub facts: Facts,
    /// The programs to run.
    pub programs: Programs,
    /// The node's tree, as kpki made it: by path below `/etc/kubernetes`, as `pki/ca.crt`.
    pub tree: Tree,
    /// How its etcd begins, or began. Nothing where it has none, or began before that was remembered.
    pub etcd: Option<EtcdStart>,
}

/// A node's tree: each file by its path below `/etc/kubernetes`, as `pki/ca.crt`.
pub type Tree = BTreeMap<PathBuf, TreeFile>;

/// One file of the node's tree.
#[derive(Clone, Debug)]
pub struct TreeFile {
    /// All of it.
    pub contents: Contents,
    /// Its permission bits.
    pub mode: FileMode,
}

/// What is kinstall's to know and not the cluster's. Kept in `/etc/kinstall/node.toml` from the first run on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NodeOptions {
    /// The cluster's directory, absolute: `cluster.toml` and `nodes/`.
    pub dir: PathBuf,
    /// The directory of CA certificates, where cluster.toml does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_dir: Option<PathBuf>,
    /// This node's name in cluster.toml.
    pub node: String,
    /// How pods of different nodes reach each other.
    #[serde(default)]
    pub network: Network,
    /// How kube-proxy leads packets to Services.
    #[serde(default)]
    pub proxy_mode: ProxyMode,
    /// Where to look for programs, before the usual places.
    #[serde(default)]
    pub bin_dir: Vec<PathBuf>,
    /// Preflight checks whose failure is accepted.
    #[serde(default)]
    pub ignore_preflight: Vec<String>,
    /// A further place for the admin kubeconfig, for the person who administers the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<UserKubeconfig>,
}

/// A person's own copy of the admin kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UserKubeconfig {
    /// The file, absolute.
    pub path: PathBuf,
    /// Whose it is.
    pub owner: Owner,
}

/// How pods of different nodes reach each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// flannel, in VXLAN.
    #[default]
    Flannel,
    /// flannel, unwrapped: a route to each node's pods, which its neighbours alone can follow.
    HostGw,
    /// None: the owner brings one. Pods stay pending until then.
    None,
}

impl Network {
    /// Whether it is one of flannel's.
    pub fn is_flannel(self) -> bool {
        matches!(self, Self::Flannel | Self::HostGw)
    }
}

/// How kube-proxy leads packets to Services: its `mode`, by the names that it has there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyMode {
    /// By rules of nftables, where the kernel has them; else as [`ProxyMode::Iptables`].
    #[default]
    Nftables,
    /// By rules of iptables, for what else on the machine looks for them there.
    Iptables,
}

impl NodeSpec {
    /// Whether kube-proxy's rules are nftables'.
    pub fn proxies_by_nftables(&self) -> bool {
        self.facts.has_nf_tables && self.options.proxy_mode == ProxyMode::Nftables
    }

    /// Whether this node has a role.
    pub fn has(&self, role: Role) -> bool {
        self.node.roles().contains(&role)
    }

    /// The node's preferred address: of the family of the first service CIDR, which the API server advertises
    /// (kube-apiserver refuses another family).
    pub fn address(&self) -> IpAddr {
        self.addresses()[0]
    }

    /// One address of each family of the cluster, in the order of its service CIDRs. The node's first of each.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let of = |cidr: &IpNet| {
            let four = cidr.addr().is_ipv4();
            let mut addresses = self.node.addresses().iter();
            addresses.find(|address| address.is_ipv4() == four).copied()
        };
        self.cluster.service_cidrs().iter().filter_map(of).collect()
    }

    /// The families of the cluster, the first service CIDR's first.
    pub fn families(&self) -> Vec<IpFamily> {
        let cidrs = self.cluster.service_cidrs().iter();
        cidrs.map(|cidr| IpFamily::from(*cidr)).collect()
    }

    /// The pod CIDRs of the families in use, in the order of the service CIDRs.
    pub fn pod_cidrs(&self) -> Vec<IpNet> {
        let cidrs = self.cluster.service_cidrs().iter();
        let pods = self.cluster.pod_cidrs();
        cidrs
            .filter_map(|service| {
                let four = service.addr().is_ipv4();
                pods.iter()
                    .find(|pod| pod.addr().is_ipv4() == four)
                    .copied()
            })
            .collect()
    }

    /// A file of the tree, by its path below `/etc/kubernetes`.
    pub fn file(&self, path: &str) -> Option<&TreeFile> {
        self.tree.get(Path::new(path))
    }
}
