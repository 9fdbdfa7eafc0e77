//! A cluster whose every certificate is over, authorities too: one command, and it answers again with its data.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
use pki_core::cluster::{FileMode, Location};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use tests::command::{run, succeed};
use tests::machine::{Families, Machine, MachineOptions, Network};
use tests::node::{Node, answer, turn};
use tests::record::note;
use time::OffsetDateTime;

use crate::place::{self, DIRECTORY, kpki};

/// How long the cluster has to live when its certificates are made.
const LIFE: time::Duration = time::Duration::minutes(6);
/// Where the CA keys come back to when they are needed.
const VAULT: &str = "/root/vault";

#[test]
fn a_dead_cluster_answers_again() {
    let _turn = turn();
    let network = Network::new(Families::V4);
    let machine = Machine::boot(&network, MachineOptions::default());
    // Certificates were made a year ago, and the CA keys put away: so kinstall cannot renew what is about to end.
    let made = OffsetDateTime::now_utc() - time::Duration::days(365) + LIFE;
    let vault = tempfile::tempdir().expect("a directory");
    make(&machine, vault.path(), made);
    let node = Node::install(machine, &["--dir", DIRECTORY, "--ca-dir", VAULT]);
    place::with_kpki(&node);
    succeed(&mut node.kubectl(&["create", "configmap", "kept", "--from-literal=answer=42"]));
    let left = made + time::Duration::days(365) - OffsetDateTime::now_utc();
    assert!(
        left.is_positive(),
        "the cluster died while it was made: it took more than {LIFE}"
    );
    note(&format!("all certificates are over in {left}"));
    sleep(Duration::try_from(left).expect("positive") + Duration::from_secs(10));

    let ended = run(&mut node.kubectl(&["get", "configmap", "kept"]));
    assert!(
        ended.code != Some(0) && ended.stderr.contains("certificate"),
        "{ended}"
    );
    let before = fs::read(vault.path().join("ca.key")).expect("a key");

    // The safe is opened, and one command does the rest.
    let keys = node.machine.path("/root").join("vault");
    succeed(Command::new("cp").arg("-a").arg(vault.path()).arg(&keys));
    let began = std::time::Instant::now();
    let ended = kpki(
        &node,
        &[
            "renew",
            "--all",
            "--keep-key",
            "--reload",
            "--ca-dir",
            VAULT,
        ],
    );
    assert!(ended.code == Some(0), "{ended}\n{}", node.circumstances());
    note(&format!(
        "revived in {:.1} s",
        began.elapsed().as_secs_f64()
    ));
    assert_eq!(fs::read(keys.join("ca.key")).expect("a key"), before);

    node.wait_until("the cluster answers with its data", || {
        let arguments = [
            "get",
            "configmap",
            "kept",
            "--output=jsonpath={.data.answer}",
        ];
        let ended = run(&mut node.kubectl(&arguments));
        match answer(&ended)? {
            "42" => Ok(()),
            other => Err(format!("it says {other:?}")),
        }
    });
    node.wait_until("everything works", || {
        answer(&node.kinstall(&["status"])).map(drop)
    });
    let ended = kpki(&node, &["verify", "--ca-dir", VAULT]);
    assert!(ended.code == Some(0), "{ended}");
    // It writes, too: controllers and kubelet are let in again.
    succeed(&mut node.kubectl(&["create", "serviceaccount", "new"]));
}

/// A whole cluster's directory on the machine, without its CA directory, which goes to `vault`.
fn make(machine: &Machine<'_>, vault: &std::path::Path, made: OffsetDateTime) {
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .profile("hardened")
        .validity("365d")
        .ca_validity("365d")
        .node(NodeDocument::new(machine.name()).addresses(["192.0.2.11"]))
        .build()
        .expect("a spec");
    let profile = Profile::shipped("hardened").expect("it is shipped");
    let blueprint = Blueprint::new(&spec, &profile).expect("a blueprint");
    let inventory = Inventory::empty();
    let plan = Plan::new(&blueprint, &inventory, made);
    let mut changes = plan.execute(&SystemRandom::new()).expect("keys");
    let place = Location::tree("cluster.toml").expect("a path");
    changes.add(place, spec.to_toml().into_bytes(), FileMode::PUBLIC);
    let dir = machine.path(DIRECTORY);
    let mut store = Store::open(&dir, vault).expect("it opens");
    changes.commit(&mut store).expect("it is written");
}
