//! Why a node cannot be made of what is there.

use ipnet::IpNet;

/// Why a node cannot be made of what is there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// The node's tree lacks a file.
    #[error("{component} needs {path}, which the node's tree does not have")]
    Missing {
        /// Which component.
        component: &'static str,
        /// The file, by its path below `/etc/kubernetes`; the first choice where another would do.
        path: String,
    },
    /// One CA signs the cluster's clients and etcd's: etcd would answer each of them.
    #[error(
        "etcd has no CA of its own in the node's tree: it would give every secret to every kubelet and user"
    )]
    SharedAuthority,
    /// No node has the role `etcd`.
    #[error(
        "no node of the cluster has the role etcd, so the API server has nowhere to keep anything"
    )]
    NoEtcd,
    /// The pods' CIDR is too small for the nodes.
    #[error("the pod CIDR {cidr} has no room for {nodes} nodes")]
    PodCidrTooSmall {
        /// Which.
        cidr: IpNet,
        /// How many nodes the cluster has.
        nodes: usize,
    },
}

impl ComponentError {
    /// What would mend it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "run kpki init with a profile that carries it (kubeadm or hardened), and give the node all of its directory"
            }
            Self::SharedAuthority => {
                "choose the profile kubeadm or hardened in cluster.toml and run kpki init again"
            }
            Self::NoEtcd => "give a node the role etcd in cluster.toml",
            Self::PodCidrTooSmall { .. } => {
                "choose a larger pod-cidr in cluster.toml: a /24 (IPv4) or /64 (IPv6) for each node is usual"
            }
        }
    }
}
