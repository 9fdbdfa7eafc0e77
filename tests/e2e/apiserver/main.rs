//! A real etcd and a real kube-apiserver serve from the tree: everybody who should gets in as who they
//! are, and nobody else does.
#![allow(missing_docs)]

mod clients;
mod encryption;
mod health;
mod intruders;
mod pods;

use tests::cluster::Cluster;
use tests::control_plane::ControlPlane;
use tests::corporate::{Corporate, Key, Text};

fn init(arguments: &[&str]) -> Cluster {
    let users = ["--user", "alice:dev,ops", "--user", "bob:ops"];
    Cluster::init(&[arguments, &users].concat())
}

fn serve(arguments: &[&str]) {
    let cluster = init(arguments);
    let other = init(&arguments[..4]);
    let control_plane = ControlPlane::start(&cluster);
    clients::are_who_their_kubeconfig_says(&cluster, &control_plane);
    clients::administrators_may_what_their_group_is_bound_to(&control_plane);
    pods::reach_the_api_at_its_service_address(&cluster, &control_plane);
    encryption::secrets_are_ciphertext_in_etcd(&control_plane);
    let intruders = intruders::Intruders {
        cluster: &cluster,
        other: &other,
    };
    intruders.are_refused_by_the_apiserver(&control_plane);
    intruders.are_refused_by_etcd(&control_plane);
    health::is_told(&control_plane);
}

const IPV4: [&str; 4] = [
    "--service-cidr",
    "10.3.0.0/24",
    "--node",
    "cp-1=192.168.77.10",
];

#[test]
fn kubeadm_profile() {
    serve(&IPV4);
}

#[test]
fn hardened_profile() {
    serve(&[&IPV4[..], &["--profile", "hardened"]].concat());
}

#[test]
fn ipv6_only() {
    serve(&["--service-cidr", "fd00:3::/108", "--node", "cp-1=fd77::10"]);
}

/// Everything is issued by a corporate intermediate, which is all that the cluster trusts.
#[test]
fn imported_authority() {
    let dir = tempfile::tempdir().unwrap();
    let corporate = Corporate::new(dir.path(), Key::EcSec1, Text::Utf8);
    serve(&[&IPV4[..], &["--authority", &corporate.flag("ca")]].concat());
}
