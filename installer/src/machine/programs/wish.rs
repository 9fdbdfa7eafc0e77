//! Which programs a node needs.

use pki_core::cluster::spec::{ClusterSpec, Node, Role};

use crate::desired::Network;

/// A program that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramWish {
    /// Its name.
    pub name: String,
    pub(super) says: Says,
}

/// How a program tells its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// When it is called so.
    To(&'static [&'static str]),
    /// It is a CNI plugin, and answers as one (CNI specification 1.1.0, `VERSION`). Others have such names too: iproute2
    /// has a `bridge`.
    AsPlugin,
    /// It was built with this program.
    Ours,
    /// Any version will do.
    Nothing,
}

impl ProgramWish {
    /// The program `name`.
    pub fn new(name: &str) -> Self {
        let says = match name {
            "kubectl" => Says::To(&["version", "--client"]),
            "etcdctl" | "etcdutl" => Says::To(&["version"]),
            "kubeadm" => Says::To(&["version", "-o", "short"]),
            "coredns" => Says::To(&["-version"]),
            "containerd-shim-runc-v2" | "haproxy" => Says::To(&["-v"]),
            "bridge" | "host-local" | "loopback" | "portmap" => Says::AsPlugin,
            "mount" | "umount" => Says::Nothing,
            _ if name == "kinstall" || name.starts_with("kinstall-") => Says::Ours,
            _ => Says::To(&["--version"]),
        };
        Self {
            name: name.to_owned(),
            says,
        }
    }
}

/// What every machine has from its distribution, with that one's libraries.
pub const DISTRIBUTION: [&str; 7] = [
    "haproxy",
    "runc",
    "nft",
    "iptables",
    "ip6tables",
    "mount",
    "umount",
];

/// What a node of a cluster needs: every one has a kubelet, which runs the rest.
///
/// `mount` and `umount` are the kubelet's, for volumes (k8s.io/mount-utils). conntrack is nobody's here: kube-proxy speaks
/// netlink. iptables is flannel's, which looks for rules of earlier versions with it, and kube-proxy's in that mode.
pub fn wanted(cluster: &ClusterSpec, node: &Node, network: Network) -> Vec<ProgramWish> {
    let roles = node.roles();
    // Large ones first, so that processors finish together.
    let mut names = Vec::new();
    if roles.contains(&Role::ControlPlane) {
        names.extend([
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kinstall-probe",
        ]);
    }
    names.extend(["kubelet", "kube-proxy", "coredns"]);
    if network.is_flannel() {
        names.extend(["flanneld", "kinstall-flannel"]);
    }
    if roles.contains(&Role::Etcd) {
        names.extend(["etcd", "kinstall-etcd"]);
    }
    if cluster.has_local_balancer() {
        names.push("haproxy");
    }
    names.extend([
        "containerd",
        "ctr",
        "containerd-shim-runc-v2",
        "runc",
        "nft",
        "iptables",
        "ip6tables",
        "bridge",
        "host-local",
        "loopback",
        "portmap",
        "kinstall",
        "kinstall-pause",
        "mount",
        "umount",
    ]);
    names.into_iter().map(ProgramWish::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names for the first node of a cluster.
    fn names(roles: &str, endpoint: &str, network: Network) -> Vec<String> {
        let toml = format!(
            "service-cidr = '10.3.0.0/24'\nendpoint = '{endpoint}'\n\
             [[node]]\nname = 'a'\naddresses = ['192.0.2.1']\nroles = {roles}\n\
             [[node]]\nname = 'b'\naddresses = ['192.0.2.2']\nroles = ['control-plane', 'etcd']\n"
        );
        let cluster = ClusterSpec::from_toml(&toml).expect("a good spec");
        let wishes = wanted(&cluster, &cluster.nodes()[0], network).into_iter();
        wishes.map(|wish| wish.name).collect()
    }

    #[test]
    fn roles_decide() {
        let endpoint = "api.corp.example";
        let all = names(
            "['control-plane', 'etcd', 'worker']",
            endpoint,
            Network::Flannel,
        );
        let worker = names("['worker']", endpoint, Network::None);
        for name in ["etcd", "kube-apiserver", "flanneld", "kinstall-flannel"] {
            assert!(all.iter().any(|wanted| wanted == name));
            assert!(!worker.iter().any(|wanted| wanted == name));
        }
        for name in ["kubelet", "kube-proxy", "containerd", "runc", "bridge"] {
            assert!(worker.iter().any(|wanted| wanted == name));
        }
        assert!(names("['etcd']", endpoint, Network::None).contains(&"etcd".to_owned()));
    }

    #[test]
    fn a_balancer_only_where_there_is_to_be_one() {
        let balancer = "haproxy".to_owned();
        for roles in ["['worker']", "['control-plane']"] {
            assert!(names(roles, "127.0.0.1:7443", Network::None).contains(&balancer));
            assert!(!names(roles, "192.0.2.2", Network::None).contains(&balancer));
        }
    }
}
