//! What holds for all addons.

use std::collections::BTreeMap;

use serde_json::Value;

use super::testing::{IPV6, UNUSUAL, images, spec};
use super::{host, resources, yaml};
use crate::desired::{Kind, Network, NodeSpec};

/// The files by their name, certificates and keys cut out.
fn files(spec: &NodeSpec) -> BTreeMap<String, String> {
    let files = resources(spec, &images())
        .into_iter()
        .filter_map(|one| match one.kind {
            Kind::File(file) => Some(file),
            _ => None,
        });
    files
        .map(|file| {
            assert_eq!(file.mode.bits(), 0o600);
            let text = std::str::from_utf8(file.contents.secret_bytes()).unwrap();
            let name = file.path.file_name().unwrap().to_str().unwrap();
            (name.to_owned(), without_certificates(text))
        })
        .collect()
}

fn without_certificates(text: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        if line.contains("-----BEGIN") {
            inside = true;
        }
        let tls = line.trim_start();
        if tls.starts_with("tls.crt:") || tls.starts_with("tls.key:") {
            kept.push_str("  tls: (cut)\n");
        } else if tls.starts_with("kinstall.internal/config:") {
            kept.push_str("        kinstall.internal/config: (cut)\n");
        } else if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
        if line.contains("-----END") {
            inside = false;
        }
    }
    kept
}

fn objects(spec: &NodeSpec) -> Vec<(String, Value)> {
    let objects = resources(spec, &images())
        .into_iter()
        .filter_map(|one| match one.kind {
            Kind::File(file) => Some(file),
            _ => None,
        });
    objects
        .flat_map(|file| {
            let text = std::str::from_utf8(file.contents.secret_bytes())
                .unwrap()
                .to_owned();
            let name = file.path.file_name().unwrap().to_str().unwrap().to_owned();
            let read = yaml::read(&text).unwrap();
            read.into_iter().map(move |object| (name.clone(), object))
        })
        .collect()
}

fn object<'a>(objects: &'a [(String, Value)], kind: &str, name: &str) -> &'a Value {
    let found = objects
        .iter()
        .find(|(_, one)| one["kind"] == kind && one["metadata"]["name"] == name);
    &found.unwrap_or_else(|| panic!("no {kind} {name}")).1
}

