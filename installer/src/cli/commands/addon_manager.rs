//! `kinstall addon-manager`, a service of control-plane nodes.

use std::path::Path;

use installer::addon::manager;
use installer::desired::layout;

use super::machine;
use crate::cli::output::{Failure, Outcome};

/// Keeps the cluster's addons until it is told to end.
pub fn run() -> Result<Outcome, Failure> {
    let runtime = machine::runtime()?;
    // Before RBAC is applied no other kubeconfig may do anything (kubeadm.kubernetes.io/super-admin).
    let kubeconfig = Path::new(layout::KUBERNETES).join("super-admin.conf");
    runtime.block_on(manager::run(
        Path::new(layout::ADDONS),
        &kubeconfig,
        manager::ended(),
    ));
    Ok(Outcome::fine(""))
}
