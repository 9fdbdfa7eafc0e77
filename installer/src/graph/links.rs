//! Who talks to whom on a node, over which port, with which certificates.

use pki_core::cluster::spec::Role;

use super::Link;
use crate::desired::{NodeSpec, layout};

/// The connections of a node's components.
pub fn links(spec: &NodeSpec) -> Vec<Link> {
    let mut links = Vec::new();
    let mut link = |from: &str, to: &str, port: &str, credentials: String| {
        links.push(Link {
            from: from.into(),
            to: to.into(),
            port: port.into(),
            credentials,
        });
    };
    let certificate = |client: &str, server: &str| format!("{client} → {server}");
    let api = format!("{}/tcp", spec.cluster.endpoint().port());
    let apiserver = "pki/apiserver.crt";
    let control_plane = spec.has(Role::ControlPlane);
    link(
        "kubelet",
        "containerd",
        layout::CONTAINERD_SOCKET,
        "root alone may open it".into(),
    );
    if spec.has(Role::ControlPlane) && spec.has(Role::Etcd) {
        let pair = certificate("pki/apiserver-etcd-client.crt", "pki/etcd/server.crt");
        link("kube-apiserver", "etcd", "2379/tcp", pair);
    }
    if control_plane {
        let pair = certificate("pki/apiserver-kubelet-client.crt", "pki/kubelet.crt");
        link("kube-apiserver", "kubelet", "10250/tcp", pair);
        for (from, file) in [
            ("kube-controller-manager", "controller-manager.conf"),
            ("kube-scheduler", "scheduler.conf"),
            ("kubelet", "kubelet.conf"),
            ("addon-manager", "super-admin.conf"),
        ] {
            link(from, "kube-apiserver", &api, certificate(file, apiserver));
        }
        let mut tokens = vec!["kube-proxy"];
        if spec.options.network.is_flannel() {
            tokens.push("flannel");
        }
        tokens.push("coredns");
        for from in tokens {
            link(
                from,
                "kube-apiserver",
                &api,
                certificate("service account's token", apiserver),
            );
        }
    }
    links
}
