//! Who talks to whom on a node, over which port, with which certificates.

use pki_core::cluster::spec::Role;

use super::Link;
use crate::component::BALANCER;
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
    let port = |port: u16| format!("{port}/tcp");
    let apiserver = "pki/apiserver.crt";
    let control_plane = spec.has(Role::ControlPlane);
    let balanced = spec.cluster.has_local_balancer();
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
        let own = port(spec.cluster.apiserver_port(&spec.node));
        for (from, file) in [
            ("kube-controller-manager", "controller-manager.conf"),
            ("kube-scheduler", "scheduler.conf"),
            ("kubelet", "kubelet.conf"),
        ] {
            link(from, "kube-apiserver", &own, certificate(file, apiserver));
        }
        if balanced {
            let through = "passes TLS on".to_owned();
            link(BALANCER, "kube-apiserver", &own, through);
        }
    }
    // Through the endpoint: to this node's API server or its balancer, where it has one of them.
    let endpoint = port(spec.cluster.endpoint().port());
    let to = match (balanced, control_plane) {
        (true, _) => BALANCER,
        (false, true) => "kube-apiserver",
        (false, false) => return links,
    };
    if control_plane {
        let pair = certificate("super-admin.conf", apiserver);
        link("addon-manager", to, &endpoint, pair);
    } else {
        link(
            "kubelet",
            to,
            &endpoint,
            certificate("kubelet.conf", apiserver),
        );
    }
    let mut tokens = vec!["kube-proxy"];
    if spec.options.network.is_flannel() {
        tokens.push("flannel");
    }
    // In a pod's own network there is no such balancer: it asks the Service.
    if control_plane && !balanced {
        tokens.push("coredns");
    }
    for from in tokens {
        let token = certificate("service account's token", apiserver);
        link(from, to, &endpoint, token);
    }
    links
}
