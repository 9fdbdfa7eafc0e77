//! Which programs a node needs.

use pki_core::cluster::spec::Role;

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
            "containerd-shim-runc-v2" => Says::To(&["-v"]),
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

/// What a node with these roles needs, whatever it is for: every one has a kubelet, which runs the rest.
///
/// `mount` and `umount` are the kubelet's, for volumes (k8s.io/mount-utils). conntrack is nobody's here: kube-proxy speaks
/// netlink. iptables is flannel's, which looks for rules of earlier versions with it.
pub fn wanted(roles: &[Role], network: Network) -> Vec<ProgramWish> {
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
        names.extend(["flanneld", "kinstall-flannel", "iptables", "ip6tables"]);
    }
    if roles.contains(&Role::Etcd) {
        names.extend(["etcd", "kinstall-etcd"]);
    }
    names.extend([
        "containerd",
        "ctr",
        "containerd-shim-runc-v2",
        "runc",
        "nft",
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

    fn names(roles: &[Role], network: Network) -> Vec<String> {
        let wishes = wanted(roles, network).into_iter();
        wishes.map(|wish| wish.name).collect()
    }

    #[test]
    fn roles_decide() {
        let all = names(&Role::ALL, Network::Flannel);
        let worker = names(&[Role::Worker], Network::None);
        for name in ["etcd", "kube-apiserver", "flanneld", "kinstall-flannel"] {
            assert!(all.iter().any(|wanted| wanted == name));
            assert!(!worker.iter().any(|wanted| wanted == name));
        }
        for name in ["kubelet", "kube-proxy", "containerd", "runc", "bridge"] {
            assert!(worker.iter().any(|wanted| wanted == name));
        }
        assert!(names(&[Role::Etcd], Network::None).contains(&"etcd".to_owned()));
    }
}
