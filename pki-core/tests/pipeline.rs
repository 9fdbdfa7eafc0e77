//! spec -> blueprint -> inventory -> plan -> apply, on a disk.
#![allow(missing_docs)]

use std::path::Path;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::{Action, Plan};
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use time::{Duration, OffsetDateTime};

fn spec() -> ClusterSpec {
    ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .node(NodeDocument::new("n1").addresses(["192.0.2.10"]))
        .build()
        .unwrap()
}

fn apply(dir: &Path, spec: &ClusterSpec, profile: &Profile, now: OffsetDateTime) -> Vec<String> {
    let blueprint = Blueprint::new(spec, profile).unwrap();
    let mut store = Store::open(dir, &dir.join("ca")).unwrap();
    let inventory = Inventory::read(dir, &dir.join("ca")).unwrap();
    let plan = Plan::new(&blueprint, &inventory, now);
    let applied = plan.apply(&mut store, &SystemRandom::new()).unwrap();
    applied
        .done
        .iter()
        .map(|done| format!("{} {}", done.action, done.artifact))
        .collect()
}

#[test]
fn apply_then_plan_is_empty_for_every_profile() {
    for name in Profile::shipped_names() {
        let profile = Profile::shipped(name).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("kubernetes");
        let now = OffsetDateTime::now_utc();
        let done = apply(&dir, &spec(), &profile, now);
        assert!(done.len() > 12, "{name}: {done:?}");
        assert!(
            done.iter().all(|line| line.starts_with("create ")),
            "{name}: {done:?}"
        );
        let again = apply(&dir, &spec(), &profile, now);
        assert!(again.is_empty(), "{name}: {again:?}");
        let blueprint = Blueprint::new(&spec(), &profile).unwrap();
        let inventory = Inventory::read(&dir, &dir.join("ca")).unwrap();
        let plan = Plan::new(&blueprint, &inventory, now);
        assert!(
            plan.unmanaged().is_empty(),
            "{name}: {:?}",
            plan.unmanaged()
        );
    }
}

#[test]
fn time_alone_renews_leaves_then_authorities_under_their_keys() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("kubernetes");
    let now = OffsetDateTime::now_utc();
    let profile = Profile::kubeadm();
    apply(&dir, &spec(), &profile, now);
    let blueprint = Blueprint::new(&spec(), &profile).unwrap();
    for (days, wanted) in [(240, false), (250, true), (400, true)] {
        let inventory = Inventory::read(&dir, &dir.join("ca")).unwrap();
        let plan = Plan::new(&blueprint, &inventory, now + Duration::days(days));
        assert_eq!(!plan.is_empty(), wanted, "{days} days");
        assert!(
            plan.steps()
                .iter()
                .all(|step| step.action == Action::Issue && step.obstacle.is_none())
        );
    }
    let inventory = Inventory::read(&dir, &dir.join("ca")).unwrap();
    let plan = Plan::new(&blueprint, &inventory, now + Duration::days(3700));
    let renewed = plan
        .steps()
        .iter()
        .filter(|step| step.action == Action::Renew)
        .count();
    assert_eq!(renewed, 3);
    assert_eq!(plan.obstacles().count(), 0);
    let later = now + Duration::days(3700);
    apply(&dir, &spec(), &profile, later);
    let again = apply(&dir, &spec(), &profile, later);
    assert!(again.is_empty(), "{again:?}");
}

#[test]
fn every_edge_of_every_profile_shakes_hands() {
    for name in Profile::shipped_names() {
        let profile = Profile::shipped(name).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("kubernetes");
        let now = OffsetDateTime::now_utc();
        let nodes = ["cp1", "cp2", "w1"];
        let documents = nodes.iter().enumerate().map(|(index, node)| {
            let roles: &[&str] = if node.starts_with("cp") {
                &["control-plane", "etcd"]
            } else {
                &["worker"]
            };
            let addresses = [
                format!("192.0.2.{}", index + 1),
                format!("fd01::{}", index + 1),
            ];
            NodeDocument::new(*node)
                .addresses(addresses)
                .roles(roles.iter().copied())
        });
        let spec = ClusterSpec::builder()
            .service_cidrs(["10.3.0.0/24", "fd00:3::/112"])
            .endpoint("api.corp.example")
            .nodes(documents)
            .user_flag("alice:dev,ops")
            .build()
            .unwrap();
        apply(&dir, &spec, &profile, now);
        let blueprint = Blueprint::new(&spec, &profile).unwrap();
        let inventory = Inventory::read(&dir, &dir.join("ca")).unwrap();
        let verification = pki_core::converge::verify::verify(&blueprint, &inventory, now);
        let failures: Vec<_> = verification
            .failures()
            .map(|check| {
                format!(
                    "{}: {:?}: {}",
                    check.edge.name,
                    check.dialed,
                    check.result.as_ref().unwrap_err()
                )
            })
            .collect();
        assert!(failures.is_empty(), "{name}: {failures:#?}");
        assert!(
            verification.checks.len() > 50,
            "{name}: {}",
            verification.checks.len()
        );
        let late =
            pki_core::converge::verify::verify(&blueprint, &inventory, now + Duration::days(366));
        assert_eq!(late.failures().count(), late.checks.len(), "{name}");
    }
}
