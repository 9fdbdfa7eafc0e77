//! A cluster's directory, as `kpki init` makes it.

use std::path::PathBuf;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::ClusterSpec;
use pki_core::cluster::{FileMode, Location};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use tempfile::TempDir;
use time::OffsetDateTime;

/// Of these nodes, each as `--node` says it, and one user; with what it is in.
pub fn made(profile: &str, nodes: &[&str]) -> (TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("kubernetes");
    let builder = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .profile(profile)
        .user_flag("alice:dev");
    let builder = nodes
        .iter()
        .fold(builder, |builder, node| builder.node_flag(node));
    let spec = builder.build().unwrap();
    let blueprint = Blueprint::new(&spec, &Profile::shipped(profile).unwrap()).unwrap();
    let inventory = Inventory::empty();
    let plan = Plan::new(&blueprint, &inventory, OffsetDateTime::now_utc());
    let mut changes = plan.execute(&SystemRandom::new()).unwrap();
    let place = Location::tree("cluster.toml").unwrap();
    changes.add(place, spec.to_toml().into_bytes(), FileMode::PUBLIC);
    let mut store = Store::open(&dir, &dir.join("ca")).unwrap();
    changes.commit(&mut store).unwrap();
    (scratch, dir)
}
