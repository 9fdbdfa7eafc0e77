//! A cluster's whole PKI in memory: spec, blueprint, plan, and the files that would be written. Then every connection of the
//! cluster is tried with them.
//!
//! cargo run -p pki-core --example cluster_in_memory

use std::error::Error;

use pki_core::cluster::blueprint::Blueprint;
use pki_core::cluster::profile::Profile;
use pki_core::cluster::spec::{ClusterSpec, NodeDocument};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::plan::Plan;
use pki_core::converge::verify::verify;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

/// Makes the PKI of a control plane and a worker.
pub fn main() -> Result<(), Box<dyn Error>> {
    let now = OffsetDateTime::now_utc();
    let spec = ClusterSpec::builder()
        .service_cidrs(["10.3.0.0/24"])
        .endpoint("api.corp.example")
        .node(
            NodeDocument::new("cp1")
                .addresses(["192.0.2.11"])
                .roles(["control-plane", "etcd"]),
        )
        .node(
            NodeDocument::new("w1")
                .addresses(["192.0.2.21"])
                .roles(["worker"]),
        )
        .user_flag("alice:developers")
        .build()?;
    let blueprint = Blueprint::new(&spec, &Profile::kubeadm())?;

    // Nothing is there, so the plan makes everything. Executing it makes keys and certificates, and writes nothing.
    let nothing = Inventory::empty();
    let plan = Plan::new(&blueprint, &nothing, now);
    let changes = plan.execute(&SystemRandom::new())?;

    // What was made is the next inventory: there is nothing left to do, and every connection works.
    let mut inventory = Inventory::empty();
    for (location, mode, contents) in changes.secret_files() {
        inventory.add(location.clone(), mode, contents);
    }
    assert!(Plan::new(&blueprint, &inventory, now).is_empty());
    let verification = verify(&blueprint, &inventory, now);
    assert_eq!(verification.failures().count(), 0);
    eprintln!(
        "{} files, {} handshakes",
        inventory.files().count(),
        verification.checks.len()
    );
    Ok(())
}
