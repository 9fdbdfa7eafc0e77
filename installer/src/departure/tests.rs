//! A cluster's directory that a node leaves, with a real PKI in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pki_core::converge::cluster_directory::ClusterDirectory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use super::Forgetting;

const CLUSTER: &str = "\
# Ours.
service-cidr = ['10.3.0.0/24']
endpoint = 'api.corp.example'

# The first of them.
[[node]]
name = 'cp1'
addresses = ['192.0.2.11']
roles = ['control-plane', 'etcd']

[[node]]
name = 'cp2'
addresses = ['192.0.2.12']
roles = ['control-plane']

[[node]]
name = 'w1'
addresses = ['192.0.2.21']
";

fn made(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("cluster.toml"), text).expect("written");
    let cluster = ClusterDirectory::read(dir.path(), None).expect("a good spec");
    let now = OffsetDateTime::now_utc();
    let inventory = cluster.inventory().expect("readable");
    let changes = Plan::new(&cluster.blueprint, &inventory, now).execute(&SystemRandom::new());
    let mut store = Store::open(dir.path(), &cluster.authorities).expect("a new store");
    changes.expect("made").commit(&mut store).expect("written");
    drop(store);
    dir
}

fn steps_left(dir: &Path) -> usize {
    let cluster = ClusterDirectory::read(dir, None).expect("a good spec");
    let inventory = cluster.inventory().expect("readable");
    let now = OffsetDateTime::now_utc();
    Plan::new(&cluster.blueprint, &inventory, now).steps().len()
}

#[test]
fn a_worker_goes_with_its_tree_and_nothing_is_left_to_apply() {
    let dir = made(CLUSTER);
    let key = fs::read(dir.path().join("nodes/w1/pki/kubelet.key")).expect("there");
    let forgetting = Forgetting::of(dir.path(), None, "w1").expect("it may go");
    assert_eq!(forgetting.kept_in.as_deref(), Some("removed/w1"));
    assert!(!forgetting.had_authorities);
    let days = (forgetting.valid_until.expect("known") - OffsetDateTime::now_utc()).whole_days();
    assert!((360..=366).contains(&days), "{days}");
    // Nothing yet.
    assert!(dir.path().join("nodes/w1/pki/kubelet.key").is_file());
    let forgotten = forgetting.commit(OffsetDateTime::now_utc()).expect("done");
    assert_eq!(forgotten.to_apply, 0);
    assert_eq!(forgotten.kept_in, Some(dir.path().join("removed/w1")));
    assert!(!dir.path().join("nodes/w1").exists());
    let kept = dir.path().join("removed/w1/pki/kubelet.key");
    assert_eq!(fs::read(&kept).expect("there"), key);
    let mode = fs::metadata(&kept).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(dir.path().join("cluster.toml")).expect("there");
    assert!(
        text.starts_with("# Ours.\n") && text.contains("# The first of them.\n"),
        "{text}"
    );
    assert!(!text.contains("w1"), "{text}");
    assert_eq!(steps_left(dir.path()), 0);
}

#[test]
fn one_that_came_and_went_before_keeps_its_place() {
    let dir = made(CLUSTER);
    fs::create_dir_all(dir.path().join("removed/w1")).expect("made");
    fs::write(dir.path().join("removed/w1/mine"), "old").expect("written");
    let forgetting = Forgetting::of(dir.path(), None, "w1").expect("it may go");
    let forgotten = forgetting.commit(OffsetDateTime::now_utc()).expect("done");
    assert_eq!(forgotten.kept_in, Some(dir.path().join("removed/w1.2")));
    let old = fs::read_to_string(dir.path().join("removed/w1/mine"));
    assert_eq!(old.expect("there"), "old");
}

#[test]
fn a_control_plane_takes_authorities_keys_along_and_the_endpoint_stays() {
    // By itself two of them have a load balancer on each node, and one has none.
    let dir = made(&CLUSTER.replace("endpoint = 'api.corp.example'\n", ""));
    let before = ClusterDirectory::read(dir.path(), None)
        .expect("a good spec")
        .spec;
    let forgetting = Forgetting::of(dir.path(), None, "cp2").expect("it may go");
    assert!(forgetting.had_authorities, "the profile kubeadm");
    forgetting.commit(OffsetDateTime::now_utc()).expect("done");
    let after = ClusterDirectory::read(dir.path(), None)
        .expect("a good spec")
        .spec;
    assert_eq!(after.endpoint(), before.endpoint());
    assert_eq!(steps_left(dir.path()), 0);
}

#[test]
fn what_a_cluster_cannot_be_without_stays() {
    let told = |text: &str, name: &str| {
        let dir = made(text);
        let before = fs::read_to_string(dir.path().join("cluster.toml")).expect("there");
        let problems = Forgetting::of(dir.path(), None, name).expect_err("it may not");
        let after = fs::read_to_string(dir.path().join("cluster.toml")).expect("there");
        assert_eq!(before, after);
        problems[0].fact.clone()
    };
    let etcd = told(CLUSTER, "cp1");
    assert!(etcd.contains("the only node with the role etcd"), "{etcd}");
    let alone = CLUSTER.replace("['control-plane']", "['worker']");
    let alone = told(&alone, "cp1");
    assert!(alone.contains("the only control plane"), "{alone}");
    let at = told(&CLUSTER.replace("api.corp.example", "192.0.2.12"), "cp2");
    assert!(
        at.contains("the endpoint 192.0.2.12:6443 is at cp2"),
        "{at}"
    );
    let unknown = told(CLUSTER, "w9");
    assert!(unknown.contains("has no node \"w9\""), "{unknown}");
}
