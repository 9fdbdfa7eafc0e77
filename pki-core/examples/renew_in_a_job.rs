//! What a renewal job does, on a disk: read, plan, apply when something is due. It may run as often as it likes: without need it does
//! nothing, and two at once do no harm: one has the lock, the other is told so.
//!
//! cargo run -p pki-core --example renew_in_a_job

use std::error::Error;
use std::path::Path;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use time::{Duration, OffsetDateTime};

/// Runs the job on a new cluster: today, soon again, and when a certificate's last third has begun.
pub fn main() -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let dir = scratch.path().join("kubernetes");
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .node(NodeDocument::new("cp1").addresses(["192.0.2.11"]))
        .build()?;
    let blueprint = Blueprint::new(&spec, &Profile::kubeadm())?;
    let today = OffsetDateTime::now_utc();

    let made = job(&dir, &blueprint, today)?;
    let again = job(&dir, &blueprint, today + Duration::days(30))?;
    let renewed = job(&dir, &blueprint, today + Duration::days(300))?;
    eprintln!("made {made}, then {again}; renewed {renewed}");
    assert!(made > 0 && again == 0);
    // The CAs last longer, so only what they issued is due.
    assert!(renewed > 0 && renewed < made);
    Ok(())
}

/// One run; returns how many artifacts it changed.
fn job(dir: &Path, blueprint: &Blueprint, now: OffsetDateTime) -> Result<usize, Box<dyn Error>> {
    let authorities = dir.join("ca");
    // Opening takes the lock, and finishes what an interrupted run has left.
    let mut store = Store::open(dir, &authorities)?;
    let inventory = Inventory::read(dir, &authorities)?;
    let plan = Plan::new(blueprint, &inventory, now);
    if let Some((step, obstacle)) = plan.obstacles().next() {
        return Err(format!("{}: {obstacle}", step.artifact).into());
    }
    if plan.is_empty() {
        return Ok(0);
    }
    plan.apply(&mut store, &SystemRandom::new())?;
    Ok(plan.steps().len())
}
