use super::*;
use crate::cluster::profile::Profile;
use crate::cluster::spec::{ClusterSpec, NodeDocument};

fn blueprint(profile: &str) -> Blueprint {
    let node = |name: &str, address: &str, roles: &[&str]| {
        NodeDocument::new(name)
            .addresses([address])
            .roles(roles.iter().copied())
    };
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .node(node("cp1", "192.0.2.11", &["control-plane", "etcd"]))
        .node(node("w1", "192.0.2.21", &["worker"]))
        .user_flag("alice:dev")
        .build()
        .unwrap();
    Blueprint::new(&spec, &Profile::shipped(profile).unwrap()).unwrap()
}

/// As `kubelet on w1: a restart`.
fn of(blueprint: &Blueprint, id: &str) -> Vec<String> {
    let artifact = blueprint
        .artifacts()
        .iter()
        .find(|a| a.id.to_string() == id);
    consumers(blueprint, artifact.unwrap_or_else(|| panic!("no {id}")))
        .iter()
        .map(|consumer| format!("{consumer}: {}", consumer.need))
        .collect()
}

#[test]
fn leaves_are_read_by_whom_they_are_for() {
    let kubeadm = blueprint("kubeadm");
    for (id, expected) in [
        ("cp1/apiserver", "kube-apiserver on cp1: nothing"),
        (
            "cp1/apiserver-etcd-client",
            "kube-apiserver on cp1: nothing",
        ),
        ("cp1/etcd-server", "etcd on cp1: nothing"),
        ("w1/kubelet", "kubelet on w1: nothing"),
        ("w1/kubelet-client", "kubelet on w1: a restart"),
        (
            "cp1/controller-manager",
            "kube-controller-manager on cp1: a restart",
        ),
        ("w1/kube-proxy", "kube-proxy on w1: a restart"),
        ("cluster-dns", "coredns: SIGUSR1"),
        ("cp1/admin", "people: nothing"),
        ("user/alice", "people: nothing"),
        ("encryption-config", "kube-apiserver on cp1: a restart"),
    ] {
        assert_eq!(of(&kubeadm, id), [expected], "{id}");
    }
    assert_eq!(
        of(&kubeadm, "sa"),
        [
            "kube-apiserver on cp1: a restart",
            "kube-controller-manager on cp1: a restart",
        ]
    );
}

#[test]
fn authorities_are_read_by_those_who_trust_them() {
    let kubeadm = blueprint("kubeadm");
    assert_eq!(
        of(&kubeadm, "ca"),
        [
            "kube-apiserver on cp1: nothing",
            "kube-controller-manager on cp1: a restart",
            "kubelet on cp1: nothing",
            "kubelet on w1: nothing",
        ]
    );
    assert_eq!(
        of(&kubeadm, "etcd-ca"),
        ["kube-apiserver on cp1: a restart", "etcd on cp1: a restart"]
    );
    assert_eq!(
        of(&kubeadm, "front-proxy-ca"),
        ["kube-apiserver on cp1: nothing"]
    );
}

/// etcd reads one file with both; that of the client CA alone is read by nobody.
#[test]
fn a_bundle_is_read_in_place_of_what_is_in_it() {
    let hardened = blueprint("hardened");
    assert_eq!(of(&hardened, "etcd-trusted"), ["etcd on cp1: a restart"]);
    assert_eq!(of(&hardened, "etcd-client-ca"), [] as [String; 0]);
    assert_eq!(
        of(&hardened, "etcd-ca"),
        ["kube-apiserver on cp1: a restart", "etcd on cp1: a restart"]
    );
    assert_eq!(
        of(&hardened, "client-ca"),
        [
            "kube-apiserver on cp1: nothing",
            "kube-controller-manager on cp1: nothing",
            "kubelet on cp1: nothing",
            "kubelet on w1: nothing",
        ]
    );
    assert_eq!(
        of(&hardened, "ca"),
        [
            "kube-apiserver on cp1: nothing",
            "kube-controller-manager on cp1: a restart",
        ]
    );
}

/// With one authority for everything etcd has to be started again too.
#[test]
fn the_greatest_need_of_a_reader_counts() {
    let makecerts = blueprint("makecerts");
    assert_eq!(
        of(&makecerts, "ca"),
        [
            "kube-apiserver on cp1: a restart",
            "kube-controller-manager on cp1: a restart",
            "etcd on cp1: a restart",
            "kubelet on cp1: nothing",
            "kubelet on w1: nothing",
        ]
    );
}

/// A new artifact of a shipped profile must not be forgotten here.
#[test]
fn every_leaf_of_every_shipped_profile_has_a_reader() {
    for profile in Profile::shipped_names() {
        let blueprint = blueprint(profile);
        for artifact in blueprint.artifacts() {
            let is_authority = matches!(artifact.content, Content::Authority(_));
            assert!(
                is_authority || !consumers(&blueprint, artifact).is_empty(),
                "{profile}: {}",
                artifact.id
            );
        }
    }
}