#[test]
fn the_files_of_an_unusual_cluster() {
    for (name, text) in files(&spec(UNUSUAL)) {
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn nothing_of_the_defaults_appears() {
    let spec = spec(UNUSUAL);
    let all: String = files(&spec).into_values().collect();
    for default in [
        "10.96.",
        "10.244.",
        "10.3.",
        "10.0.",
        "10.32.",
        "cluster.local",
        "fd00:",
        "kubernetes-service",
        ":6443",
        "192.168.",
        "control-plane-1",
        "strange-host",
        "\"6443\"",
    ] {
        assert!(!all.contains(default), "{default}");
    }
    for chosen in [
        "corp.example",
        "172.20.0.53",
        "fd12:3456:789a:20::53",
        "172.28.0.0/15",
        "fd12:3456:789a:4000::/56",
        "https://198.51.100.7:7443",
    ] {
        assert!(all.contains(chosen), "{chosen}");
    }
}

#[test]
fn every_object_carries_its_files_name() {
    for (file, object) in objects(&spec(UNUSUAL)) {
        let labels = &object["metadata"]["labels"];
        assert_eq!(labels["kinstall.internal/addon"], *file);
        assert_eq!(labels["app.kubernetes.io/managed-by"], "kinstall");
        assert_eq!(labels["addonmanager.kubernetes.io/mode"], "Reconcile");
        let template = &object["spec"]["template"];
        assert!(template["metadata"]["labels"]["kinstall.internal/addon"].is_null());
        if !template.is_null() {
            let digest = &template["metadata"]["annotations"]["kinstall.internal/config"];
            assert_eq!(digest.as_str().map(str::len), Some(64), "{file}");
        }
    }
}

#[test]
fn pods_are_locked() {
    for (file, object) in objects(&spec(UNUSUAL)) {
        let pod = &object["spec"]["template"]["spec"];
        for container in pod["containers"].as_array().into_iter().flatten() {
            let context = &container["securityContext"];
            assert_eq!(context["privileged"], false, "{file}");
            assert_eq!(context["allowPrivilegeEscalation"], false, "{file}");
            assert_eq!(context["readOnlyRootFilesystem"], true, "{file}");
            assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault");
            assert_eq!(context["capabilities"]["drop"], serde_json::json!(["ALL"]));
            assert_eq!(container["imagePullPolicy"], "Never");
            assert!(!container["resources"]["requests"]["memory"].is_null());
            let add = &context["capabilities"]["add"];
            let host = pod["hostNetwork"] == true;
            assert_eq!(*add == serde_json::json!(["NET_ADMIN"]), host, "{file}");
            assert_eq!(pod["securityContext"]["runAsNonRoot"] == true, !host);
        }
    }
}

#[test]
fn a_changed_configuration_rolls_its_pods() {
    let first = spec(UNUSUAL);
    let digest = |spec: &NodeSpec, kind, name| {
        let all = objects(spec);
        object(&all, kind, name)["spec"]["template"]["metadata"]["annotations"].clone()
    };
    let mut second = first.clone();
    let certificate = second
        .tree
        .get_mut(std::path::Path::new("pki/cluster-dns.crt"));
    certificate.unwrap().contents = crate::desired::Contents::new("another");
    let coredns = |spec: &NodeSpec| digest(spec, "Deployment", "coredns");
    let proxy = |spec: &NodeSpec| digest(spec, "DaemonSet", "kube-proxy");
    assert_ne!(coredns(&first), coredns(&second));
    assert_eq!(proxy(&first), proxy(&second));
    second.facts.has_nf_tables = false;
    assert_ne!(proxy(&first), proxy(&second));
}

#[test]
fn without_a_nameserver_dns_is_the_clusters_alone() {
    let mut spec = spec(UNUSUAL);
    assert!(files(&spec)["coredns.yaml"].contains("forward . /etc/resolv.conf"));
    spec.facts.has_nameserver = false;
    let text = files(&spec)["coredns.yaml"].clone();
    assert!(!text.contains("/etc/resolv.conf") && !text.contains("loop\n"));
    assert!(text.contains("kubernetes corp.example"));
}

#[test]
fn an_ipv6_cluster_has_nothing_of_ipv4() {
    let spec = spec(IPV6);
    let all: String = files(&spec).into_values().collect();
    for four in ["127.0.0.1", "0.0.0.0", "10.", "IPv4\n", "192.168", "172."] {
        assert!(!all.contains(four), "{four}");
    }
    let objects = objects(&spec);
    let service = &object(&objects, "Service", "kube-dns")["spec"];
    assert_eq!(service["ipFamilyPolicy"], "SingleStack");
    assert_eq!(service["ipFamilies"], serde_json::json!(["IPv6"]));
    let net_conf = &object(&objects, "ConfigMap", "kube-flannel")["data"]["net-conf.json"];
    let net_conf: Value = serde_json::from_str(net_conf.as_str().unwrap()).unwrap();
    assert_eq!(net_conf["EnableIPv4"], false);
    assert_eq!(net_conf["IPv6Network"], "fd12:3456:789a:4000::/56");
    assert!(net_conf["Network"].is_null());
}

#[test]
fn names_of_clients_are_their_certificates() {
    let objects = objects(&spec(UNUSUAL));
    let kubelet = object(
        &objects,
        "ClusterRoleBinding",
        "kubeadm:apiserver-kubelet-client",
    );
    assert_eq!(
        kubelet["subjects"][0]["name"],
        "kube-apiserver-kubelet-client"
    );
    assert_eq!(kubelet["roleRef"]["name"], "system:kubelet-api-admin");
    let admins = object(&objects, "ClusterRoleBinding", "kubeadm:cluster-admins");
    assert_eq!(admins["subjects"][0]["kind"], "Group");
    assert_eq!(admins["subjects"][0]["name"], "kubeadm:cluster-admins");
    assert_eq!(admins["subjects"].as_array().map(Vec::len), Some(1));
}

#[test]
fn several_nodes_have_several_dns_servers() {
    let toml = format!(
        "{UNUSUAL}[[node]]\nname = 'w1'\naddresses = ['198.51.100.8', 'fd12:3456:789a::8']\nroles = ['worker']\n"
    );
    let objects = objects(&spec(&toml));
    assert_eq!(
        object(&objects, "Deployment", "coredns")["spec"]["replicas"],
        2
    );
    object(&objects, "PodDisruptionBudget", "coredns");
    let single = self::objects(&spec(UNUSUAL));
    assert!(
        !single
            .iter()
            .any(|(_, one)| one["kind"] == "PodDisruptionBudget")
    );
}

#[test]
fn neighbours_with_routes_wrap_nothing() {
    let toml = format!(
        "{UNUSUAL}[[node]]\nname = 'w1'\naddresses = ['198.51.100.8', 'fd12:3456:789a::8']\nroles = ['worker']\n"
    );
    let backend = |network| {
        let mut spec = spec(&toml);
        spec.options.network = network;
        let objects = objects(&spec);
        let config = object(&objects, "ConfigMap", "kube-flannel")["data"].clone();
        let net_conf = config["net-conf.json"].as_str().unwrap();
        let net_conf: Value = serde_json::from_str(net_conf).unwrap();
        let pod = &object(&objects, "DaemonSet", "kube-flannel")["spec"]["template"]["spec"];
        let closes = !pod["initContainers"].is_null();
        assert_eq!(closes, !config["vxlan.nft"].is_null());
        (net_conf["Backend"]["Type"].clone(), closes)
    };
    assert_eq!(backend(Network::Flannel), ("vxlan".into(), true));
    assert_eq!(backend(Network::HostGw), ("host-gw".into(), false));
}

#[test]
fn only_a_control_plane_has_the_folder() {
    let mut spec = spec(UNUSUAL);
    spec.options.network = Network::None;
    assert!(!files(&spec).contains_key("flannel.yaml"));
    let toml = format!(
        "{UNUSUAL}[[node]]\nname = 'w1'\naddresses = ['198.51.100.8', 'fd12:3456:789a::8']\nroles = ['worker']\n"
    );
    let mut worker = self::spec(&toml);
    worker.node = worker.cluster.node("w1").unwrap().clone();
    assert!(resources(&worker, &images()).is_empty());
    assert!(!host(&worker).is_empty());
}
